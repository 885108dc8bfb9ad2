"""The model card of `en`, with the figures that were measured.

usage: card.py RUN MEASURED BENCH SPEED OUTPUT

RUN       the training run (runs/en/adapted), whose history says how long it was trained
MEASURED  what measure.py wrote; BENCH what tools/bench/against_faster_whisper.py, SPEED what tools/bench/speed.py wrote
"""

import argparse
import json
from pathlib import Path
from typing import Any

from asr_s2s.files import write_text

NAMES = {
    "commonvoice": "Common Voice (volunteers)",
    "speechocean": "speechocean762 (learners, half of them children)",
    "ljspeech": "LJ Speech",
    "arctic": "ARCTIC",
    "prompts": "telephone prompts",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("run", "measured", "bench", "speed", "output"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    measured = json.loads(arguments.measured.read_text())
    bench, speed = (json.loads(path.read_text())["measured"] for path in (arguments.bench, arguments.speed))
    text = (Path(__file__).parent / "card.md").read_text(encoding="utf-8")
    sections = {
        "training": training(arguments.run),
        "rates": rates(bench, measured["sets"]),
        "differences": differences(bench),
        "groups": rows("group", measured["groups"]),
        "conditions": rows("condition", measured["conditions"]),
        "tails": tails(measured["tails"]) if measured.get("tails") else "Not measured yet (`--part tails`).",
        "short": short(measured["short"]),
        "speed": speeds(speed),
    }
    for name, section in sections.items():
        text = text.replace(f"{{{name}}}", section)
    write_text(arguments.output, text)


def training(run: Path) -> str:
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    return f"{result['steps']:,} steps, {result['minutes']:.0f} minutes on two processor cores"


def rates(bench: dict[str, Any], characters: dict[str, Any]) -> str:
    systems = ("ours greedy", "ours beam 5", "peer greedy", "peer beam 5")
    lines = ["| held-out set | words | `en` greedy | `en` beam 5 | CER | peer greedy | peer beam 5 |", "|---" * 7 + "|"]
    for name, title in NAMES.items():
        cells = {row["system"]: row for row in bench["rows"] if row["set"] == name}
        shown = ["{:.1f} [{:.1f}, {:.1f}]".format(cells[who]["wer"], *cells[who]["interval"]) for who in systems]
        shown.insert(2, f"{characters[name]['cer']:.1f}" if name in characters else "")
        lines.append(f"| {title} | {cells[systems[0]]['words']:,} | " + " | ".join(shown) + " |")
    invented = {row["system"]: row["invented_words"] for row in bench["rows"] if row["set"] == "no_speech"}
    faults = {
        who: sum(row["loops"] + row["run_ons"] for row in bench["rows"] if row["system"] == who) for who in systems
    }
    for title, found in (("nobody speaks: invented words", invented), ("all: loops and run-ons", faults)):
        ours, peer = (" | ".join(str(found[who]) for who in pair) for pair in (systems[:2], systems[2:]))
        lines.append(f"| {title} | | {ours} | | {peer} |")
    return "\n".join(lines)


def differences(bench: dict[str, Any]) -> str:
    lines = ["| `en` minus peer, points of WER | greedy | beam 5 |", "|---|---|---|"]
    for name, title in NAMES.items():
        found = {
            row["kind"]: "{points:+.1f} [{low:+.1f}, {high:+.1f}]".format(**row)
            for row in bench["differences"]
            if row["set"] == name
        }
        lines.append(f"| {title} | {found['greedy']} | {found['beam 5']} |")
    return "\n".join(lines)


def rows(title: str, found: dict[str, Any]) -> str:
    lines = [f"| {title} | clips | WER | CER | run-ons |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {row['clips']} | {row['wer']:.1f} | {row['cer']:.1f} | {row['run_ons']} |"
        for name, row in found.items()
    ]
    return "\n".join(lines)


def tails(found: dict[str, Any]) -> str:
    columns = list(next(iter(found.values())))
    lines = ["| silence added | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {tail} | " + " | ".join(f"{row[column]['wer']:.1f}" for column in columns) + " |"
        for tail, row in found.items()
    ]
    return "\n".join(lines)


def short(found: dict[str, Any]) -> str:
    return "\n".join(
        f"- {name}: {row['clips']} clips, {row['words']} words written"
        + (f", at most {row['most words']} in one, {row['run-ons']} run-ons" if "run-ons" in row else "")
        for name, row in found.items()
    )


def speeds(speed: dict[str, Any]) -> str:
    return "\n".join(
        f"- {row['kind']}: {row['clips']} clip{'s' * (row['clips'] > 1)} ({row['audio_seconds']:.0f} s) "
        f"in {row['seconds']['ours']:.1f} s, the peer in {row['seconds']['peer']:.1f} s: "
        f"{row['seconds']['peer'] / row['seconds']['ours']:.1f} times its speed; "
        f"memory {row['megabytes']['ours']:.0f} MB, the peer's {row['megabytes']['peer']:.0f} MB"
        for row in speed["rows"]
    )


if __name__ == "__main__":
    main()
