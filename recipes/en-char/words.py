"""How often words are used, as an ARPA file: at search time it tells words from misspellings.

usage: words.py TEXT OUTPUT.arpa

TEXT is what recipes/en/text.py wrote. Use: asr-s2s transcribe --model en-char --language-model OUTPUT.arpa AUDIO
"""

import argparse
import math
from collections import Counter
from pathlib import Path

from asr_s2s.files import write_text
from asr_s2s.search.word_ngram import WORD

UNKNOWN = 1e-9  # share of each word that the text has not; the rarest of 10 million has a hundred times as much


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    with arguments.text.open(encoding="utf-8") as lines:
        counts = Counter(word for line in lines for word in WORD.findall(line))
    total = counts.total()
    entries = [("<unk>", UNKNOWN), ("<s>", 1.0), ("</s>", 1.0), *((word, n / total) for word, n in counts.items())]
    rows = "\n".join(f"{math.log10(share):.4f}\t{word}" for word, share in entries)
    write_text(arguments.output, f"\\data\\\nngram 1={len(entries)}\n\n\\1-grams:\n{rows}\n\n\\end\\\n")
    print(f"{arguments.output}: {len(counts)} words")


if __name__ == "__main__":
    main()
