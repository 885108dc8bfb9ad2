"""From a recording to a transcript: read, cut, extract features, encode, search, join.

Recordings are read ahead, in threads, while others are recognised. Their pieces are gathered and put into batches of
like length by total duration, so that many short files are as quick as one long one. A recording that cannot be read
becomes an error in its place; the others go on.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.audio import SAMPLE_RATE, cut_at_silences
from asr_s2s.errors import AudioError
from asr_s2s.features import WhisperConfig
from asr_s2s.files import printable
from asr_s2s.model_store import LanguageSystem, SpeechSystem, WordNgram
from asr_s2s.recognizer.advisers import build_advisers
from asr_s2s.recognizer.ahead import ReadAhead
from asr_s2s.recognizer.given import Given, source_of, sources_of
from asr_s2s.recognizer.memory import give_back
from asr_s2s.recognizer.options import Options, device_of, survive_forks
from asr_s2s.recognizer.pieces import Piece, Pieces
from asr_s2s.recognizer.precision import narrow, prefers_bfloat16
from asr_s2s.recognizer.source import Source
from asr_s2s.recognizer.waiting import Recording, Waiting, groups
from asr_s2s.recognizer.words import Aligned, aligned, time_source, token_attention
from asr_s2s.search import Hypothesis, Search, mean_probability
from asr_s2s.transcripts import Segment, Transcript

MAX_PIECE_SECONDS = 30.0
LEAST_SECONDS = 0.025  # a frame of the front end
# Between stretches of speech that make one piece, beside their margins: pauses of up to 0.9 s. Longer ones part
# sentences and speakers, of whom one may get lost.
GAP_SECONDS = 0.3
PADDED_GAP_SECONDS = 1.0  # for a model that is as slow on a short piece as on a long one
GATHER_SECONDS = 480.0  # of sound, from which batches of like length are made
BATCH_SECONDS = 80.0  # of frames that are searched at once
ENCODED_SECONDS = 40.0  # of frames that are encoded at once: more do not fit the processor's cache
READERS = 2
REPAIRED = ("loop", "truncated", "low_coverage")
SAFE_BEAM, SAFE_CTC_WEIGHT = 5, 0.3
SAFE_SHARE, SAFE_SECONDS = 0.6, 2.0  # a piece that failed is cut in two, if it is longer than that


class Recognizer:
    """A speech system ready to transcribe.

    system: model, front end and vocabulary
    beam: hypotheses kept by the search, 1 for greedy; the model's own default where None
    device: 'cpu', 'cuda', 'cuda:1', or 'auto', a GPU where there is one
    precision: 'float32'; 'bfloat16', which narrows the system's weights; or 'auto', bfloat16 where the machine is made
        for it
    find_speech: transcribe only where the detector hears somebody; without, recordings are cut at their pauses alone
    word_times: also say when each word was said, which costs one more pass of the decoder
    repair: search a second time where the first ran in circles, was cut off or left sound out
    hotwords: words and phrases that are expected, as they shall be written
    language_model: whose opinion counts search.language_weight beside the model's own
    Raises ConfigError for a value that cannot be, a device that is not there, hot words that the model cannot write, or
        a language model of another vocabulary
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
        language_model: LanguageSystem | WordNgram | None = None,
    ) -> None:
        options = Options.checked(
            beam=beam,
            precision=precision,
            find_speech=find_speech,
            word_times=word_times,
            repair=repair,
            hotwords=hotwords,
        )
        search = system.config.search if beam is None else system.config.search.model_copy(update={"beam": beam})
        self.system = system
        self.device = device_of(str(device))
        survive_forks()
        system.model.to(self.device).eval()
        system.front_end.to(self.device).eval()
        self._bfloat16 = prefers_bfloat16(precision, device=self.device)
        if self._bfloat16:
            narrow(system.model)
        self._find_speech, self._word_times, self._repair = find_speech, word_times, repair
        features = system.config.features
        self._pads = isinstance(features, WhisperConfig) and features.pad_to_seconds is not None
        advisers = build_advisers(system, hotwords=options.hotwords, language_model=language_model, device=self.device)
        self._search = search.build(system.model, system.token_rules, advisers=advisers)
        with_ctc = system.model.ctc_head is not None and system.token_rules.blank_token is not None
        self._safe_search = search.model_copy(
            update={
                "beam": max(search.beam, SAFE_BEAM),
                "forbid_loops": True,
                "ctc_weight": max(search.ctc_weight, SAFE_CTC_WEIGHT if with_ctc else 0.0),
            }
        ).build(system.model, system.token_rules, advisers=advisers)

    def transcribe(self, audio: Given, *, sample_rate: float | None = None, channel: int | None = None) -> Transcript:
        """Transcribe one recording: a path, the bytes of a file, an open file, or samples with their sample_rate.

        Samples are an array, a tensor or a list, (time,), (time, channel) or (channel, time); whole numbers are scaled
        by the range of their type. channel: one alone, counted from 1; None mixes them.
        Raises AudioError that names the file if it cannot be read or holds only silence.
        """
        ((_, result),) = self.transcribe_many([source_of(audio, sample_rate=sample_rate, channel=channel)])
        if isinstance(result, AudioError):
            raise result
        return result

    def segments(
        self, audio: Given, *, sample_rate: float | None = None, channel: int | None = None
    ) -> Iterator[Segment]:
        """Transcribe one recording as transcribe does, but give each segment as soon as it and all before it are there.

        Raises AudioError as transcribe does, after the segments before the damage.
        """
        recordings: deque[Recording] = deque()
        given = 0  # pieces
        for _ in self._steps([source_of(audio, sample_rate=sample_rate, channel=channel)], recordings):
            (recording,) = recordings
            while given in recording.segments:
                yield from recording.segments[given]
                given += 1
            if recording.error is not None:
                raise recording.error

    def transcribe_many(
        self, audio: Iterable[Given], *, in_order: bool = True
    ) -> Iterator[tuple[Source, Transcript | AudioError]]:
        """Transcribe recordings or utterances; what cannot be read comes back as its AudioError.

        in_order: without, each is given as soon as it is done, whatever comes before it
        Raises ConfigError where one recording was given, not several.
        """
        recordings: deque[Recording] = deque()
        for _ in self._steps(sources_of(audio), recordings):
            for recording in [one for one in recordings if one.is_done]:
                if in_order and recording is not recordings[0]:
                    break
                recordings.remove(recording)
                yield recording.source, recording.error or self._transcript(recording)

    def _steps(self, sources: Iterable[Source], recordings: deque[Recording]) -> Iterator[None]:
        """Work through recordings, which are put at the end of a queue; stop for a look at it whenever some went on."""
        waiting: list[Waiting] = []
        read_ahead = ReadAhead(self._pieces, cost=Waiting.cost, limit=GATHER_SECONDS, threads=READERS)
        for recording, pieces in read_ahead(map(Recording, sources)):
            recordings.append(recording)
            for piece in pieces:
                waiting.append(piece)
                if sum(one.seconds for one in waiting) >= GATHER_SECONDS:
                    yield from self._recognize_all(waiting)
                    waiting = []
                    give_back()
        yield from self._recognize_all(waiting)
        yield

    def _pieces(self, recording: Recording) -> Iterator[Waiting]:
        """Read a recording and give its pieces; what stops it is kept as its error."""
        pieces = Pieces(
            recording.source.blocks(),
            max_seconds=MAX_PIECE_SECONDS,
            find_speech=self._find_speech,
            gap_seconds=PADDED_GAP_SECONDS if self._pads else GAP_SECONDS,
        )
        try:
            for number, piece in enumerate(pieces):
                recording.num_pieces = number + 1
                frames = self.system.front_end.lengths(torch.tensor([len(piece.samples)]))
                seconds = int(frames) * self.system.front_end.frame_shift_seconds
                yield Waiting(recording, number, piece, seconds)
        except AudioError as error:
            recording.error = error
            return
        recording.duration = pieces.num_samples / SAMPLE_RATE
        recording.speech = pieces.speech if self._find_speech else None

    def _recognize_all(self, waiting: Sequence[Waiting]) -> Iterator[None]:
        """Group pieces of like length, so that a batch is at most so many seconds of frames; stop after each."""
        by_length = sorted(waiting, key=lambda one: one.seconds)
        for first, end in groups([one.seconds for one in by_length], BATCH_SECONDS):
            self._recognize(by_length[first:end])
            yield

    def _recognize(self, batch: Sequence[Waiting]) -> None:
        found = self._segments([one.piece for one in batch], [one.start for one in batch], self._search)
        for one, segment in zip(batch, found, strict=True):
            doubted = self._repair and any(name in segment.flags for name in REPAIRED)
            one.recording.segments[one.number] = self._second(one, segment) if doubted else [segment]

    def _second(self, one: Waiting, first: Segment) -> Sequence[Segment]:
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
        seconds = [len(piece.samples) / SAMPLE_RATE for piece in pieces]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            encoder_out, encoder_lengths, sound_lengths = self._encoded(pieces)
            hypotheses = search(encoder_out, encoder_lengths, sound_lengths=sound_lengths)
            told = [Aligned()] * len(pieces)
            if self._word_times:
                told = aligned(
                    self.system,
                    hypotheses,
                    encoder_out,
                    encoder_lengths,
                    sound_lengths=sound_lengths,
                    starts=starts,
                    frame_seconds=[
                        each / max(int(length), 1) for each, length in zip(seconds, sound_lengths, strict=True)
                    ],
                )
        ends = [start + each for start, each in zip(starts, seconds, strict=True)]
        return [self._segment(*each) for each in zip(hypotheses, starts, ends, told, strict=True)]

    @torch.inference_mode()
    def looked_at(self, samples: NDArray[np.float32], text: str) -> tuple[Tensor, list[str], Tensor | None]:
        """Give what the model hears of a piece, and where it looks for each token of a text, as a picture shows it.

        samples: (time,) at 16 kHz
        returns: features (time, mel), the tokens' texts, attention (token, time') on the piece alone, or None
        """
        tokens = self.system.vocabulary.encode(text)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            encoder_out, encoder_lengths, sound_lengths = self._encoded([Piece(0, samples)])
            attention = token_attention(self.system, [tokens], encoder_out, encoder_lengths) if tokens else None
        lengths = torch.tensor([len(samples)], device=self.device)
        features, _ = self.system.front_end(torch.from_numpy(samples)[None].to(self.device), lengths)
        sound = features[0, : int(self.system.front_end.sound_lengths(lengths))]
        labels = [self.system.vocabulary.decode([token]) for token in tokens]
        return sound.cpu(), labels, None if attention is None else attention[0, :, : int(sound_lengths)].cpu()

    def _encoded(self, pieces: Sequence[Piece]) -> tuple[Tensor, Tensor, Tensor]:
        """Encode pieces, a few of like length at once: little padding, and what is computed stays in the cache.

        returns: encoder_out (batch, time', channel), encoder_lengths and sound_lengths (batch,)
        """
        sounds = [torch.from_numpy(piece.samples) for piece in pieces]
        frames = self.system.front_end.lengths(torch.tensor([len(sound) for sound in sounds]))
        seconds = (frames * self.system.front_end.frame_shift_seconds).tolist()
        outputs: list[Tensor] = []
        lengths, sound_lengths = [], []
        for first, end in groups(seconds, ENCODED_SECONDS):
            samples = pad_sequence(sounds[first:end], batch_first=True).to(self.device)
            sample_lengths = torch.tensor([len(sound) for sound in sounds[first:end]], device=self.device)
            features, feature_lengths = self.system.front_end(samples, sample_lengths)
            encoded, encoded_lengths = self.system.model.encode(features, feature_lengths)
            outputs.extend(encoded)
            lengths.append(encoded_lengths)
            sound_frames = self.system.front_end.sound_lengths(sample_lengths)
            sound_lengths.append(self.system.model.encoder.output_lengths(sound_frames))
        return pad_sequence(outputs, batch_first=True), torch.cat(lengths), torch.cat(sound_lengths)

    def _segment(self, hypothesis: Hypothesis, start: float, end: float, told: Aligned) -> Segment:
        flags: dict[str, float] = {flag.name: flag.value for flag in hypothesis.flags}
        if told.coverage is not None and told.coverage < self.system.config.search.min_coverage:
            flags["low_coverage"] = told.coverage
        # what a model writes of less than a frame, or while it doubts that anybody speaks and is not sure, is invented
        tokens = () if "no_speech" in flags or end - start < LEAST_SECONDS else hypothesis.tokens
        return Segment(
            start=start,
            end=end,
            text=self.system.vocabulary.decode(tokens).strip(),
            words=told.words if tokens else (),
            confidence=mean_probability(hypothesis),
            flags=flags,
        )

    def _transcript(self, recording: Recording) -> Transcript:
        assert recording.duration is not None, "it was read to the end"
        segments = [segment for number in range(recording.num_pieces) for segment in recording.segments[number]]
        if not segments and recording.speech is not None:
            start = recording.source.offset
            silent = {"no_speech": 1.0 - recording.speech}
            segments = [Segment(start=start, end=start + recording.duration, text="", flags=silent)]
        return Transcript(
            segments=tuple(segments),
            duration=recording.duration,
            audio_path=printable(recording.source.path) if recording.source.path else None,
            model=self.system.name,
            time_source=time_source(self.system) if any(segment.words for segment in segments) else None,
        )
