"""Word n-gram models in the files of KenLM: ARPA, or its own binary form.

Heafield 2011: Heafield, "KenLM: faster and smaller language model queries", WMT 2011.
"""

import math
from pathlib import Path
from typing import Any

from asr_s2s.errors import CheckpointError, MissingExtraError

NATS = math.log(10)  # KenLM gives logarithms to the base 10


class WordNgram:
    """A word n-gram model; a word is looked up as it is written, or in lower or upper case where only that is known."""

    def __init__(self, path: Path) -> None:
        try:
            import kenlm  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError(f"{path} is read by KenLM: pip install 'asr-s2s[ngram]'.") from error
        quietly = kenlm.Config()
        quietly.show_progress = False
        quietly.arpa_complain = kenlm.ARPALoadComplain.NONE
        try:
            self._model = kenlm.Model(str(path), quietly)
        except (OSError, RuntimeError) as error:
            raise CheckpointError(
                f"{path}: is no n-gram model that KenLM can read. Give an ARPA file, or one that build_binary made."
            ) from error
        self._new_state = kenlm.State

    def start(self) -> Any:
        """Give the state before the first word."""
        state = self._new_state()
        self._model.BeginSentenceWrite(state)
        return state

    def word(self, word: str, state: Any) -> tuple[float, Any]:
        """Give the log probability of the next word, in nats, and the state after it."""
        known = next((form for form in (word, word.lower(), word.upper()) if form in self._model), word)
        return self._score(known, state)

    def end(self, state: Any) -> float:
        """Give the log probability that the text ends here, in nats."""
        return self._score("</s>", state)[0]

    def _score(self, word: str, state: Any) -> tuple[float, Any]:
        after = self._new_state()
        return NATS * self._model.BaseScore(state, word, after), after
