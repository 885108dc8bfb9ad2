"""Which decoder reads a file, by what is in it."""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISFIFO, S_ISREG
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO

import numpy as np
import soundfile

from asr_s2s.audio.completeness import is_wave, sizes, suits_libsndfile
from asr_s2s.audio.content import Content
from asr_s2s.audio.decoder import SILENCE_PEAK, AudioDecoder
from asr_s2s.audio.findings import Findings
from asr_s2s.audio.mended_decoder import MendedDecoder
from asr_s2s.audio.ogg import CAPTURE, Sounds, sounds
from asr_s2s.audio.soundfile_decoder import SoundfileDecoder
from asr_s2s.errors import AudioError

URL = re.compile(r"[A-Za-z][\w+.-]+:/")  # with one slash: a path has lost the other
OPEN_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")  # as a shell's <(command) names them


@contextmanager
def opened(source: Path | BinaryIO, findings: Findings, *, track: int | None = None) -> Iterator[AudioDecoder]:
    """Open a file or rewind a stream; one that cannot be rewound is copied to the disk first.

    track: which sound, counted from 1, if there are several; None takes the best that is not silent
    """
    with ExitStack() as stack:
        stream = stack.enter_context(_open_file(source)) if isinstance(source, Path) else source
        if not stream.seekable():
            stream = stack.enter_context(rewindable(stream))
        content = Content(stream)
        if content.size == 0:
            raise AudioError(f"{findings.name}: is empty (0 bytes). Record or copy it again.")
        decoder = stack.enter_context(closing(_decoder(content, findings, track)))
        if track is None and decoder.num_tracks > 1:
            number = _audible_track(content, findings, decoder.num_tracks)
            decoder = stack.enter_context(closing(_decoder(content, findings, number)))
        yield decoder


def rewindable(stream: BinaryIO) -> BinaryIO:
    """Return a stream itself, or of one that cannot be rewound a copy on the disk, which goes when it is closed."""
    if stream.seekable():
        return stream
    try:
        copied = TemporaryFile()  # noqa: SIM115 - whoever reads it may read it again
        shutil.copyfileobj(stream, copied)
        copied.seek(0)
    except OSError as error:
        raise AudioError(
            f"what comes from a pipe cannot be copied to {gettempdir()} ({error.strerror}). "
            "Set TMPDIR to another folder."
        ) from error
    return copied


def _decoder(content: Content, findings: Findings, track: int | None) -> AudioDecoder:
    """Take libsndfile, or FFmpeg for what libsndfile does not know, does not read well or sees no end of."""
    if content.peek(0, len(CAPTURE)) == CAPTURE and (found := sounds(content, track or 1)).links:
        return _ogg_decoder(content, findings, found, track)
    stated = sizes(content)
    findings.missing_bytes = stated.missing
    if stated.surplus:
        findings.note(f"its header leaves out the last {stated.surplus} bytes of the file")
    endless = stated.is_open or (is_wave(content) and stated.surplus > 0)
    known = None if stated.surplus or track is not None else _soundfile_decoder(content)
    if known is not None:
        return MendedDecoder(known, content, findings, is_whole=stated.stated)
    from asr_s2s.audio.pyav_decoder import PyavDecoder  # noqa: PLC0415 - most recordings do not need FFmpeg

    return PyavDecoder(content, findings, track=track, ignore_length=endless)


def _ogg_decoder(content: Content, findings: Findings, found: Sounds, track: int | None) -> AudioDecoder:
    """Take libsndfile for one sound without holes alone: it joins what is left, and leaves out all but the first."""
    findings.missing_bytes = found.missing
    first, *others = found.links
    runs = [(len(run.spans), run.after_hole) for run in first.runs]  # of pages that follow each other in the file
    is_damaged = first.is_broken or not first.is_head_whole or content.fault is not None
    last = found.links[-1]
    if not (last.is_ended or last.is_broken or found.missing):
        findings.note("has no end-of-stream page; its end may be missing")
    if runs == [(1, False)] and not (is_damaged or others or found.num_tracks > 1 or track is not None):
        known = _soundfile_decoder(content)
        if known is not None:
            return MendedDecoder(known, content, findings, is_whole=True)
    from asr_s2s.audio.ogg_decoder import LOST_PAGES, OggDecoder  # noqa: PLC0415 - most recordings do not need FFmpeg
    from asr_s2s.audio.pyav_decoder import PyavDecoder  # noqa: PLC0415

    try:
        return OggDecoder(content, findings, found)
    except AudioError:  # the header's pages are damaged; FFmpeg takes them as they are
        decoder = PyavDecoder(content, findings, track=track)
        findings.lost(0.0, None, LOST_PAGES)
        return decoder


def _soundfile_decoder(content: Content) -> SoundfileDecoder | None:
    if not suits_libsndfile(content):
        return None
    content.seek(0)
    try:
        known = SoundfileDecoder(content)
    except soundfile.LibsndfileError:
        return None
    if known.length_known:
        return known
    known.close()
    return None


def _audible_track(content: Content, findings: Findings, num_tracks: int) -> int:
    """Choose the first track that is not silent, and say so."""
    for number in range(1, num_tracks + 1):
        aside = Findings(findings.name, strict=False)
        try:
            with closing(_decoder(content, aside, number)) as decoder:
                if any(np.abs(block).max(initial=0.0) >= SILENCE_PEAK for block in decoder.blocks(0, None)):
                    break
        except AudioError:
            continue
    else:
        number = 1
    findings.note(f"holds {num_tracks} sound tracks; number {number} was read (--track chooses)")
    return number


def _open_file(path: Path) -> BinaryIO:
    try:
        mode = path.stat().st_mode
        is_open_pipe = S_ISFIFO(mode) and str(path).startswith(OPEN_PIPES)
        if not (S_ISREG(mode) or S_ISDIR(mode) or is_open_pipe):
            raise AudioError(f"{path}: is a device or a pipe, not a file. Write the sound to a file, or to '-'.")
        return path.open("rb")
    except FileNotFoundError as error:
        if URL.match(str(path)):
            url = str(path).replace(":/", "://", 1)
            raise AudioError(f"{url}: URLs are not supported. Download the file, and name that.") from error
        raise AudioError(f"{path}: there is no such file. Check the path.") from error
    except IsADirectoryError as error:
        raise AudioError(f"{path}: is a folder. Name the sound files in it.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise AudioError(f"{path}: cannot be opened ({reason}). Check the path and its permissions.") from error
