"""From a recording to a transcript: read, cut, extract features, encode, search, join.

Recordings are read one by one and their pieces are gathered into batches by total duration, so that many short files
are as quick as one long one. A recording that cannot be read becomes an error in its place; the others go on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.audio import SAMPLE_RATE
from asr_s2s.audio import Segment as Piece
from asr_s2s.errors import AudioError
from asr_s2s.model_store import SpeechSystem, load_model
from asr_s2s.recognizer.precision import narrow, prefers_bfloat16
from asr_s2s.recognizer.source import Source, pieces_of, source_of
from asr_s2s.search import Hypothesis, mean_probability
from asr_s2s.transcripts import Segment, Transcript

MAX_PIECE_SECONDS = 30.0
BATCH_SECONDS = 240.0


@dataclass
class _Recording:
    """A recording on its way: its pieces, and the segments recognised so far by piece number."""

    source: Source
    samples: NDArray[np.float32]
    pieces: Sequence[Piece]
    segments: dict[int, Segment] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return len(self.segments) == len(self.pieces)


class Recognizer:
    """A speech system ready to transcribe.

    system: model, front end and vocabulary
    beam: hypotheses kept by the search, 1 for greedy; the model's own default where None
    precision: 'float32'; 'bfloat16', which narrows the system's weights; or 'auto', bfloat16 where the machine is made
        for it
    """

    def __init__(
        self, system: SpeechSystem, *, beam: int | None = None, device: str = "cpu", precision: str = "float32"
    ) -> None:
        search = system.config.search if beam is None else system.config.search.model_copy(update={"beam": beam})
        self.system = system
        self.device = torch.device(device)
        system.model.to(self.device).eval()
        system.front_end.to(self.device).eval()
        self._bfloat16 = prefers_bfloat16(precision, device=self.device)
        if self._bfloat16:
            narrow(system.model)
        self._search = search.build(system.model, system.token_rules)

    def transcribe(
        self, audio: str | Path | NDArray[np.float32], *, sample_rate: int | None = None, channel: int | None = None
    ) -> Transcript:
        """Transcribe one recording: a path, or samples (time,) with their sample_rate.

        Raises AudioError that names the file if it cannot be read or holds only silence.
        """
        if isinstance(audio, np.ndarray):
            if sample_rate is None:
                raise AudioError("samples were given without their sample_rate. Pass sample_rate=16000, say.")
            source = Source(name="samples", samples=audio, sample_rate=sample_rate)
        else:
            source = source_of(audio)
        ((_, result),) = self.transcribe_many([source], channel=channel)
        if isinstance(result, AudioError):
            raise result
        return result

    def transcribe_many(
        self, audio: Iterable[str | Path | Source], *, channel: int | None = None
    ) -> Iterator[tuple[Source, Transcript | AudioError]]:
        """Transcribe recordings in order; what cannot be read comes back as its AudioError."""
        waiting: list[_Recording | tuple[Source, AudioError]] = []
        seconds = 0.0
        for item in audio:
            source = source_of(item)
            try:
                samples = source.read(channel=channel)
            except AudioError as error:
                waiting.append((source, error))
                continue
            waiting.append(_Recording(source, samples, pieces_of(samples, max_seconds=MAX_PIECE_SECONDS)))
            seconds += len(samples) / SAMPLE_RATE
            if seconds >= BATCH_SECONDS:
                yield from self._finish(waiting)
                waiting, seconds = [], 0.0
        yield from self._finish(waiting)

    def _finish(
        self, waiting: Sequence[_Recording | tuple[Source, AudioError]]
    ) -> Iterator[tuple[Source, Transcript | AudioError]]:
        recordings = [item for item in waiting if isinstance(item, _Recording)]
        for batch in self._batches(recordings):
            self._recognize(batch)
        for item in waiting:
            yield (item.source, self._transcript(item)) if isinstance(item, _Recording) else item

    def _batches(self, recordings: Sequence[_Recording]) -> Iterator[list[tuple[_Recording, int]]]:
        """Group pieces of like length, so that a batch is at most so many seconds of frames, padding included."""
        pieces = [
            (self._cost(piece), recording, index)
            for recording in recordings
            for index, piece in enumerate(recording.pieces)
        ]
        pieces.sort(key=lambda item: item[0])
        batch: list[tuple[_Recording, int]] = []
        for seconds, recording, index in pieces:
            if batch and seconds * (len(batch) + 1) > BATCH_SECONDS:
                yield batch
                batch = []
            batch.append((recording, index))
        if batch:
            yield batch

    def _cost(self, piece: Piece) -> float:
        """Give the seconds that a piece costs: those of its frames, which a padding front end makes more."""
        frames = self.system.front_end.lengths(torch.tensor([piece.end - piece.start]))
        return int(frames) * self.system.front_end.frame_shift_seconds

    @torch.inference_mode()
    def _recognize(self, batch: Sequence[tuple[_Recording, int]]) -> None:
        cuts = [recording.pieces[index] for recording, index in batch]
        sounds = [torch.from_numpy(item[0].samples[cut.start : cut.end]) for item, cut in zip(batch, cuts, strict=True)]
        samples = pad_sequence(sounds, batch_first=True).to(self.device)
        sample_lengths = torch.tensor([len(sound) for sound in sounds], device=self.device)
        features, feature_lengths = self.system.front_end(samples, sample_lengths)
        sound_frames = self.system.front_end.sound_lengths(sample_lengths)
        sound_lengths = self.system.model.encoder.output_lengths(sound_frames)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            encoder_out, encoder_lengths = self.system.model.encode(features, feature_lengths)
            hypotheses = self._search(encoder_out, encoder_lengths, sound_lengths=sound_lengths)
        for (recording, index), cut, hypothesis in zip(batch, cuts, hypotheses, strict=True):
            recording.segments[index] = self._segment(hypothesis, cut, offset=recording.source.offset)

    def _segment(self, hypothesis: Hypothesis, cut: Piece, *, offset: float) -> Segment:
        flags: dict[str, float] = {flag.name: flag.value for flag in hypothesis.flags}
        # what a model writes while it doubts that anybody speaks, and is not sure of, is invented
        tokens = () if "no_speech" in flags else hypothesis.tokens
        return Segment(
            start=offset + cut.start / SAMPLE_RATE,
            end=offset + cut.end / SAMPLE_RATE,
            text=self.system.vocabulary.decode(tokens).strip(),
            confidence=mean_probability(hypothesis),
            flags=flags,
        )

    def _transcript(self, recording: _Recording) -> Transcript:
        assert recording.is_done, "every piece is in one batch"
        return Transcript(
            segments=tuple(recording.segments[index] for index in range(len(recording.pieces))),
            duration=len(recording.samples) / SAMPLE_RATE,
            audio_path=str(recording.source.path) if recording.source.path else None,
            model=self.system.name,
        )


def load(
    model: str | Path = "en", *, beam: int | None = None, device: str = "auto", precision: str = "auto"
) -> Recognizer:
    """Load a shipped model by its name, or any model directory, ready to transcribe.

    device: 'auto' takes a GPU where there is one; precision: 'auto' takes bfloat16 where the machine is made for it
    Raises CheckpointError if there is no such model or it is damaged.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return Recognizer(load_model(model), beam=beam, device=device, precision=precision)
