"""Word n-gram models in the files of KenLM: ARPA, or its own binary form.

Heafield 2011: Heafield, "KenLM: faster and smaller language model queries", WMT 2011.
"""

import gzip
import itertools
import math
import re
import zlib
from pathlib import Path
from typing import Any

from asr_s2s.errors import CheckpointError, MissingExtraError

NATS = math.log(10)  # KenLM gives logarithms to the base 10
HEAD_BYTES = 4096  # in which an ARPA file counts its n-grams
LEAST_BYTES = 4  # of an n-gram's line: a digit, a tab, a letter, the line's end
MOST_COMPRESSION = 1032  # by which gzip can shorten a file at most
COUNT = re.compile(r"ngram +(\d) *= *(\d{1,12})")
BINARY = b"mmap lm http://kheafield.com/code format version"


class WordNgram:
    """A word n-gram model; a word is looked up as it is written, or in lower or upper case where only that is known."""

    def __init__(self, path: Path) -> None:
        _check_counts(path)
        try:
            import kenlm  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError(f"{path} is read by KenLM: pip install 'asr-s2s[ngram]'.") from error
        quietly = kenlm.Config()
        quietly.show_progress = False
        quietly.arpa_complain = kenlm.ARPALoadComplain.NONE
        try:
            self._model = kenlm.Model(str(path), quietly)
        except (OSError, RuntimeError, ValueError, MemoryError) as error:  # ValueError: of a message that is no UTF-8
            raise _foreign(path) from error
        self._new_state = kenlm.State

    def start(self) -> Any:
        """Return the state before the first word."""
        state = self._new_state()
        self._model.BeginSentenceWrite(state)
        return state

    def word(self, word: str, state: Any) -> tuple[float, Any]:
        """Return the log probability of the next word, in nats, and the state after it."""
        known = next((form for form in (word, word.lower(), word.upper()) if form in self._model), word)
        return self._score(known, state)

    def end(self, state: Any) -> float:
        """Return the log probability that the text ends here, in nats."""
        return self._score("</s>", state)[0]

    def _score(self, word: str, state: Any) -> tuple[float, Any]:
        after = self._new_state()
        return NATS * self._model.BaseScore(state, word, after), after


def _check_counts(path: Path) -> None:
    """Raise CheckpointError for a file that is no model, or counts more n-grams than it can hold: KenLM believes it."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        size = path.stat().st_size
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path) as unpacked:
                head = unpacked.read(HEAD_BYTES)
            size *= MOST_COMPRESSION
    except (OSError, EOFError, zlib.error) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}). Check the path, or copy the file again.") from error
    if head.startswith(BINARY):
        return
    counts = _counts(head.decode("ascii", "replace"))
    if not counts:
        raise _foreign(path)
    if sum(counts) * LEAST_BYTES > size:
        raise CheckpointError(f"{path}: counts {sum(counts):,} n-grams, more than it can hold. Make or copy it again.")


def _counts(head: str) -> list[int]:
    """Return how many n-grams of each order an ARPA file promises; none where it is not written as KenLM reads it."""
    lines = head.lstrip().split("\n")
    header = [line.rstrip() for line in itertools.takewhile(lambda line: not line.startswith("\\1-grams:"), lines[1:])]
    found = [COUNT.fullmatch(line) for line in header if line]
    orders = [int(each[1]) for each in found if each]
    in_order = all(found) and orders == list(range(1, len(orders) + 1))
    return [int(each[2]) for each in found if each] if lines[0].rstrip() == "\\data\\" and in_order else []


def _foreign(path: Path) -> CheckpointError:
    return CheckpointError(
        f"{path}: is no n-gram model that KenLM can read. Give an ARPA file, or one that build_binary made."
    )
