"""How wide a text is shown, and where it may be broken: between words, and in scripts without spaces almost anywhere.

The rules are those of Unicode's UAX 14 (line breaking) and UAX 11 (East Asian width), as far as captions need them.
"""

import re
import unicodedata
from itertools import pairwise

# Thai, Lao, Tibetan, Burmese, Khmer, kana, Chinese characters, full-width forms; Korean is written with spaces
UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff01-\uff9f\U00020000-\U0003ffff]"
)
# vowels that are written after their consonant (Thai, Lao), small kana, marks of length and repetition
NOT_FIRST = frozenset("ะาำๅๆฯະາຳໆーっゃゅょゎぁぃぅぇぉッャュョヮァィゥェォヵヶ々ゝゞヽヾ％〜～")
NOT_LAST = frozenset("เแโใไເແໂໃໄ\u1039\u17d2￥＄£")  # vowels written before their consonant; signs that join two


def display_width(text: str) -> int:
    """Count columns: two for wide characters, none for marks that go with another."""
    return sum(_columns(character) for character in text)


def breakable(word: str) -> list[str]:
    """Part a word where a line may end within it: nowhere, but in scripts without spaces."""
    if not UNSPACED.search(word):
        return [word]
    parts = [word[0]]
    for before, character in pairwise(word):
        if _may_break(before, character):
            parts.append(character)
        else:
            parts[-1] += character
    return parts


def joined(lines: list[str]) -> str:
    """Join lines of a text with spaces, but for those that ended within a word of a script without spaces."""
    text = ""
    for line in filter(None, (" ".join(line.split()) for line in lines)):
        is_within = bool(text and UNSPACED.match(text[-1]) and UNSPACED.match(line))
        text += line if is_within or not text else f" {line}"
    return text


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _may_break(before: str, after: str) -> bool:
    if not (UNSPACED.match(before) or UNSPACED.match(after)):
        return False
    first, second = unicodedata.category(before), unicodedata.category(after)
    opens = ("Ps", "Pi")
    is_mark = second[0] in "MP" and second not in opens  # which goes with what stands before it
    return not (is_mark or first in opens or after in NOT_FIRST or before in NOT_LAST)
