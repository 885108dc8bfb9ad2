"""A large English text to choose byte pairs by: how often words are used, quotations, and what people read aloud.

Needs, in the environment of asr-s2s: pip install wordfreq (its list joins Wikipedia, subtitles, news, books, the web).

usage: text.py OUTPUT [--quotations FOLDER] [--dictionaries FOLDER] [--manifests MANIFEST...]

A word stands on a line of its own as often as in ten million words, with the capital that it has within the sentences
of the dictionaries (Debian: dict-wn, dict-gcide, dict-foldoc, dict-jargon); the list itself knows none. Quotations
(Debian: fortunes) and the texts of manifests, training sets alone, bring punctuation; the latter count twenty times:
they are few and the nearest to what the model will write. Numbers up to a hundred, hundreds, and the years of a century
are added.
"""

import argparse
import gzip
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from wordfreq import get_frequency_dict

from asr_s2s.files import write_text
from asr_s2s.manifest import read_manifest

WORDS = 10_000_000
TIMES = 20
NUMBERS = [*range(101), *range(100, 1001, 100), *range(1900, 2031)]
NUMBER_TIMES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--quotations", type=Path)
    parser.add_argument("--dictionaries", type=Path)
    parser.add_argument("--manifests", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    lines = [
        *common_words(capitals(arguments.dictionaries) if arguments.dictionaries else {}),
        *(quotations(arguments.quotations) if arguments.quotations else ()),
        *[text for manifest in arguments.manifests for text in spoken(manifest)] * TIMES,
        *[str(number) for number in NUMBERS] * NUMBER_TIMES,
    ]
    write_text(arguments.output, "".join(f"{line}\n" for line in lines if line))
    print(f"{arguments.output}: {len(lines)} lines, {sum(len(line.split()) for line in lines) / 1e6:.1f} million words")


def common_words(capitals: dict[str, float]) -> Iterator[str]:
    """Repeat each word by its frequency; one that the dictionaries lack is most likely a name.

    Any word may begin a sentence, or be all of it: it is counted with a capital at least once.
    """
    for word, frequency in get_frequency_dict("en", wordlist="large").items():
        if re.fullmatch(r"[a-z][a-z'-]*", word):
            share = min(max(capitals.get(word, 0.7), 0.15), 0.98)
            yield from [word] * round(frequency * WORDS * (1 - share))
            yield from [word[0].upper() + word[1:]] * math.ceil(frequency * WORDS * share - 0.1)


def capitals(folder: Path) -> dict[str, float]:
    """Give the share of each word's uses that begin with a capital, within sentences."""
    small: Counter[str] = Counter()
    large: Counter[str] = Counter()
    for file in sorted(folder.glob("*.dict.dz")):
        text = " ".join(gzip.decompress(file.read_bytes()).decode("utf-8", "replace").split())
        for word in re.findall(r"(?<=[a-z,;] )[A-Za-z']+", text):
            (large if word[0].isupper() else small)[word.lower()] += 1
    return {word: large[word] / (large[word] + small[word]) for word in large.keys() | small.keys()}


def quotations(folder: Path) -> Iterator[str]:
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.suffix:
            for quotation in file.read_text("utf-8", "replace").split("\n%\n"):
                yield " ".join(quotation.split())


def spoken(manifest: Path) -> Iterator[str]:
    """Give the cased texts: capitals alone (speechocean762) are not how the model writes."""
    for utterance in read_manifest(manifest):
        if utterance.text and not utterance.text.isupper():
            yield utterance.text


if __name__ == "__main__":
    main()
