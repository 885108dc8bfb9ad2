"""Running counts of one system: no text stays in memory but those of the worst utterances so far."""

import heapq
from array import array
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from asr_s2s.scoring.align import Edits, edit_counts, words_of, written_out
from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.groups import FLAGS, FlagGroups, Groups
from asr_s2s.scoring.keywords import KeywordCounts
from asr_s2s.scoring.options import Settings
from asr_s2s.scoring.ranking import Ranking
from asr_s2s.scoring.report import Counts, RuleEffect, ScoredUtterance
from asr_s2s.scoring.sclite_costs import Edit
from asr_s2s.scoring.segment_flags import SegmentFlags
from asr_s2s.scoring.sources import Text
from asr_s2s.scoring.word_classes import WordClasses
from asr_s2s.text.marks import loses_marks
from asr_s2s.text.normalizers import Normalizer

NUM_WORST = 20
SPEAKER = "speaker"


Prepared = tuple[Sequence[str], list[str]]  # a text after each rule of the normalizer, and its words in the end


def prepared(text: str, normalizer: Normalizer) -> Prepared:
    """Normalise a text and cut it."""
    stages = normalizer.stages(text)
    return stages, words_of(stages[-1] if stages else text)


class _Rows:
    """A growing table of eight counts an utterance: four of words, four of characters."""

    def __init__(self, edits: Edits) -> None:
        self._edits = edits
        self._counts = array("i")

    def add(self, said: list[str], heard: list[str]) -> list[Edit]:
        """Count the errors of two texts in words and in characters; give the edits of the words."""
        said_characters = " ".join(said)
        if said == heard:
            self._counts.extend((0, 0, 0, len(said), 0, 0, 0, len(said_characters)))
            return []
        heard_characters = " ".join(heard)
        edits, character_edits = self._edits(said, heard), self._edits(said_characters, heard_characters)
        self._counts.extend(
            edit_counts(edits, len(said), len(heard))
            + edit_counts(character_edits, len(said_characters), len(heard_characters))
        )
        return edits

    @property
    def tables(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the counts of words and of characters: (utterance, 4) each."""
        both = np.frombuffer(self._counts, np.int32).reshape(-1, 8)
        return both[:, :4], both[:, 4:]


class Tally:
    """Counts pairs of one system, as the settings say."""

    def __init__(self, settings: Settings) -> None:
        normalizer = settings.normalizer
        self.normalizer, self.edits, self.keep = normalizer, settings.edits, settings.options.keep_utterances
        self.raw, self.normalised = _Rows(settings.edits), _Rows(settings.edits)
        self.rule_errors = [[0, 0] for _ in normalizer.rules]  # errors and reference length after each
        self.groups = [Groups(field) for field in settings.group_by if field != FLAGS]
        self.speakers = Groups(SPEAKER)
        self.flags, self.segment_flags = FlagGroups(), SegmentFlags(normalizer)
        self.known_fields: set[str] = set()
        self.keywords = KeywordCounts(settings.keywords, normalizer) if settings.keywords else None
        self.classes = WordClasses()
        self.empty: list[str] = []
        self.emptied: list[str] = []
        self.stripped: dict[str, list[str]] = {}  # by the rule that removed marks: whose
        self.confusions: Ranking[tuple[str | None, str | None]] = Ranking()
        # The smallest stays on top; the order of the input settles ties, so that no two entries compare utterances.
        self.worst: list[tuple[int, float, int, ScoredUtterance]] = []
        self.utterances: list[ScoredUtterance] = []
        self.places = array("q")
        self.texts: list[tuple[str, str]] | None = [] if settings.options.bleu else None

    def add(self, place: int, reference: Text, reference_prepared: Prepared, hypothesis: Text | None) -> list[Edit]:
        """Count one pair, a missing hypothesis as an empty one; give the edits of its normalised words."""
        self.places.append(place)
        heard = hypothesis.text if hypothesis else ""
        # Equal texts are the commonest case, and a normalizer costs more than the alignment.
        stages, said = reference_prepared
        other_stages, other = reference_prepared if heard == reference.text else prepared(heard, self.normalizer)
        if self.texts is not None:
            self.texts.append((reference.text, heard))
        edits = self.normalised.add(said, other)
        if hypothesis and hypothesis.labels:
            self.flags.add(len(self.places) - 1, hypothesis.labels)
            self.segment_flags.add(hypothesis.labels, other, edits)
        if self.normalizer.rules:
            self.raw.add(words_of(reference.text), words_of(heard))
            self._count_rules(stages, other_stages)
            self._note_stripped(reference.id, (reference.text, *stages), (heard, *other_stages))
        self._count_labels(reference, hypothesis, len(said))
        self.classes.add(reference.text, said)
        if self.keywords:
            self.keywords.add(said, other)
        if not said:
            (self.emptied if reference.text.strip() else self.empty).append(reference.id)
        if edits:
            self._count_confusions(said, other, edits)
        if edits or self.keep:
            self._keep(reference, hypothesis, said, other, edits)
        return edits

    def _count_rules(self, references: Sequence[str], hypotheses: Sequence[str]) -> None:
        before, errors, length = None, 0, 0
        for counts, texts in zip(self.rule_errors, zip(references, hypotheses, strict=True), strict=True):
            if texts != before:  # most rules change nothing in most texts
                words, heard = map(words_of, texts)
                errors = len(self.edits(words, heard)) if words != heard else 0
                length = len(words)
            before = texts
            counts[0] += errors
            counts[1] += length

    def _note_stripped(self, name: str, references: Sequence[str], hypotheses: Sequence[str]) -> None:
        """Note whose vowel signs or accents a rule removed from either side."""
        for rule, said, heard in zip(self.normalizer.rules, pairwise(references), pairwise(hypotheses), strict=True):
            if loses_marks(*said) or loses_marks(*heard):
                self.stripped.setdefault(rule.name, []).append(name)

    def _count_labels(self, reference: Text, hypothesis: Text | None, num_words: int) -> None:
        labels, at = reference.labels, len(self.places) - 1
        if hypothesis and hypothesis.labels:
            labels = {**hypothesis.labels, **labels}
        if not labels:
            return
        for groups in (self.speakers, *self.groups):
            groups.add(at, labels, num_words)
        if self.groups:
            self.known_fields.update(labels)

    def _count_confusions(self, reference: list[str], hypothesis: list[str], edits: Sequence[Edit]) -> None:
        self.confusions.update(
            [
                (None if tag == "insert" else reference[place], None if tag == "delete" else hypothesis[other])
                for tag, place, other in edits
            ]
        )

    def _keep(
        self, reference: Text, hypothesis: Text | None, said: list[str], heard: list[str], edits: Sequence[Edit]
    ) -> None:
        key = (len(edits), len(edits) / len(said) if said else float("inf"), -len(self.places))
        among_worst = bool(edits) and (len(self.worst) < NUM_WORST or key > self.worst[0][:3])
        if not (self.keep or among_worst):
            return
        scored = ScoredUtterance(
            id=reference.id,
            words=ErrorRate(*edit_counts(edits, len(said), len(heard))),
            alignment=written_out(said, heard, edits),
            reference=reference.text,
            hypothesis=hypothesis.text if hypothesis else None,
            labels=reference.labels,
            hypothesis_labels=hypothesis.labels if hypothesis else {},
        )
        if among_worst:
            heapq.heappush(self.worst, (*key, scored))
            if len(self.worst) > NUM_WORST:
                heapq.heappop(self.worst)
        if self.keep:
            self.utterances.append(scored)

    def counts(self) -> Counts:
        """Return the errors of every utterance."""
        places = np.frombuffer(self.places, np.int64)
        speakers = self.speakers.codes(len(places)) if self.speakers.known else None
        normalised = self.normalised.tables
        raw = self.raw.tables if self.normalizer.rules else normalised
        return Counts(places, speakers, *raw, *normalised)

    def rule_effects(self) -> tuple[RuleEffect, ...]:
        """Return the word errors after each rule of the normalizer."""
        pairs = zip(self.normalizer.rules, self.rule_errors, strict=True)
        return tuple(RuleEffect(rule.name, errors, length) for rule, (errors, length) in pairs)
