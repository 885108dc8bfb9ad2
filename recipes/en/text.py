"""A large English text to choose byte pairs by: dictionaries and quotations, and what people read to recorders.

usage: text.py OUTPUT [--dictionaries FOLDER] [--quotations FOLDER] [--manifests MANIFEST...] [--times 10]

FOLDER of dictionaries holds *.dict.dz (Debian: dict-wn, dict-gcide, dict-foldoc, dict-jargon, dict-devil), that of
quotations the files of fortunes. Texts of manifests, training sets alone, count as often as --times says: they are
little beside the rest and nearest to what the model will write.
"""

import argparse
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from asr_s2s.files import write_text
from asr_s2s.manifest import read_manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--dictionaries", type=Path)
    parser.add_argument("--quotations", type=Path)
    parser.add_argument("--manifests", type=Path, nargs="*", default=[])
    parser.add_argument("--times", type=int, default=10)
    arguments = parser.parse_args()
    lines = [
        *(dictionary_entries(arguments.dictionaries) if arguments.dictionaries else ()),
        *(quotations(arguments.quotations) if arguments.quotations else ()),
        *[text for manifest in arguments.manifests for text in spoken(manifest)] * arguments.times,
    ]
    write_text(arguments.output, "".join(f"{line}\n" for line in lines if line))
    print(f"{arguments.output}: {len(lines)} lines, {sum(len(line.split()) for line in lines) / 1e6:.1f} million words")


def dictionary_entries(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.dict.dz")):
        text = gzip.decompress(file.read_bytes()).decode("utf-8", "replace")
        for paragraph in re.split(r"\n\s*\n", text):
            yield " ".join(paragraph.split())


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
