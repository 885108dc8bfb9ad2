"""How often words and phrases stand in a text, whatever their capitals and the signs around them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from asr_s2s.transcripts.scripts import breakable


class Phrases:
    """Words and phrases to count, found in one pass however many they are."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(phrases))
        self._by_first: defaultdict[str, list[tuple[list[str], str]]] = defaultdict(list)
        for name in self.names:
            if tokens := _tokens(name):
                self._by_first[tokens[0]].append((tokens, name))

    def count(self, text: str) -> Counter[str]:
        """Count each phrase in a text; one within another counts too."""
        tokens = _tokens(text)
        return Counter(
            name
            for place, token in enumerate(tokens)
            for wanted, name in self._by_first.get(token, ())
            if tokens[place : place + len(wanted)] == wanted
        )


def _tokens(text: str) -> list[str]:
    return [part for word in re.findall(r"\w+", text.casefold()) for part in breakable(word)]
