"""Put the figures of docs/results/*.json, which the benches wrote, into README.md, docs/results.md and docs/models.md.

usage: results.py [--check]

A part of a page between <!-- results: NAME --> and <!-- end --> is written from the files; NAME is one of PARTS. With
--check nothing is written, and the status is 1 where a page and the files disagree.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FILES = ROOT / "docs" / "results"
PAGES = (ROOT / "README.md", ROOT / "docs" / "results.md", ROOT / "docs" / "models.md")
PART = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
SETS = {
    "commonvoice": "Common Voice",
    "speechocean": "speechocean (learners, children)",
    "ljspeech": "LJ Speech",
    "arctic": "ARCTIC",
    "prompts": "telephone prompts",
    "no_speech": "nobody speaks: invented words",
}
ENGLISH = tuple(SETS)[:-1]
MODELS = {
    "en": ("English", "words, cased and punctuated"),
    "multi": ("99 languages, detected or given; into English too", "words, cased and punctuated"),
    "en-char": ("English; a start for other alphabets", "letters, cased and punctuated"),
    "commands": ("six-word commands and digits, English", "letters"),
}
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    stale = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        written = filled(text)
        if written != text:
            stale.append(page.name)
            if not arguments.check:
                page.write_text(written, encoding="utf-8")
    if arguments.check and stale:
        print("docs/results and these pages disagree, run tools/results.py:", *stale)
    return 1 if arguments.check and stale else 0


def filled(page: str) -> str:
    """Return a page with its parts written anew from the files."""
    return PART.sub(lambda match: match[1] + PARTS[match[2]]() + match[3], page)


def english() -> str:
    """Error rates and seconds by set, ours and the peer's."""
    file = _read("english")
    rows = {(row["set"], row["system"]): row for row in file["measured"]["rows"]}
    systems = ("ours greedy", "ours beam 5", "peer greedy", "peer beam 5", "moonshine tiny")
    lines = [
        [SETS[name], f"{rows[name, systems[0]]['words']:,}", *(_cell(rows[name, system]) for system in systems)]
        for name in SETS
    ]
    pooled = [_pooled([rows[name, system] for name in ENGLISH]) for system in systems]
    words = sum(rows[name, systems[0]]["words"] for name in ENGLISH)
    lines.append(["all words", f"{words:,}", *(f"**{rate:.1f}**" for rate in pooled)])
    head = ["held-out set", "words", "`en` greedy", "`en` beam 5", "peer greedy", "peer beam 5", "moonshine tiny"]
    differences = [
        f"{SETS[row['set']]} {-row['points']:+.1f} [{-row['high']:.1f}, {-row['low']:.1f}]"
        for row in file["measured"]["differences"]
        if row["kind"] == "beam 5"
    ]
    said = f"\nPoints of word error rate that `en` is better by, with beam 5: {', '.join(differences)}.\n"
    return _table(head, lines) + said + _source(file)


def speed() -> str:
    """Seconds and memory of whole commands, ours and the peer's."""
    file = _read("speed")
    lines = [
        [
            f"{row['clips']} clips, {row['kind']}" if row["clips"] > 1 else f"one clip of 3 s, {row['kind']}",
            f"{row['seconds']['ours']:.1f} s",
            f"{row['seconds']['peer']:.1f} s",
            f"{row['seconds']['peer'] / row['seconds']['ours']:.1f} ×",
            f"{row['megabytes']['ours']:.0f} MB",
            f"{row['megabytes']['peer']:.0f} MB",
        ]
        for row in file["measured"]["rows"]
    ]
    return _table(["whole command", "`en`", "peer", "speed", "memory", "peer's memory"], lines) + _source(file)


def long() -> str:
    """An hour and more in one file."""
    file = _read("long")
    lines = [
        [
            f"{row['minutes']:g} minutes",
            "`en`" if row["system"] == "ours" else "faster-whisper, batched",
            f"{row['seconds']:.0f} s",
            f"{row['megabytes']:,} MB",
            f"{row['wer']:.1f}",
        ]
        for row in file["measured"]
    ]
    return _table(["one file of", "system", "time", "memory", "WER"], lines) + _source(file)


def word_times() -> str:
    """How exact the times of words are."""
    file = _read("word_times")
    names = [name for name in file["measured"][0] if name not in ("system", "heads")]
    lines = [[row["system"], *(_number(row[name]) for name in names)] for row in file["measured"]]
    return _table(["system", *names], lines) + _source(file)


def confidence() -> str:
    """Whether a word's confidence is how probable it is that the word is right."""
    file = _read("confidence")
    lines = [
        [_set_of(row["set"]), f"{row['words']:,}", f"{row['right']:.1%}", f"{row['calibration_error']:.3f}"]
        for row in file["measured"]["rows"]
    ]
    return _table(["set", "words", "right", "expected calibration error"], lines) + _source(file)


def scoring() -> str:
    """What it costs to score many utterances."""
    file = _read("scoring")
    lines = [
        [f"{row['utterances']:,}", row["tool"], f"{row['seconds']:.1f} s", f"{row['megabytes']:.0f} MB"]
        for row in file["measured"]
    ]
    return _table(["utterances", "tool", "time", "memory"], lines) + _source(file)


def hotwords() -> str:
    """What the weight of hot words does to recall and to false finds."""
    file = _read("hotwords")
    lines = [
        [
            "none" if row["bonus"] is None else f"{row['bonus']:g}",
            f"{row['recall']:.1f} %",
            str(row["written but not said"]),
            f"{row['wer']:.2f}",
        ]
        for row in file["measured"]
    ]
    return _table(["`search.hotword_bonus`", "recall", "written but not said", "WER"], lines) + _source(file)


def models() -> str:
    """The models that ship, their errors and their speed."""
    file = _read("models")
    lines = [
        [
            f"`{row['model']}`",
            *MODELS[row["model"]],
            f"{row['megabytes']:.0f} MB",
            f"{row['wer']:.1f} % of {row['words']:,} words",
            f"{row['audio_seconds'] / row['core_seconds']:.0f} ×",
        ]
        for row in file["measured"]
    ]
    return _table(["model", "language", "writes", "size", "WER", "real time, one core"], lines)


def architectures() -> str:
    """Which models learn to align, as the recipe's own command prints it."""
    command = [sys.executable, ROOT / "recipes" / "architectures" / "run.py", "data", "--table"]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def reasons() -> str:
    """Three reasons to use it, with a figure each."""
    rows = {(row["set"], row["system"]): row for row in _read("english")["measured"]["rows"]}
    ours, peer = (_pooled([rows[name, f"{who} beam 5"] for name in ENGLISH]) for who in ("ours", "peer"))
    quick = next(row for row in _read("speed")["measured"]["rows"] if row["kind"] == "beam 5")
    ratio = quick["seconds"]["peer"] / quick["seconds"]["ours"]
    sure = next(row for row in _read("confidence")["measured"]["rows"] if row["set"] == "all")
    score = {(row["utterances"], row["tool"]): row for row in _read("scoring")["measured"]}
    count = min(utterances for utterances, _ in score)
    return (
        f"- **Quick without a GPU.** {quick['clips']} short clips take {quick['seconds']['ours']:.1f} s on two cores, "
        f"{ratio:.1f} times as fast as faster-whisper's `tiny.en` in int8, with {ours:.1f} % of the words wrong "
        f"against its {peer:.1f} %.\n"
        f"- **Evidence with every word.** Each word has its time and a calibrated confidence: over {sure['words']:,} "
        f"words it is off by {sure['calibration_error']:.3f} on average. Loops, cut-off text and speech without words "
        "are flagged.\n"
        "- **Scores that can be compared.** Utterances are paired by id, and nothing is dropped silently; every rate "
        f"has its interval, every difference its significance. {count:,} utterances take "
        f"{score[count, 'asr-s2s']['seconds']:.1f} s, sclite {score[count, 'sclite']['seconds']:.1f} s.\n"
    )


PARTS: dict[str, Callable[[], str]] = {
    "english": english,
    "speed": speed,
    "long": long,
    "word_times": word_times,
    "confidence": confidence,
    "scoring": scoring,
    "models": models,
    "hotwords": hotwords,
    "architectures": architectures,
    "reasons": reasons,
}


def _read(name: str) -> Row:
    found: Row = json.loads((FILES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _pooled(rows: Sequence[Row]) -> float:
    errors = sum(row["substitutions"] + row["deletions"] + row["insertions"] for row in rows)
    return 100 * errors / sum(row["words"] for row in rows)


def _cell(row: Row) -> str:
    value = row["invented_words"] if row["wer"] is None else f"{row['wer']:.1f}"
    return f"{value}, {row['seconds']:.0f} s"


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _set_of(manifest: str) -> str:
    known = [shown for name, shown in SETS.items() if f"/{name}/" in manifest]
    return known[0] if known else manifest


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _source(file: Row) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in file["versions"].items() if name != "asr-s2s")
    command = re.sub(r" --output \S+", "", file["command"])
    return f"\n`{command}`, {file['date']}, commit {file['commit']}, {file['machine']}; {versions}.\n"


if __name__ == "__main__":
    sys.exit(main())
