"""Ogg files with holes, or with several sounds in a row: each run of whole pages is decoded by itself and placed."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio.content import Content, Spans
from asr_s2s.audio.decoder import clipped, silence
from asr_s2s.audio.findings import Findings
from asr_s2s.audio.ogg import Link, Run, Sounds
from asr_s2s.audio.pyav_decoder import LONGEST_GAP_SECONDS, PyavDecoder
from asr_s2s.errors import AudioError

OPUS, OPUS_RATE = b"OpusHead", 48_000  # whose clock does not depend on the sample rate
HOLE_SECONDS = 0.002  # a page may hold a packet of 2.5 ms, and its clock is exact
LOST_PAGES = "has lost or damaged pages"


class OggDecoder:
    """The sounds of an Ogg file, at the rate and with the channels of the first; see Decoder.

    Raises AudioError where nothing can be decoded.
    """

    is_float = False

    def __init__(self, content: Content, findings: Findings, sounds: Sounds) -> None:
        self._content, self._findings, self._sounds = content, findings, sounds
        self.num_tracks = sounds.num_tracks
        runs = ((link, run) for link in sounds.links for run in link.runs)
        first = next(filter(None, (self._opened(link, run, findings.part()) for link, run in runs)), None)
        if first is None:
            raise AudioError(f"{findings.name}: {findings.cut or 'holds no samples'}. Record or export it again.")
        self.sample_rate, self.channels = first.sample_rate, first.channels
        first.close()

    def stated_duration(self) -> None:
        """Return None: of sounds in a row each states its own length."""

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Return the frames from start up to stop; see Decoder."""
        position = 0
        for link in self._sounds.links:
            for block in self._of_link(link, begins=position):
                yield from clipped(block, position, start, stop)
                position += len(block)
                if stop is not None and position >= stop:
                    return
            if link.is_broken and not (link is self._sounds.links[-1] and self._findings.cut):
                self._lost(position, None)
        if reason := self._content.fault or self._findings.cut:
            self._findings.lost(position / self.sample_rate, None, reason)

    def _of_link(self, link: Link, *, begins: int) -> Iterator[NDArray[np.float32]]:
        """Return one sound: its runs, and silence between them."""
        position = begins
        if not link.is_head_whole:
            self._lost(position, position)
        origin: float | None = None
        for run in link.runs:
            findings = self._findings.part()
            decoder = self._opened(link, run, findings, shape=(self.sample_rate, self.channels))
            if decoder is None:
                continue
            try:
                start = self._start(link, run)
                if origin is None:
                    is_late = run.after_hole and start < LONGEST_GAP_SECONDS  # not recorded from a broadcast
                    origin = 0.0 if is_late else start
                gap = begins + round((start - origin) * self.sample_rate) - position
                if run.after_hole and HOLE_SECONDS < gap / self.sample_rate < LONGEST_GAP_SECONDS:
                    self._lost(position, position + gap)
                    yield from silence(gap, self.sample_rate, self.channels)
                    position += gap
                findings.shift = position / self.sample_rate
                repeated = -gap if 0 < -gap <= self.sample_rate else 0  # sound that was read before the hole
                for block in decoder.blocks(repeated, None):
                    yield block
                    position += len(block)
            finally:
                decoder.close()

    def _start(self, link: Link, run: Run) -> float:
        """Return the second a run begins at, by its codec's clock: the end of its first pages less their audio."""
        lead = self._opened(link, Run(run.lead, run.after_hole), Findings(self._findings.name, strict=False))
        rate, seconds = self.sample_rate, 0.0
        if lead is not None:
            with closing(lead):
                rate = lead.sample_rate
                seconds = sum(map(len, lead.blocks(0, None))) / rate
        place = link.head.find(OPUS)
        if place >= 0:  # its clock begins before its sound (RFC 7845, section 4.2)
            skipped = int.from_bytes(link.head[place + 10 : place + 12], "little")
            return (run.granule - skipped) / OPUS_RATE - seconds
        return run.granule / rate - seconds

    def _lost(self, start: int, end: int | None) -> None:
        self._findings.lost(start / self.sample_rate, None if end is None else end / self.sample_rate, LOST_PAGES)

    def _opened(
        self, link: Link, run: Run, findings: Findings, shape: tuple[int, int] | None = None
    ) -> PyavDecoder | None:
        """Open a run as a file of its own; None where nothing of it can be decoded."""
        try:
            content = Content(Spans(self._content, link.head, run.spans))
            return PyavDecoder(content, findings, shape=shape, continuous=True)
        except AudioError:
            return None

    def close(self) -> None:
        """Every run is closed when it has been read."""
