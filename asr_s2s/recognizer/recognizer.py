"""From a recording to a transcript: read, cut, extract features, encode, search, join.

Recordings are read one by one and their pieces are gathered into batches by total duration, so that many short files
are as quick as one long one. A recording that cannot be read becomes an error in its place; the others go on.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.audio import SAMPLE_RATE, cut_at_silences
from asr_s2s.errors import AudioError
from asr_s2s.manifest import Word
from asr_s2s.model_store import SpeechSystem, load_model
from asr_s2s.recognizer.hotwords import build_hotwords
from asr_s2s.recognizer.pieces import Piece, Pieces
from asr_s2s.recognizer.precision import narrow, prefers_bfloat16
from asr_s2s.recognizer.source import Source, source_of
from asr_s2s.recognizer.words import timed_words
from asr_s2s.search import Hypothesis, Search, mean_probability
from asr_s2s.transcripts import Segment, Transcript

MAX_PIECE_SECONDS = 30.0
BATCH_SECONDS = 240.0
REPAIRED = ("loop", "truncated", "low_coverage")
SAFE_BEAM, SAFE_CTC_WEIGHT = 5, 0.3
SAFE_SHARE, SAFE_SECONDS = 0.6, 2.0  # a piece that failed is cut in two, if it is longer than that


@dataclass
class _Recording:
    """A recording on its way: how many pieces it has so far, and what was recognised of them by piece number."""

    source: Source
    num_pieces: int = 0
    segments: dict[int, Sequence[Segment]] = field(default_factory=dict)
    duration: float | None = None  # seconds, once it is read to the end
    speech: float | None = None  # the highest probability of speech in it, where it was looked for
    error: AudioError | None = None

    @property
    def is_done(self) -> bool:
        return self.error is not None or (self.duration is not None and len(self.segments) == self.num_pieces)


@dataclass(frozen=True)
class _Waiting:
    """A piece that waits for its batch."""

    recording: _Recording
    number: int
    piece: Piece
    seconds: float  # that it costs: those of its frames, which a padding front end makes more

    @property
    def start(self) -> float:
        """Seconds in the file at which it begins."""
        return self.recording.source.offset + self.piece.start / SAMPLE_RATE


class Recognizer:
    """A speech system ready to transcribe.

    system: model, front end and vocabulary
    beam: hypotheses kept by the search, 1 for greedy; the model's own default where None
    precision: 'float32'; 'bfloat16', which narrows the system's weights; or 'auto', bfloat16 where the machine is made
        for it
    find_speech: transcribe only where the detector hears somebody; without, recordings are cut at their pauses alone
    word_times: also say when each word was said, which costs one more pass of the decoder
    repair: search a second time where the first ran in circles, was cut off or left sound out
    hotwords: words and phrases that are expected, as they shall be written
    """

    def __init__(
        self,
        system: SpeechSystem,
        *,
        beam: int | None = None,
        device: str = "cpu",
        precision: str = "float32",
        find_speech: bool = True,
        word_times: bool = True,
        repair: bool = True,
        hotwords: Sequence[str] = (),
    ) -> None:
        search = system.config.search if beam is None else system.config.search.model_copy(update={"beam": beam})
        self.system = system
        self.device = torch.device(device)
        system.model.to(self.device).eval()
        system.front_end.to(self.device).eval()
        self._bfloat16 = prefers_bfloat16(precision, device=self.device)
        if self._bfloat16:
            narrow(system.model)
        self._find_speech, self._word_times, self._repair = find_speech, word_times, repair
        expected = build_hotwords(hotwords, system.vocabulary, bonus=search.hotword_bonus)
        self._search = search.build(system.model, system.token_rules, hotwords=expected)
        with_ctc = system.model.ctc_head is not None and system.token_rules.blank_token is not None
        self._safe_search = search.model_copy(
            update={
                "beam": max(search.beam, SAFE_BEAM),
                "forbid_loops": True,
                "ctc_weight": max(search.ctc_weight, SAFE_CTC_WEIGHT if with_ctc else 0.0),
            }
        ).build(system.model, system.token_rules, hotwords=expected)

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
            source = replace(source_of(audio), channel=channel)
        ((_, result),) = self.transcribe_many([source])
        if isinstance(result, AudioError):
            raise result
        return result

    def transcribe_many(self, audio: Iterable[str | Path | Source]) -> Iterator[tuple[Source, Transcript | AudioError]]:
        """Transcribe recordings in order; what cannot be read comes back as its AudioError."""
        recordings: deque[_Recording] = deque()
        waiting: list[_Waiting] = []
        for item in audio:
            recording = _Recording(source_of(item))
            recordings.append(recording)
            for piece in self._pieces(recording):
                waiting.append(piece)
                if sum(one.seconds for one in waiting) >= BATCH_SECONDS:
                    self._recognize_all(waiting)
                    waiting = []
                    yield from self._finished(recordings)
        self._recognize_all(waiting)
        yield from self._finished(recordings)

    def _pieces(self, recording: _Recording) -> Iterator[_Waiting]:
        """Read a recording and give its pieces; what stops it is kept as its error."""
        pieces = Pieces(recording.source.blocks(), max_seconds=MAX_PIECE_SECONDS, find_speech=self._find_speech)
        try:
            for number, piece in enumerate(pieces):
                recording.num_pieces = number + 1
                frames = self.system.front_end.lengths(torch.tensor([len(piece.samples)]))
                seconds = int(frames) * self.system.front_end.frame_shift_seconds
                yield _Waiting(recording, number, piece, seconds)
        except AudioError as error:
            recording.error = error
            return
        recording.duration = pieces.num_samples / SAMPLE_RATE
        recording.speech = pieces.speech if self._find_speech else None

    def _finished(self, recordings: deque[_Recording]) -> Iterator[tuple[Source, Transcript | AudioError]]:
        """Take off and give what is done, in order."""
        while recordings and recordings[0].is_done:
            recording = recordings.popleft()
            yield recording.source, recording.error or self._transcript(recording)

    def _recognize_all(self, waiting: Sequence[_Waiting]) -> None:
        """Group pieces of like length, so that a batch is at most so many seconds of frames, padding included."""
        batch: list[_Waiting] = []
        for one in sorted(waiting, key=lambda one: one.seconds):
            if batch and one.seconds * (len(batch) + 1) > BATCH_SECONDS:
                self._recognize(batch)
                batch = []
            batch.append(one)
        if batch:
            self._recognize(batch)

    def _recognize(self, batch: Sequence[_Waiting]) -> None:
        found = self._segments([one.piece for one in batch], [one.start for one in batch], self._search)
        for one, segment in zip(batch, found, strict=True):
            doubted = self._repair and any(name in segment.flags for name in REPAIRED)
            one.recording.segments[one.number] = self._second(one, segment) if doubted else [segment]

    def _second(self, one: _Waiting, first: Segment) -> Sequence[Segment]:
        """Cut a piece elsewhere and search it with safer settings; the first result stays unless its fault is gone."""
        seconds = len(one.piece.samples) / SAMPLE_RATE
        cuts = cut_at_silences(one.piece.samples, max_seconds=max(seconds * SAFE_SHARE, SAFE_SECONDS))
        pieces = [Piece(one.piece.start + cut.start, one.piece.samples[cut.start : cut.end]) for cut in cuts]
        found = self._segments(pieces, [one.start + cut.start / SAMPLE_RATE for cut in cuts], self._safe_search)
        if any(name in segment.flags for segment in found for name in REPAIRED):
            return [first]
        return [replace(segment, repaired=first.flags) for segment in found]

    @torch.inference_mode()
    def _segments(self, pieces: Sequence[Piece], starts: Sequence[float], search: Search) -> list[Segment]:
        """Search a batch of pieces that begin at these seconds of their files."""
        sounds = [torch.from_numpy(piece.samples) for piece in pieces]
        samples = pad_sequence(sounds, batch_first=True).to(self.device)
        sample_lengths = torch.tensor([len(sound) for sound in sounds], device=self.device)
        features, feature_lengths = self.system.front_end(samples, sample_lengths)
        sound_frames = self.system.front_end.sound_lengths(sample_lengths)
        sound_lengths = self.system.model.encoder.output_lengths(sound_frames)
        seconds = [len(sound) / SAMPLE_RATE for sound in sounds]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            encoder_out, encoder_lengths = self.system.model.encode(features, feature_lengths)
            hypotheses = search(encoder_out, encoder_lengths, sound_lengths=sound_lengths)
            words: list[tuple[Word, ...]] = [()] * len(pieces)
            if self._word_times:
                words = timed_words(
                    self.system,
                    hypotheses,
                    encoder_out,
                    encoder_lengths,
                    sound_lengths=sound_lengths,
                    starts=starts,
                    frame_seconds=[each / int(length) for each, length in zip(seconds, sound_lengths, strict=True)],
                )
        ends = [start + each for start, each in zip(starts, seconds, strict=True)]
        return [self._segment(*each) for each in zip(hypotheses, starts, ends, words, strict=True)]

    def _segment(self, hypothesis: Hypothesis, start: float, end: float, words: tuple[Word, ...]) -> Segment:
        flags: dict[str, float] = {flag.name: flag.value for flag in hypothesis.flags}
        # what a model writes while it doubts that anybody speaks, and is not sure of, is invented
        tokens = () if "no_speech" in flags else hypothesis.tokens
        return Segment(
            start=start,
            end=end,
            text=self.system.vocabulary.decode(tokens).strip(),
            words=words if tokens else (),
            confidence=mean_probability(hypothesis),
            flags=flags,
        )

    def _transcript(self, recording: _Recording) -> Transcript:
        assert recording.duration is not None, "it was read to the end"
        segments = [segment for number in range(recording.num_pieces) for segment in recording.segments[number]]
        if not segments and recording.speech is not None:
            start = recording.source.offset
            silent = {"no_speech": 1.0 - recording.speech}
            segments = [Segment(start=start, end=start + recording.duration, text="", flags=silent)]
        return Transcript(
            segments=tuple(segments),
            duration=recording.duration,
            audio_path=str(recording.source.path) if recording.source.path else None,
            model=self.system.name,
            time_source="attention" if any(segment.words for segment in segments) else None,
        )


def load(
    model: str | Path = "en",
    *,
    beam: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    find_speech: bool = True,
    word_times: bool = True,
    repair: bool = True,
    hotwords: Sequence[str] = (),
) -> Recognizer:
    """Load a shipped model by its name, or any model directory, ready to transcribe.

    device: 'auto' takes a GPU where there is one; precision: 'auto' takes bfloat16 where the machine is made for it
    find_speech: transcribe only where the detector hears somebody; word_times: say when each word was said
    repair: search a second time where the first search failed visibly; hotwords: words that are expected
    Raises CheckpointError if there is no such model or it is damaged.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return Recognizer(
        load_model(model),
        beam=beam,
        device=device,
        precision=precision,
        find_speech=find_speech,
        word_times=word_times,
        repair=repair,
        hotwords=hotwords,
    )
