"""From a recording to a transcript: read, cut into pieces, recognise them in batches, join.

Recordings are read ahead, in threads, while others are recognised. A recording that cannot be read becomes an error in
its place; the others go on.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE
from asr_s2s.engine import Attention
from asr_s2s.errors import AudioError, ConfigError
from asr_s2s.memory import trim_memory
from asr_s2s.recognizer.ahead import ReadAhead
from asr_s2s.recognizer.audio_input import AudioInput, source_of, sources_of
from asr_s2s.recognizer.batcher import Batcher, PieceResult
from asr_s2s.recognizer.languages import LanguageDetector, check_language, detector_of, rules_of
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import EACH, MANIFEST, DecodeOptions
from asr_s2s.recognizer.segmenter import Piece, Segmenter, SpokenLanguage
from asr_s2s.recognizer.source import AudioSource
from asr_s2s.recognizer.transcription import OnProgress, Transcription
from asr_s2s.text.languages import language_code
from asr_s2s.transcripts import Segment, Transcript

MAX_PIECE_SECONDS = 30.0
# Between stretches of speech that make one piece, beside their margins: pauses of up to 0.9 s. Longer ones part
# sentences and speakers, of whom one may get lost.
GAP_SECONDS = 0.3
PADDED_GAP_SECONDS = 1.0  # for a model that is as slow on a short piece as on a long one
# Of sound, from which batches of like length are made. The first words come soon, as the first groups are small.
FIRST_GROUP_SECONDS, GROUP_SECONDS = 80.0, 480.0
READERS = 2


class Recognizer:
    """A speech model ready to transcribe.

    model: in an engine, see load
    options: how it recognises unless a call says otherwise
    Raises ConfigError for hot words that the model cannot write, a language model of another vocabulary, or a
        language, a task or a prompt that the model has no place for, and CheckpointError where there is no such
        language model
    """

    def __init__(self, model: ReadyModel, options: DecodeOptions = DecodeOptions()) -> None:  # noqa: B008 - frozen
        self.model, self._options = model, options
        self._batcher = Batcher(model)
        self._batcher.check(options)  # what cannot be is said before any work

    def __repr__(self) -> str:
        """Name the model, and the options that differ from their defaults."""
        chosen = self._options.model_dump(exclude_defaults=True).items()
        return f"Recognizer({', '.join([repr(self.model.name), *(f'{name}={value!r}' for name, value in chosen)])})"

    def transcribe(
        self,
        audio: AudioInput,
        *,
        sample_rate: float | None = None,
        channel: int | None = None,
        track: int | None = None,
        strict: bool = False,
        options: DecodeOptions | None = None,
    ) -> Transcript:
        """Transcribe one recording.

        audio: a path, the bytes of a file, a file opened with 'rb', an Utterance, or samples: an array, a tensor or a
            list of shape (time,), (time, channel) or (channel, time), floats in [-1, 1] or whole numbers, which are
            scaled by the range of their type
        sample_rate: of samples, in Hz
        channel: one channel, counted from 1; None mixes all
        track: a sound track, counted from 1; None takes the best that is not silent
        strict: raise AudioError for a damaged file; without, what can be decoded is transcribed, and `damage` of the
            transcript says what is missing
        options: for this recording alone
        Raises AudioError that names the file if it cannot be read or holds only silence.

        >>> import asr_s2s, numpy
        >>> model = asr_s2s.load("commands")
        >>> model.transcribe(numpy.zeros(16_000, numpy.float32) + 1e-3, sample_rate=16_000).flags.keys()
        dict_keys(['no_speech'])
        """
        source = source_of(audio, sample_rate=sample_rate, channel=channel, track=track, strict=strict)
        ((_, result),) = self.transcribe_many([source], options=options)
        if isinstance(result, AudioError):
            raise result
        return result

    def segments(
        self,
        audio: AudioInput,
        *,
        sample_rate: float | None = None,
        channel: int | None = None,
        track: int | None = None,
        strict: bool = True,
        options: DecodeOptions | None = None,
    ) -> Iterator[Segment]:
        """Transcribe one recording as transcribe does, but yield each segment as soon as it is recognised, in order.

        strict: raise AudioError for a damaged file, after the segments before the damage; without, go on after it
        Raises AudioError as transcribe does.
        """
        source = source_of(audio, sample_rate=sample_rate, channel=channel, track=track, strict=strict)
        transcription = Transcription(source)
        for _ in self._run([transcription], self._checked(options)):
            yield from transcription.new_segments()
        if transcription.error is not None:
            raise transcription.error

    def transcribe_many(
        self,
        audio: Iterable[AudioInput],
        *,
        in_order: bool = True,
        options: DecodeOptions | None = None,
        on_progress: OnProgress | None = None,
    ) -> Iterator[tuple[AudioSource, Transcript | AudioError]]:
        """Transcribe many recordings; yield each with its Transcript, or with the AudioError that it ended in.

        audio: what transcribe takes, any number of it; it is read ahead
        in_order: without, each is yielded as soon as it is done, whatever comes before it
        options: for these recordings alone
        on_progress: called with the new segments of a recording, once they and all before them are there; in order,
            they wait for the recordings before it too
        Raises ConfigError where one recording was given, not several.
        """
        begun: deque[Transcription] = deque()
        for new in self._run(map(Transcription, sources_of(audio)), self._checked(options)):
            begun.extend(new)
            for one in list(begun):
                if on_progress and (progress := one.progress()).segments:
                    on_progress(progress)
                if one.is_done:
                    begun.remove(one)
                    yield one.source, one.error or one.transcript(self.model)
                elif in_order:
                    break

    def _checked(self, options: DecodeOptions | None) -> DecodeOptions:
        if options is not None and not isinstance(options, DecodeOptions):
            kind = type(options).__name__
            raise ConfigError(f"options: is a {kind}. Give asr_s2s.DecodeOptions(beam=1), for example.")
        return options or self._options

    def _run(
        self, transcriptions: Iterable[Transcription], options: DecodeOptions
    ) -> Iterator[Sequence[Transcription]]:
        """Read recordings and have their pieces recognised, one group of pieces while the next is read.

        Stops whenever a recording was begun, which is given, or some pieces were recognised.
        """
        read = partial(self._read, options=options)
        detector = detector_of(self.model, options) if options.language != EACH else None
        read_ahead = ReadAhead(read, cost=lambda piece: piece.seconds, limit=GROUP_SECONDS, threads=READERS)
        group: list[tuple[Transcription, Piece]] = []
        waiting: list[PieceResult] = []
        # the language is decided by pieces that lie far apart, so that a long recording begins later
        seconds, full = 0.0, FIRST_GROUP_SECONDS if detector is None else GROUP_SECONDS
        try:
            for transcription, pieces in read_ahead(transcriptions):
                yield [transcription]
                for piece in pieces:
                    transcription.num_pieces += 1
                    group.append((transcription, piece))
                    seconds += piece.seconds
                    if seconds >= full:
                        while 2 * len(waiting) > len(group):
                            waiting = _after_some(waiting)
                            yield []
                        begun = [] if detector is None else _undecided(group)
                        waiting += self._submit(group[: len(group) - len(begun)], options, detector)
                        group, full = begun, min(2 * full, GROUP_SECONDS)
                        seconds = sum(piece.seconds for _, piece in group)
                        trim_memory()
                transcription.is_read = True
            waiting += self._submit(group, options, detector)
            while waiting:
                waiting = _after_some(waiting)
                yield []
            yield []
        finally:
            for result in waiting:
                result.cancel()

    def _submit(
        self, group: Sequence[tuple[Transcription, Piece]], options: DecodeOptions, detector: LanguageDetector | None
    ) -> list[PieceResult]:
        if detector is not None:
            _decide_languages(group, detector)
        pieces = [replace(piece, language=transcription.language) for transcription, piece in group]
        results = self._batcher.submit_many(pieces, options)
        for (transcription, _), result in zip(group, results, strict=True):
            transcription.results.append(result)
        return results

    def _read(self, transcription: Transcription, *, options: DecodeOptions) -> Iterator[Piece]:
        """Read a recording and cut it; what stops the reading is kept as its error."""
        segmenter = Segmenter(
            max_seconds=MAX_PIECE_SECONDS,
            find_speech=options.find_speech,
            gap_seconds=GAP_SECONDS if self.model.engine.window_seconds is None else PADDED_GAP_SECONDS,
        )
        try:
            if options.language == MANIFEST:
                transcription.language = self._labelled(transcription.source)
            for block in transcription.source.blocks(transcription.findings):
                yield from segmenter.push(block)
            yield from segmenter.finish()
        except AudioError as error:
            transcription.error = error
            return
        transcription.duration = segmenter.num_samples / SAMPLE_RATE
        transcription.speech = segmenter.speech

    def _labelled(self, source: AudioSource) -> SpokenLanguage | None:
        """Return the language of a manifest's line, for a model that is told one. Raises AudioError for an unknown."""
        if source.language is None or len(self.model.vocabulary.language_tokens) < 2:
            return None
        try:
            code = language_code(source.language)
            check_language(self.model, code)
        except (ValueError, ConfigError) as error:
            raise AudioError(f"{source.name}: {error} It is the language of the manifest's line.") from error
        return SpokenLanguage(code)

    def features_and_attention(
        self, samples: NDArray[np.float32], text: str, *, language: str | None = None
    ) -> tuple[NDArray[np.float32], list[str], Attention | None]:
        """Return the features of a piece, and the attention of each token of a text to it, as a picture shows them.

        samples: (time,) at 16 kHz; language: by its code, for a model of several
        returns: features (time, mel), the tokens' texts, attention (token, time') on the piece alone, or None
        """
        tokens = self.model.vocabulary.encode(text)
        attention = None
        if tokens:
            rules = rules_of(self.model, self._options, language)
            attention = self.model.engine.attention(self.model.engine.encode([samples]), [tokens], rules)
        labels = [self.model.vocabulary.decode([token]) for token in tokens]
        return self.model.engine.features(samples), labels, None if attention is None else attention[0]


def _after_some(results: Sequence[PieceResult]) -> list[PieceResult]:
    """Wait until some are done, and return the others. Raises what stopped their recognition."""
    done, others = wait(results, return_when=FIRST_COMPLETED)
    for result in done:
        result.result()
    return [result for result in results if result in others]


def _undecided(group: Sequence[tuple[Transcription, Piece]]) -> list[tuple[Transcription, Piece]]:
    """Return the last pieces of a group, if more of their recording has to be read before its language is decided."""
    last = group[-1][0]
    own = [pair for pair in group if pair[0] is last]
    is_enough = last.language is not None or sum(piece.seconds for _, piece in own) >= GROUP_SECONDS
    return [] if is_enough else own


def _decide_languages(group: Sequence[tuple[Transcription, Piece]], detector: LanguageDetector) -> None:
    """Decide the language of each recording that has none yet; that of a single piece shows when it is searched."""
    pieces: dict[Transcription, list[Piece]] = {}
    for transcription, piece in group:
        if transcription.language is None:
            pieces.setdefault(transcription, []).append(piece)
    for transcription, its_pieces in pieces.items():
        if len(its_pieces) > 1:
            transcription.language = detector.language_of(its_pieces)
