"""Clear speech of many words: sentences of dictionaries and quotations, spoken by flite's voices, no two alike.

usage: synthetic.py OUTPUT --dictionaries FOLDER --quotations FOLDER [--hours 25]

Debian: flite, dict-wn, dict-gcide, dict-foldoc, dict-jargon, dict-devil, fortunes. OUTPUT/manifest.jsonl lists the
clips; what is there is not said again.
Recordings alone hold 15,000 different words, and a decoder that writes letters has to learn how each is spelled.
"""

import argparse
import gzip
import hashlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from asr_s2s.audio import SAMPLE_RATE, audio_duration, read_audio, write_audio
from asr_s2s.manifest import Utterance, write_manifest

VOICES = ("awb", "rms", "slt", "kal16")
SHARES = (0.3, 0.3, 0.3, 0.1)  # the last one is the oldest, put together from diphones
WORDS = r"(?:,? [A-Za-z][a-z'-]+| [AaI](?= )){3,20}"
SENTENCE = re.compile(rf"(?<=[.!?;:\"] )[A-Z][a-z']*{WORDS}[.!?]")
EXAMPLE = re.compile(rf'"([a-z][a-z\']*{WORDS})"')  # WordNet's
SECONDS_A_CHARACTER = 0.065


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--dictionaries", type=Path, required=True)
    parser.add_argument("--quotations", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=25.0)
    arguments = parser.parse_args()
    texts = sorted({*sentences(arguments.dictionaries, arguments.quotations)}, key=digest)
    folder: Path = arguments.output / "audio"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = list(up_to(texts, seconds=3600 * arguments.hours))
    with ThreadPoolExecutor(2) as pool:
        clips = list(pool.map(lambda text: speak(folder, text), chosen))
    write_manifest(arguments.output / "manifest.jsonl", clips)
    print(f"{len(clips)} clips, {sum(clip.duration or 0 for clip in clips) / 3600:.1f} hours")


def sentences(dictionaries: Path, quotations: Path) -> Iterator[str]:
    """Find whole sentences; an example of a dictionary begins without a capital and ends without a stop."""
    files = [*sorted(dictionaries.glob("*.dict.dz")), *sorted(quotations.iterdir())]
    for file in files:
        if file.suffix == ".dz":
            text = gzip.decompress(file.read_bytes()).decode("utf-8", "replace")
        elif file.is_file() and not file.suffix:
            text = file.read_text("utf-8", "replace")
        else:
            continue
        text = " ".join(text.split())
        yield from SENTENCE.findall(text)
        for example in EXAMPLE.findall(text):
            yield f"{example[0].upper()}{example[1:]}."


def up_to(texts: list[str], *, seconds: float) -> Iterator[str]:
    """Give texts until about so many seconds are full."""
    for text in texts:
        seconds -= SECONDS_A_CHARACTER * len(text)
        if seconds < 0:
            return
        yield text


def speak(folder: Path, text: str) -> Utterance:
    """Let a voice say a text; which one, its pace and its pitch are drawn by the text."""
    path = folder / f"flite-{digest(text)}.flac"
    draw = np.random.default_rng(int(digest(text), 16))
    voice = draw.choice(VOICES, p=SHARES)
    stretch, pitch = draw.uniform(0.8, 1.25), draw.uniform(85, 220)
    if not path.exists():
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            settings = ["--setf", f"duration_stretch={stretch:.2f}", "--setf", f"int_f0_target_mean={pitch:.0f}"]
            subprocess.run(["flite", "-voice", voice, *settings, "-t", text, "-o", file.name], check=True)
            write_audio(path, read_audio(Path(file.name)), sample_rate=SAMPLE_RATE)
    return Utterance(path.stem, path, text=text, duration=audio_duration(path), speaker=f"flite-{voice}")


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


if __name__ == "__main__":
    main()
