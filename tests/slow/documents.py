"""The commands and blocks of the documents, and a folder in which they can be run."""

import contextlib
import io
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from asr_s2s.audio import SAMPLE_RATE, read_audio
from asr_s2s.manifest import read_manifest, write_manifest

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
DOCUMENTS = [*PAGES, *TUTORIALS, *sorted((ROOT / "recipes").glob("*/README.md"))]
# a block of commands or of Python, and the block of its output where one follows at once
BLOCK = re.compile(r"```(?P<language>bash|python)\n(?P<code>.*?)```(?:\n```text\n(?P<output>.*?)```)?", re.DOTALL)
VERSIONS = re.compile(r"\(whisper-normalizer [\d.]+\)")
QUICK = [
    "training.epochs=1",
    "training.plots=false",
    "training.graphs=false",
    "training.minutes=null",
    "training.dev_utterances=2",
]
QUICK_LANGUAGE = [
    "training.epochs=1",
    "training.graphs=false",
    "model={kind: lstm, embedding: 16, channels: 16, layers: 1}",
]


@dataclass(frozen=True)
class Block:
    """A block of a document, with what stands below it as its output."""

    document: Path
    language: str
    code: str
    output: str

    @property
    def commands(self) -> list[str]:
        """List the lines of the block, without comments."""
        lines = [re.sub(r"\s+#.*", "", line).strip() for line in self.code.replace("\\\n", " ").splitlines()]
        return [line for line in lines if line and not line.startswith("#")]


def blocks(document: Path) -> list[Block]:
    text = document.read_text(encoding="utf-8")
    return [Block(document, each["language"], each["code"], each["output"] or "") for each in BLOCK.finditer(text)]


def arguments(line: str) -> list[str]:
    """Split a command into what follows its name, with files for the words that stand for them."""
    named = line.replace("REFERENCE", "reference.jsonl").replace("HYPOTHESIS", "system-a.jsonl")
    return list(expanded(shlex.split(named)[1:]))


def expanded(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        yield from [str(path) for path in sorted(Path().glob(word))] if "*" in word else [word]


def quick(words: list[str]) -> list[str]:
    """Shorten a training, and let a document's second run replace its first."""
    if words[0] != "train" or "--find-batch" in words:
        return words
    changes = QUICK_LANGUAGE if "conf/language_model.yaml" in words else QUICK
    output = Path(words[words.index("--output") + 1]) if "--output" in words else None
    again = ["--overwrite"] if output and output.exists() and "--resume" not in words else []
    return [*words, *changes, "--threads", "1", *again]


def furnish(folder: Path) -> None:
    """Put what the documents name into a folder: recordings, manifests, lists, tables."""
    (folder / "tests").symlink_to(ROOT / "tests")
    shutil.copytree(ROOT / "conf", folder / "conf")
    items = {item.id: item for item in read_manifest(DATA / "manifest.jsonl")}
    english = [items[name] for name in items if not name.startswith("de_")]
    short = [item for item in english if (item.duration or 0) < 3.5]
    for name in ("talks", "more", "my_recordings", "corrected"):
        (folder / name).mkdir()
    for item in english[:2]:
        shutil.copy(item.audio_path, folder / "talks")
        (folder / "corrected" / f"{item.id}.txt").write_text(f"{item.text}\n")
    for place in (folder, folder / "more"):
        shutil.copy(english[2].audio_path, place / "talk.mp3")
    samples = read_audio(english[1].audio_path)
    soundfile.write(folder / "call.wav", np.stack([samples, samples[::-1]], axis=1), SAMPLE_RATE)
    for item in short:
        shutil.copy(item.audio_path, folder / "my_recordings")
        (folder / "my_recordings" / f"{item.id}.txt").write_text(f"{item.text}\n")
    (folder / "names.txt").write_text("Aurora Borealis\n")
    (folder / "sentences.txt").write_text("".join(f"{item.text}\n" for item in short) + "set red by a two now\n" * 4)
    for target, source in (("reference", "reference"), ("system-a", "en-beam1"), ("system-b", "en-beam5")):
        lines = (DATA / "scoring" / "systems" / f"{source}.jsonl").read_text().splitlines(keepends=True)
        (folder / f"{target}.jsonl").write_text("".join(lines[:20]))
    manifests = {
        "mine": short,
        "others": english[:2],
        "unlabelled": [replace(item, id=f"u-{item.id}", text=None, words=None) for item in english[:3]],
        "data/grid/train/manifest": short[:4],
        "data/digits/train/manifest": short[4:],
        "data/mine/train": short,
        "data/mine/test": [replace(item, id=f"t-{item.id}") for item in short[:2]],
    }
    for name, utterances in manifests.items():
        (folder / f"{name}.jsonl").parent.mkdir(parents=True, exist_ok=True)
        write_manifest(folder / f"{name}.jsonl", utterances)
    sets = "train: [data/mine/train.jsonl], dev: [data/mine/test.jsonl], batch_seconds: 20"
    (folder / "mine.yaml").write_text(f"data: {{{sets}}}\n")


def printed_by(block: Block, names: dict[str, object]) -> str:
    """Run a block of Python, with the names of those before it, and return what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(block.code, names)  # noqa: S102 - our own documents
    return printed.getvalue()
