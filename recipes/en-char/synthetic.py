"""Clear speech of many words: texts of dictionaries, quotations and books, spoken by synthetic voices, no two alike.

usage: synthetic.py OUTPUT --dictionaries FOLDER --quotations FOLDER --words TEXT --books TEXT... [--hours 12]
       [--exclude MANIFEST...] [--voices flite espeak-ng piper hibari]

Voices: see voices.py. Debian: dict-wn, dict-gcide, dict-foldoc, dict-jargon, dict-devil, fortunes, r-cran-janeaustenr
(Rscript -e 'writeLines(janeaustenr::austen_books()$text)' > austen.txt). WORDS is what recipes/en/text.py wrote.
OUTPUT/manifest.jsonl lists the clips; what is there is not said again. OUTPUT/texts.txt has all texts, a line each, the
spoken ones among them. What MANIFEST says is in neither.

Recordings alone hold 15,000 different words, and a decoder that writes letters has to learn how each is spelled.
"""

import argparse
import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from voices import ENGINES

from asr_s2s.audio import SAMPLE_RATE, audio_duration, write_audio
from asr_s2s.files import write_text
from asr_s2s.manifest import Utterance, read_manifest, write_manifest
from asr_s2s.pool import in_processes

SENTENCE = re.compile(r"(?<=[.!?\"] )[A-Z][a-z']*(?:[,;:]? [A-Za-z][a-z'-]+|[,;:]? [aI](?= )){3,30}[.!?]")
EXAMPLE = re.compile(r'"([a-z][a-z\']*(?:,? [A-Za-z][a-z\'-]+|,? [aI](?= )){2,20})"')  # WordNet's
MEANING = re.compile(r" \d{0,2}: ([a-z][a-z ,'-]{15,120}?) ?(?=[;\[])")
COMMON = 60_000  # words, by how often they are used
TOGETHER = 6  # of them at most in one clip
SECONDS_A_CHARACTER = 0.065


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--dictionaries", type=Path, required=True)
    parser.add_argument("--quotations", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--books", type=Path, nargs="+", required=True)
    parser.add_argument("--exclude", type=Path, nargs="*", default=[])
    parser.add_argument(
        "--voices",
        nargs="+",
        choices=ENGINES,
        default=["flite", "espeak-ng"],
        help="drawn evenly; one may be named twice",
    )
    parser.add_argument("--hours", type=float, default=12.0, help="of each of five kinds of text, where it has as many")
    arguments = parser.parse_args()
    folder: Path = arguments.output / "audio"
    folder.mkdir(parents=True, exist_ok=True)
    left_out = {letters(item.text or "") for manifest in arguments.exclude for item in read_manifest(manifest)}
    chosen: dict[str, str] = {}  # text to kind
    found: set[str] = set()
    for kind, texts in kinds(arguments).items():
        new = sorted({text for text in texts if letters(text) not in left_out} - found, key=digest)
        found.update(new)
        chosen |= dict.fromkeys(up_to(new, seconds=3600 * arguments.hours), kind)
    write_text(arguments.output / "texts.txt", "".join(f"{text}\n" for text in sorted(found, key=digest)))
    orders = ((folder, arguments.voices, text, kind) for text, kind in chosen.items())
    clips = list(in_processes(speak, orders, jobs=2, died="A process died while it spoke; start again to go on."))
    write_manifest(arguments.output / "manifest.jsonl", clips)
    for kind in dict.fromkeys(chosen.values()):
        seconds = sum(clip.duration or 0 for clip in clips if clip.extra["kind"] == kind)
        print(f"{kind}: {sum(one == kind for one in chosen.values())} clips, {seconds / 3600:.1f} hours")


def kinds(arguments: argparse.Namespace) -> dict[str, Iterator[str]]:
    """Give the texts of each kind."""
    dictionaries = {
        file.stem: one_line(gzip.decompress(file.read_bytes()).decode("utf-8", "replace"))
        for file in sorted(arguments.dictionaries.glob("*.dict.dz"))
    }
    quotations = [file for file in sorted(arguments.quotations.iterdir()) if file.is_file() and not file.suffix]
    nets = [text for name, text in dictionaries.items() if name.startswith("wn")]
    return {
        "examples": (as_sentence(found) for text in nets for found in EXAMPLE.findall(text)),
        "meanings": (as_sentence(found) for text in nets for found in MEANING.findall(text)),
        "dictionaries": (found for text in dictionaries.values() for found in SENTENCE.findall(text)),
        "books": sentences([*arguments.books, *quotations]),
        "words": groups(arguments.words),
    }


def sentences(files: Sequence[Path]) -> Iterator[str]:
    for file in files:
        yield from SENTENCE.findall(one_line(file.read_text("utf-8", "replace")))


def groups(path: Path) -> Iterator[str]:
    """Put the common words together, a few at a time: each is said once, wherever it is seldom written."""
    lines = path.read_text(encoding="utf-8").splitlines()
    counts = Counter(line for line in lines if re.fullmatch(r"[A-Za-z][a-z'-]+", line))
    words = sorted((word for word, _ in counts.most_common(COMMON)), key=digest)
    draw = np.random.default_rng(0)
    while words:
        size = int(draw.integers(1, TOGETHER + 1))
        yield as_sentence(draw.choice([" ", ", "]).join(words[:size]))
        words = words[size:]


def one_line(text: str) -> str:
    return " ".join(text.split())


def as_sentence(text: str) -> str:
    text = text.strip()
    return f"{text[0].upper()}{text[1:]}."


def letters(text: str) -> str:
    return "".join(filter(str.isalpha, text.lower()))


def up_to(texts: list[str], *, seconds: float) -> Iterator[str]:
    """Give texts until about so many seconds are full."""
    for text in texts:
        seconds -= SECONDS_A_CHARACTER * len(text)
        if seconds < 0:
            return
        yield text


def speak(order: tuple[Path, Sequence[str], str, str]) -> Utterance:
    """Let a voice say a text; whose, its pace and its pitch are drawn by the text."""
    folder, voices, text, kind = order
    path = folder / f"spoken-{digest(text)}.flac"
    draw = np.random.default_rng(int(digest(text), 16))
    voice = str(draw.choice(voices))
    if not path.exists():
        write_audio(path, ENGINES[voice](text, draw), sample_rate=SAMPLE_RATE)
    return Utterance(path.stem, path, text=text, duration=audio_duration(path), speaker=voice, extra={"kind": kind})


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


if __name__ == "__main__":
    main()
