"""From a recording to a transcript: read, cut, extract features, encode, search, join.

Recordings are read ahead, in threads, while others are recognised. Their pieces are gathered and put into batches of
like length by total duration, so that many short files are as quick as one long one. A recording that cannot be read
becomes an error in its place; the others go on.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.audio import SAMPLE_RATE
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
from asr_s2s.recognizer.recovery import Found, recovered, segments_of
from asr_s2s.recognizer.source import Source
from asr_s2s.recognizer.waiting import Recording, Waiting, groups
from asr_s2s.recognizer.words import TimedWord, time_source, timed_words, token_attention
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
SAFE_BEAM, SAFE_CTC_WEIGHT, SAFE_LENGTH_NORMALIZATION = 5, 0.3, 1.0


class Recognizer:
    """A speech system ready to transcribe.

    system: model, front end and vocabulary
    beam: hypotheses kept by the search, 1 for greedy; the model's own default where None
    device: 'cpu', 'cuda', 'cuda:1', or 'auto', a GPU where there is one
    precision: 'float32'; 'bfloat16', which narrows the system's weights; or 'auto', bfloat16 where the machine is made
        for it
    find_speech: transcribe only where the detector hears somebody; without, recordings are cut at their pauses alone
    repair: search again what ran in circles or was cut off, and where speech lies under no word
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
        repair: bool = True,
        hotwords: Sequence[str] = (),
        language_model: LanguageSystem | WordNgram | None = None,
    ) -> None:
        options = Options.checked(
            beam=beam,
            precision=precision,
            find_speech=find_speech,
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
        self._find_speech, self._repair = find_speech, repair
        features = system.config.features
        self._pads = isinstance(features, WhisperConfig) and features.pad_to_seconds is not None
        advisers = build_advisers(system, hotwords=options.hotwords, language_model=language_model, device=self.device)
        self._search = search.build(system.model, system.token_rules, advisers=advisers)
        with_ctc = system.model.ctc_head is not None and system.token_rules.blank_token is not None
        self._safe_search = search.model_copy(
            update={
                "beam": max(search.beam, SAFE_BEAM),
                "forbid_loops": True,
                "length_normalization": max(search.length_normalization, SAFE_LENGTH_NORMALIZATION),
                "ctc_weight": max(search.ctc_weight, SAFE_CTC_WEIGHT if with_ctc else 0.0),
            }
        ).build(system.model, system.token_rules, advisers=advisers)

    def transcribe(
        self,
        audio: Given,
        *,
        sample_rate: float | None = None,
        channel: int | None = None,
        track: int | None = None,
        strict: bool = False,
    ) -> Transcript:
        """Transcribe one recording: a path, the bytes of a file, an open file, or samples with their sample_rate.

        Samples are an array, a tensor or a list, (time,), (time, channel) or (channel, time); whole numbers are scaled
        by the range of their type. channel: one alone, counted from 1; None mixes them.
        Of a damaged file what can be decoded is transcribed, and `damage` says what is missing.
        track: the number of a sound track, counted from 1; None takes the best that is not silent
        strict: raise AudioError for a damaged file instead
        Raises AudioError that names the file if it cannot be read or holds only silence.
        """
        source = source_of(audio, sample_rate=sample_rate, channel=channel, track=track, strict=strict)
        ((_, result),) = self.transcribe_many([source])
        if isinstance(result, AudioError):
            raise result
        return result

    def segments(
        self,
        audio: Given,
        *,
        sample_rate: float | None = None,
        channel: int | None = None,
        track: int | None = None,
        strict: bool = True,
    ) -> Iterator[Segment]:
        """Transcribe one recording as transcribe does, but give each segment as soon as it and all before it are there.

        strict: raise AudioError for a damaged file, after the segments before the damage; without, go on behind it
        Raises AudioError as transcribe does.
        """
        recordings: deque[Recording] = deque()
        given = 0  # pieces
        source = source_of(audio, sample_rate=sample_rate, channel=channel, track=track, strict=strict)
        for _ in self._steps([source], recordings):
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
            recording.source.blocks(recording.findings),
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
        found = self._found([one.piece for one in batch], self._search)
        parts = [[each] for each in found]
        if self._repair:
            parts = recovered(found, partial(self._found, search=self._safe_search))
        most = self.system.config.search.max_lost_seconds
        for one, its_parts in zip(batch, parts, strict=True):
            segments = segments_of(its_parts, max_lost_seconds=most)
            one.recording.segments[one.number] = [each.later(one.recording.source.offset) for each in segments]

    @torch.inference_mode()
    def _found(self, pieces: Sequence[Piece], search: Search) -> list[Found]:
        """Search a batch of pieces."""
        seconds = [len(piece.samples) / SAMPLE_RATE for piece in pieces]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            encoder_out, encoder_lengths, sound_lengths = self._encoded(pieces)
            hypotheses = search(encoder_out, encoder_lengths, sound_lengths=sound_lengths)
            words = timed_words(
                self.system,
                hypotheses,
                encoder_out,
                encoder_lengths,
                sound_lengths=sound_lengths,
                starts=[piece.start / SAMPLE_RATE for piece in pieces],
                frame_seconds=[each / max(int(length), 1) for each, length in zip(seconds, sound_lengths, strict=True)],
            )
        told = words if words is not None else [None for _ in pieces]
        return [self._heard(*each) for each in zip(pieces, hypotheses, told, strict=True)]

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

    def _heard(self, piece: Piece, hypothesis: Hypothesis, words: Sequence[TimedWord] | None) -> Found:
        start, seconds = piece.start / SAMPLE_RATE, len(piece.samples) / SAMPLE_RATE
        flags: dict[str, float] = {flag.name: flag.value for flag in hypothesis.flags}
        # what a model writes of less than a frame, or while it doubts that anybody speaks and is not sure, is invented
        is_invented = "no_speech" in flags or seconds < LEAST_SECONDS
        words = () if is_invented and words is not None else words
        segment = Segment(
            start=start,
            end=start + seconds,
            text="" if is_invented else self.system.vocabulary.decode(hypothesis.tokens).strip(),
            words=tuple(each.word for each in words or ()),
            confidence=mean_probability(hypothesis),
            flags=flags,
        )
        return Found(piece, segment, None if words is None else tuple(words))

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
            damage=tuple(recording.findings.damage),
            notes=recording.findings.notes,
        )
