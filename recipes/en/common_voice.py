"""Manifests of Common Voice clips that may be trained on, the ones with a known speaker apart from the others.

usage: common_voice.py CORPUS EXCLUDE OUTPUT

CORPUS holds clips/*.mp3 and validated.tsv, which names the speakers and texts of some of them. EXCLUDE lists the clips
that serve for measuring, by name. Left out: those, all clips of their speakers and, of the clips whose speaker is not
known, all within 500 numbers of a clip of theirs: people record in sittings, and numbers follow time.
OUTPUT gets known.jsonl (text and speaker) and unknown.jsonl (neither).
"""

import argparse
import bisect
import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from asr_s2s.audio import audio_duration
from asr_s2s.manifest import Utterance, write_manifest

NEAR = 500
LICENCE = "CC0-1.0 (Common Voice)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("exclude", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    excluded = set(arguments.exclude.read_text().split())
    with (arguments.corpus / "validated.tsv").open(encoding="utf-8", newline="") as table:
        rows = {Path(row["path"]).stem: row for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)}
    measured = {row["client_id"] for name, row in rows.items() if name in excluded}
    forbidden = excluded | {name for name, row in rows.items() if row["client_id"] in measured}
    clips = sorted((arguments.corpus / "clips").glob("*.mp3"))
    known = [clip for clip in clips if clip.stem in rows and clip.stem not in forbidden]
    unknown = [clip for clip in clips if clip.stem not in rows and clip.stem not in forbidden]
    unknown = list(far_from(unknown, sorted(number(name) for name in forbidden if "common_voice" in name)))
    write(arguments.output / "known.jsonl", [described(clip, rows[clip.stem]) for clip in known])
    write(arguments.output / "unknown.jsonl", [described(clip, None) for clip in unknown])


def number(name: str) -> int:
    return int(name.rsplit("_", 1)[1])


def far_from(clips: list[Path], numbers: list[int]) -> Iterator[Path]:
    for clip in clips:
        at = bisect.bisect(numbers, number(clip.stem))
        if all(abs(near - number(clip.stem)) > NEAR for near in numbers[max(0, at - 1) : at + 1]):
            yield clip


def described(clip: Path, row: dict[str, str] | None) -> Utterance:
    return Utterance(
        id=clip.stem,
        audio_path=clip.resolve(),
        text=row["sentence"] if row else None,
        duration=round(audio_duration(clip), 3),
        speaker=hashlib.sha256(row["client_id"].encode()).hexdigest()[:20] if row else None,
        language="en",
        extra={"license": LICENCE},
    )


def write(manifest: Path, utterances: list[Utterance]) -> None:
    write_manifest(manifest, utterances)
    hours = sum(item.duration or 0 for item in utterances) / 3600
    print(f"{manifest}: {len(utterances)} clips, {hours:.2f} hours")


if __name__ == "__main__":
    main()
