"""A model that is ready to run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from asr_s2s.decoding import SearchConfig
from asr_s2s.engine import Engine, LanguageEngine, TokenRules, token_rules
from asr_s2s.text import Vocabulary


@dataclass(frozen=True)
class ReadyModel:
    """A speech model that an engine runs, with its vocabulary and its decoding defaults.

    open_language: makes an engine of the same kind for a language model's folder
    lanes: batches that the engine computes at once, each in a thread of its own
    """

    name: str
    vocabulary: Vocabulary
    search: SearchConfig
    engine: Engine[Any]
    open_language: Callable[[Path], LanguageEngine[Any]]
    lanes: int = 1

    def with_search(self, **changes: Any) -> "ReadyModel":
        """Change decoding defaults; the engine stays."""
        return replace(self, search=self.search.model_copy(update=changes))

    @property
    def rules(self) -> TokenRules:
        """What a search must know of the vocabulary."""
        return token_rules(self.vocabulary)

    @property
    def time_source(self) -> Literal["attention", "ctc"]:
        """Where the words' times come from.

        An attention that is one alignment, an RNN decoder's or that of heads chosen for it, was the more exact source
        where both were measured (docs/decisions/0010); the mean of all heads of a Transformer is not such a one.
        """
        has_ctc = self.engine.has_ctc and self.vocabulary.blank_token is not None
        return "ctc" if has_ctc and not self.engine.aligns else "attention"
