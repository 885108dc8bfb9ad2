"""What is done with pieces, many at once: encode, search, say when each word was said, recover what was lost, flag."""

from collections.abc import Sequence
from functools import partial

from asr_s2s.audio import SAMPLE_RATE
from asr_s2s.recognizer.external_scorers import build_external_scorers
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import DecodeOptions
from asr_s2s.recognizer.recovery import Found, recovered, segments_of
from asr_s2s.recognizer.segmenter import Piece
from asr_s2s.recognizer.words import TimedWord, timed_words
from asr_s2s.search import Hypothesis, Search, build_search, mean_probability
from asr_s2s.transcripts import Segment

LEAST_SECONDS = 0.025  # a frame of the front end
SAFE_BEAM, SAFE_CTC_WEIGHT, SAFE_LENGTH_NORMALIZATION = 5, 0.3, 1.0


class PieceSearch:
    """Recognises pieces as some options say.

    Raises ConfigError for hot words that the model cannot write, or a language model of another vocabulary
    """

    def __init__(self, model: ReadyModel, options: DecodeOptions) -> None:
        self._model, self._repair = model, options.repair
        scorers = build_external_scorers(model, options)
        search = model.search if options.beam is None else model.search.model_copy(update={"beam": options.beam})
        with_ctc = model.engine.has_ctc and model.rules.blank_token is not None
        safe = search.model_copy(
            update={
                "beam": max(search.beam, SAFE_BEAM),
                "forbid_loops": True,
                "length_normalization": max(search.length_normalization, SAFE_LENGTH_NORMALIZATION),
                "ctc_weight": max(search.ctc_weight, SAFE_CTC_WEIGHT if with_ctc else 0.0),
            }
        )
        self.first, self.second = (
            build_search(model.engine, model.rules, config, scorers=scorers) for config in (search, safe)
        )

    def __call__(self, pieces: Sequence[Piece]) -> list[list[Segment]]:
        """Give the segments of each piece, in seconds of its recording's samples."""
        found = self._found(pieces, self.first)
        parts = [[each] for each in found]
        if self._repair:
            parts = recovered(found, partial(self._found, search=self.second))
        most = self._model.search.max_lost_seconds
        return [segments_of(its_parts, max_lost_seconds=most) for its_parts in parts]

    def _found(self, pieces: Sequence[Piece], search: Search) -> list[Found]:
        """Search a batch of pieces."""
        encoding = self._model.engine.encode([piece.samples for piece in pieces])
        hypotheses = search(encoding)
        words = timed_words(
            self._model,
            hypotheses,
            encoding,
            starts=[piece.start / SAMPLE_RATE for piece in pieces],
            seconds=[piece.seconds for piece in pieces],
        )
        words_of = words if words is not None else [None for _ in pieces]
        return [self._result(*each) for each in zip(pieces, hypotheses, words_of, strict=True)]

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
        )
        return Found(piece, segment, None if words is None else tuple(words))
