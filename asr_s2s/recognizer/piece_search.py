"""What is done with pieces, many at once: encode, search, say when each word was said, recover what was lost, flag."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from asr_s2s.audio import SAMPLE_RATE
from asr_s2s.engine import Encoding, TokenRules
from asr_s2s.recognizer.external_scorers import build_external_scorers
from asr_s2s.recognizer.languages import detector_of, given_language, rules_of
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import TRANSCRIBE, DecodeOptions
from asr_s2s.recognizer.recovery import FAULTS, Found, recovered, segments_of
from asr_s2s.recognizer.segmenter import Piece, SpokenLanguage
from asr_s2s.recognizer.words import TimedWord, timed_words
from asr_s2s.search import Hypothesis, Search, build_search, mean_probability
from asr_s2s.transcripts import Segment

LEAST_SECONDS = 0.025  # a frame of the front end
SAFE_BEAM, SAFE_CTC_WEIGHT, SAFE_LENGTH_NORMALIZATION = 5, 0.3, 1.0


@dataclass(frozen=True)
class _Searches:
    """The first search of pieces in one language, and the safer one of what it lost."""

    rules: TokenRules
    first: Search
    second: Search


@dataclass(frozen=True)
class _Tried:
    """What was found in one language; merit: by which it is compared with what was found in another."""

    found: Found
    merit: tuple[bool, float]


class PieceSearch:
    """Recognises pieces as some options say.

    Raises ConfigError for hot words that the model cannot write, a language model of another vocabulary, or a
        language, a task or a prompt that the model has no place for
    """

    def __init__(self, model: ReadyModel, options: DecodeOptions) -> None:
        self._model, self._options = model, options
        self._language, self._detector = given_language(model, options), detector_of(model, options)
        self._scorers = build_external_scorers(model, options)
        self._by_language: dict[str | None, _Searches] = {}
        self._searches(None if self._language is None else self._language.code)  # what cannot be is said now

    def _searches(self, language: str | None) -> _Searches:
        """Return the searches for a language, made once; None: that of the model's own start tokens."""
        if language not in self._by_language:
            self._by_language[language] = self._built(language)
        return self._by_language[language]

    def _built(self, language: str | None) -> _Searches:
        model, options = self._model, self._options
        rules = rules_of(model, options, language)
        search = model.search if options.beam is None else model.search.model_copy(update={"beam": options.beam})
        with_ctc = model.engine.has_ctc and rules.blank_token is not None
        safe = search.model_copy(
            update={
                "beam": max(search.beam, SAFE_BEAM),
                "forbid_loops": True,
                "length_normalization": max(search.length_normalization, SAFE_LENGTH_NORMALIZATION),
                "ctc_weight": max(search.ctc_weight, SAFE_CTC_WEIGHT if with_ctc else 0.0),
            }
        )
        first, second = (build_search(model.engine, rules, config, scorers=self._scorers) for config in (search, safe))
        return _Searches(rules, first, second)

    def __call__(self, pieces: Sequence[Piece]) -> list[list[Segment]]:
        """Return the segments of each piece, in seconds of its recording's samples."""
        found = self._found(pieces)
        parts = [[each] for each in found]
        if self._options.repair:
            parts = recovered(found, partial(self._found, again=True))
        most = self._model.search.max_lost_seconds
        return [segments_of(its_parts, max_lost_seconds=most) for its_parts in parts]

    def _found(self, pieces: Sequence[Piece], *, again: bool = False) -> list[Found]:
        """Search a batch of pieces, those of each language together; again: what a first search lost."""
        encoding = self._model.engine.encode([piece.samples for piece in pieces])
        by_language: dict[str | None, list[tuple[int, Piece]]] = {}
        for row, piece in self._with_languages(pieces, encoding):
            by_language.setdefault(None if piece.language is None else piece.language.code, []).append((row, piece))
        found: dict[int, _Tried] = {}
        for language, tried in by_language.items():
            rows = [row for row, _ in tried]
            part = encoding if rows == list(range(len(pieces))) else encoding.pick(rows)
            searched = self._searched([piece for _, piece in tried], part, self._searches(language), again=again)
            for row, one in zip(rows, searched, strict=True):
                if row not in found or one.merit > found[row].merit:
                    found[row] = one
        return [found[row].found for row in range(len(pieces))]

    def _with_languages(self, pieces: Sequence[Piece], encoding: Encoding) -> Iterator[tuple[int, Piece]]:
        """Note the language of each piece that has none yet: the given one, or those between which the model doubts.

        returns: pairs of a row of the encoding and its piece
        """
        unknown = [row for row, piece in enumerate(pieces) if piece.language is None]
        languages: dict[int, Sequence[SpokenLanguage | None]] = {row: [self._language] for row in unknown}
        if self._detector is not None and unknown:
            part = encoding if len(unknown) == len(pieces) else encoding.pick(unknown)
            languages = dict(zip(unknown, self._detector.languages(part), strict=True))
        for row, piece in enumerate(pieces):
            for language in languages.get(row, [piece.language]):
                yield row, replace(piece, language=language)

    def _searched(
        self, pieces: Sequence[Piece], encoding: Encoding, searches: _Searches, *, again: bool
    ) -> list[_Tried]:
        """Search pieces of one language, and say when each word was said; those of a translation have no time."""
        hypotheses = (searches.second if again else searches.first)(encoding)
        words = None
        if self._options.task == TRANSCRIBE:
            words = timed_words(
                self._model,
                hypotheses,
                encoding,
                searches.rules,
                starts=[piece.start / SAMPLE_RATE for piece in pieces],
                seconds=[piece.seconds for piece in pieces],
            )
        words_of = words if words is not None else [None for _ in pieces]
        return [
            _Tried(self._result(piece, hypothesis, its_words), _merit(piece, hypothesis))
            for piece, hypothesis, its_words in zip(pieces, hypotheses, words_of, strict=True)
        ]

    def _result(self, piece: Piece, hypothesis: Hypothesis, words: Sequence[TimedWord] | None) -> Found:
        start, seconds = piece.start / SAMPLE_RATE, piece.seconds
        flags: dict[str, float] = {flag.name: flag.value for flag in hypothesis.flags}
        # what a model writes of less than a frame, or while it doubts that anybody speaks and is not sure, is invented
        is_invented = "no_speech" in flags or seconds < LEAST_SECONDS
        words = () if is_invented and words is not None else words
        segment = Segment(
            start=start,
            end=start + seconds,
            text="" if is_invented else self._model.vocabulary.decode(hypothesis.tokens).strip(),
            words=tuple(each.word for each in words or ()),
            confidence=mean_probability(hypothesis),
            flags=flags,
            language=None if piece.language is None else piece.language.code,
            language_probability=None if piece.language is None else piece.language.probability,
        )
        return Found(piece, segment, None if words is None else tuple(words))


def _merit(piece: Piece, hypothesis: Hypothesis) -> tuple[bool, float]:
    """Return whether a hypothesis has no fault, and the log probability of language and text together."""
    probability = None if piece.language is None else piece.language.probability
    is_faulty = any(flag.name in FAULTS for flag in hypothesis.flags)
    return not is_faulty, hypothesis.score + math.log(probability or 1.0)
