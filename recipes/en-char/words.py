"""Words and pairs of words of a text as an ARPA file: at search time it tells words from misspellings.

usage: words.py TEXT OUTPUT.arpa

TEXT is what recipes/en/text.py wrote. Use: asr-s2s transcribe --model en-char --language-model OUTPUT.arpa AUDIO

Ney 1994: Ney, Essen, Kneser, "On structuring probabilistic dependences in stochastic language modelling", section 3
(absolute discounting).
"""

import argparse
import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

from asr_s2s.files import write_text
from asr_s2s.search.word_ngram import WORD

UNKNOWN = 1e-9  # share of each word that the text has not; the rarest of 10 million has a hundred times as much
DISCOUNT = 0.75  # of each pair's count, for the pairs that were not seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    with arguments.text.open(encoding="utf-8") as lines:
        for line in lines:
            found = WORD.findall(line)
            words.update(found)
            if len(found) > 1:  # a word alone on its line stands for its frequency, not for a sentence
                pairs.update(pairwise(["<s>", *found, "</s>"]))
    write_text(arguments.output, arpa(words, pairs))
    print(f"{arguments.output}: {len(words)} words, {len(pairs)} pairs")


def arpa(words: Counter[str], pairs: Counter[tuple[str, str]]) -> str:
    """Give the file's text: the share of each word, and of each pair after its first, backed off to its second."""
    total = words.total()
    shares = {"<unk>": UNKNOWN, "<s>": UNKNOWN, "</s>": 0.05} | {word: count / total for word, count in words.items()}
    followed: Counter[str] = Counter()
    followers: Counter[str] = Counter()
    for (first, _), count in pairs.items():
        followed[first] += count
        followers[first] += 1
    rest = {word: DISCOUNT * followers[word] / count for word, count in followed.items()}
    singles = [
        f"{math.log10(share):.4f}\t{word}\t{math.log10(rest.get(word, 1.0)):.4f}" for word, share in shares.items()
    ]
    doubles = [
        f"{math.log10((count - DISCOUNT) / followed[first] + rest[first] * shares[second]):.4f}\t{first} {second}"
        for (first, second), count in pairs.items()
    ]
    parts = [f"\\data\\\nngram 1={len(singles)}\nngram 2={len(doubles)}", "\\1-grams:\n" + "\n".join(singles)]
    return "\n\n".join([*parts, "\\2-grams:\n" + "\n".join(doubles), "\\end\\"]) + "\n"


if __name__ == "__main__":
    main()
