"""What a teacher that writes byte pairs says of each next character of a text.

The next piece of a text is the start of what comes: a character is as probable as all pieces together that go on with
it, among those that begin with what of the piece stands already. So a learner that spells hears from a teacher that
knows words which of them could come, and not only which one came.
"""

from bisect import bisect_left
from dataclasses import dataclass

import torch
from torch import Tensor

from asr_s2s.text import BytePairVocabulary, CharacterVocabulary

LEAST = 1e-8  # the probability of a character that no piece goes on with: it has a logarithm
LAST = chr(0x10FFFF)  # sorts behind every string that begins alike


@dataclass(frozen=True)
class Branches:
    """Which characters follow a beginning, and where in the sorted pieces those stand that go on with each.

    characters: ids, a space's twice where a piece ends here; first, last: places, from `first` to before `last`; all
    (branch,)
    """

    characters: Tensor
    first: Tensor
    last: Tensor


class NextCharacters:
    """Turns scores of next pieces into probabilities of next characters."""

    def __init__(self, pieces: BytePairVocabulary, characters: CharacterVocabulary) -> None:
        """Take the teacher's vocabulary and the learner's."""
        self._teacher, self._learner = pieces, characters
        written = pieces.written
        self._order = torch.tensor(sorted((each for each, text in enumerate(written) if text), key=written.__getitem__))
        self._written = written
        self._sorted = [written[each] for each in self._order.tolist()]
        self._branches: dict[str, Branches] = {}

    def log_probs(self, logits: Tensor, text: str) -> Tensor | None:
        """Return the log probabilities (character + 1, character ids) of each character of a text and of its end.

        logits: (piece + 1, piece ids), what the teacher scores after each piece of the text
        returns: None for a text with characters that are cut by its pieces
        """
        tokens = self._teacher.encode(text)
        strings = [self._written[token] for token in tokens]
        if "".join(strings) != f" {text}":
            return None
        probabilities = logits.double().softmax(dim=1)
        sums = torch.nn.functional.pad(probabilities[:, self._order].cumsum(dim=1), (1, 0))
        rows = [
            self._row(sums[place], string[:done], probabilities[place, self._teacher.end_token])
            for place, string in enumerate([*strings, "e"])  # of what stands behind the last piece, one row: the end's
            for done in range(len(string))
            if place or done  # the space before the text is no character of it
        ]
        return torch.stack(rows).log().float()

    def _row(self, sums: Tensor, beginning: str, end: Tensor) -> Tensor:
        """Return the probabilities of what follows a beginning."""
        branches = self._following(beginning)
        row = torch.zeros(self._learner.size, dtype=torch.double)
        row.index_add_(0, branches.characters, sums[branches.last] - sums[branches.first])
        if not beginning:
            row[self._learner.end_token] += end
        return (row / row.sum().clamp(min=LEAST) + LEAST) / (1 + LEAST * len(row))

    def _following(self, beginning: str) -> Branches:
        if beginning not in self._branches:
            self._branches[beginning] = self._find(beginning)
        return self._branches[beginning]

    def _find(self, beginning: str) -> Branches:
        place = bisect_left(self._sorted, beginning)
        end = bisect_left(self._sorted, beginning + LAST)
        found: list[tuple[int, int, int]] = []
        first = place
        if place < end and self._sorted[place] == beginning:  # a piece that ends here: most often a space follows
            found += [(token, place, place + 1) for token in self._learner.spelled(" ")]
            first += 1
        while first < end:
            character = self._sorted[first][len(beginning)]
            last = bisect_left(self._sorted, beginning + character + LAST)
            found += [(token, first, last) for token in self._learner.spelled(character)]
            first = last
        columns = torch.tensor(found, dtype=torch.long).reshape(-1, 3)
        return Branches(columns[:, 0], columns[:, 1], columns[:, 2])
