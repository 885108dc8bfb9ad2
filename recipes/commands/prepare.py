"""Manifests of GRID and the Free Spoken Digit Dataset, read as their publishers lay them out.

usage: prepare.py GRID_DIR DIGITS_DIR [OUTPUT_DIR, default: data]

GRID_DIR    holds speaker folders (s1/, s2/ ...) with the 25 kHz or 50 kHz .wav files; their names spell the command
DIGITS_DIR  is the data set's repository; recordings/ holds DIGIT_SPEAKER_TAKE.wav

GRID has no split of its own: about one command in ten, chosen by a hash of its name, is held out. The digits are split
as their authors do: takes 0 to 4 are the test.
"""

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

from asr_s2s.audio import audio_duration
from asr_s2s.errors import AsrError, ManifestError, listed
from asr_s2s.manifest import Utterance, write_manifest

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST_TAKES = range(5)

# The letters of a GRID file's name, in order; Cooke et al. 2006, table I
GRID_WORDS: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(zip("z123456789", DIGITS, strict=True)),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grid", type=Path)
    parser.add_argument("digits", type=Path)
    parser.add_argument("output", type=Path, nargs="?", default=Path("data"))
    arguments = parser.parse_args()
    for name, utterances in (("grid", list(grid(arguments.grid))), ("digits", list(digits(arguments.digits)))):
        for part, held_out in (("train", False), ("eval", True)):
            chosen = [utterance for utterance, is_held_out in utterances if is_held_out is held_out]
            manifest = arguments.output / name / part / "manifest.jsonl"
            write_manifest(manifest, chosen)
            print(
                f"{manifest}: {len(chosen)} utterances, {sum(item.duration or 0 for item in chosen) / 60:.1f} minutes"
            )


def grid(folder: Path) -> Iterator[tuple[Utterance, bool]]:
    """Read the speaker folders; ManifestError if there are none or a name spells no command."""
    files = sorted(folder.glob("s*/*.wav"))
    if not files:
        raise ManifestError(f"{folder}: has no s1/*.wav. Name the folder that holds GRID's speaker folders.")
    odd = [str(file) for file in files if grid_text(file.stem) is None]
    if odd:
        raise ManifestError(f"{folder}: {len(odd)} names spell no GRID command: {listed(odd)}. Move them away.")
    for file in files:
        speaker = f"grid_{file.parent.name}"
        held_out = hashlib.sha256(file.stem.encode()).digest()[0] < 26  # of 256
        yield utterance(file, f"{speaker}-{file.stem}", grid_text(file.stem) or "", speaker, "CC-BY-4.0"), held_out


def grid_text(name: str) -> str | None:
    """Spell a command: 'bbaf2n' is 'bin blue at f two now'."""
    if len(name) != len(GRID_WORDS) or any(letter not in words for letter, words in zip(name, GRID_WORDS, strict=True)):
        return None
    return " ".join(words[letter] for letter, words in zip(name, GRID_WORDS, strict=True))


def digits(folder: Path) -> Iterator[tuple[Utterance, bool]]:
    """Read recordings/DIGIT_SPEAKER_TAKE.wav; ManifestError if there are none."""
    files = sorted(folder.glob("recordings/*_*_*.wav"))
    if not files:
        raise ManifestError(f"{folder}: has no recordings/0_speaker_0.wav. Name the data set's repository.")
    for file in files:
        digit, speaker, take = file.stem.split("_")
        said = utterance(file, f"digits-{file.stem}", DIGITS[int(digit)], speaker, "CC-BY-SA-4.0")
        yield said, int(take) in TEST_TAKES


def utterance(file: Path, identity: str, text: str, speaker: str, licence: str) -> Utterance:
    return Utterance(
        id=identity,
        audio_path=file.resolve(),
        text=text,
        duration=round(audio_duration(file), 3),
        speaker=speaker,
        language="en",
        extra={"license": licence},
    )


if __name__ == "__main__":
    try:
        main()
    except AsrError as error:
        raise SystemExit(str(error)) from error
