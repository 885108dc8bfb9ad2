"""Which encoder, decoder and attention learns to align, with cross-entropy alone and with the CTC helper?

One factor at a time about two centres: an LSTM with location attention, and a Transformer. Each model is trained on the
training sets in DATA, then transcribes and scores the held-out sets with the commands that users have. A row of
results.jsonl is a finished run; what is there is not done again, and a run that was cut off goes on.

usage: run.py DATA [--jobs 2] [--minutes 6] [--only PATTERN] [--table]

DATA holds grid/, digits/, arctic/ and prompts/, each with train/manifest.jsonl and eval/manifest.jsonl.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
RUNS = Path("runs") / "architectures"

LSTM = "model.encoder={kind: lstm, channels: 256, layers: 2, stem: {kind: conv2d, maps: 32}}"
GRU = LSTM.replace("lstm", "gru")
TRANSFORMER = (
    "model.encoder={kind: transformer, channels: 144, heads: 4, layers: 4, feedforward: 576, "
    "stem: {kind: conv2d, maps: 32}}"
)
CONFORMER = (
    "model.encoder={kind: conformer, channels: 144, heads: 4, layers: 4, feedforward: 576, "
    "stem: {kind: conv2d, maps: 32}}"
)
RNN_LSTM = "model.decoder={kind: rnn, cell: lstm, channels: 256, embedding: 64, token_dropout: 0.1}"
RNN_GRU = RNN_LSTM.replace("lstm", "gru")
TRANSFORMER_DECODER = (
    "model.decoder={kind: transformer, channels: 144, heads: 4, layers: 2, feedforward: 576, max_tokens: 1024}"
)
SLOWER = "training.learning_rate=1e-3"  # chosen on the development set, as the 1.5e-3 of recurrent networks


def attention(kind: str) -> str:
    return f"model.attention={{kind: {kind}, channels: 128}}"


MODELS = {
    "lstm-location-lstm": [LSTM, RNN_LSTM, attention("location")],
    "gru-location-lstm": [GRU, RNN_LSTM, attention("location")],
    "transformer-location-lstm": [TRANSFORMER, RNN_LSTM, attention("location"), SLOWER],
    "conformer-location-lstm": [CONFORMER, RNN_LSTM, attention("location"), SLOWER],
    "lstm-location-gru": [LSTM, RNN_GRU, attention("location")],
    "lstm-dot-lstm": [LSTM, RNN_LSTM, attention("dot")],
    "lstm-additive-lstm": [LSTM, RNN_LSTM, attention("additive")],
    "lstm-multihead-lstm": [LSTM, RNN_LSTM, attention("multihead")],
    "lstm-none-lstm": [LSTM, RNN_LSTM, attention("none")],
    "transformer-transformer": [TRANSFORMER, TRANSFORMER_DECODER, SLOWER],
    "lstm-transformer": [LSTM, TRANSFORMER_DECODER, SLOWER],
    "conformer-transformer": [CONFORMER, TRANSFORMER_DECODER, SLOWER],
}
CENTRES = ("lstm-location-lstm", "transformer-transformer")
# cross-entropy alone is meant strictly: the length head would teach the encoder too
HELPERS = {"ce": ["model.ctc=false", "model.length=false"], "ce+ctc": ["model.ctc=true", "model.length=true"]}
LENGTHS = {"1-10": (1, 10), "11-25": (11, 25), "26-50": (26, 50), "51-": (51, 10_000)}  # characters of the reference
MATERIALS = {"commands": ("grid", "digits"), "open": ("arctic", "prompts")}


@dataclass(frozen=True)
class Run:
    model: str
    helper: str
    seed: int
    material: str = "commands"

    @property
    def name(self) -> str:
        return f"{self.material}.{self.model}.{self.helper}.{self.seed}"


def runs() -> Iterator[Run]:
    """List the runs, the telling ones first: the centres in three seeds, then one factor at a time, open text."""
    for seed in (1, 2, 3):
        for model in CENTRES:
            for helper in HELPERS:
                yield Run(model, helper, seed)
    for model in (name for name in MODELS if name not in CENTRES):
        for helper in HELPERS:
            yield Run(model, helper, seed=1)
    for model in (*CENTRES, "lstm-none-lstm"):
        for helper in HELPERS:
            yield Run(model, helper, 1, material="open")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, one processor thread each")
    parser.add_argument("--minutes", type=float, default=6.0, help="the limit of a run")
    parser.add_argument("--only", default="", help="a regular expression that a run's name must hold")
    parser.add_argument("--table", action="store_true", help="print the table of what is done, and train nothing")
    arguments = parser.parse_args()
    if not arguments.table:
        done = {row["run"] for row in rows()}
        waiting = [run for run in runs() if run.name not in done and re.search(arguments.only, run.name)]
        lock = Lock()
        with ThreadPoolExecutor(arguments.jobs) as pool:
            for _ in pool.map(lambda run: finish(run, arguments.data, arguments.minutes, lock), waiting):
                pass
    print(table(rows()) + "\n\n" + table_by_length(rows()))


def finish(run: Run, data: Path, minutes: float, lock: Lock) -> None:
    """Train, transcribe and score one model; add its row."""
    folder = RUNS / run.name
    sets = MATERIALS[run.material]
    train = ", ".join(str(data / name / "train" / "manifest.jsonl") for name in sets)
    overrides = [f"data.train=[{train}]", f"training.seed={run.seed}", f"training.minutes={minutes}"]
    resume = ["--resume"] if (folder / "history.jsonl").exists() else []
    log = RUNS / f"{run.name}.log"
    asr_s2s(
        log, "train", HERE / "base.yaml", *overrides, *MODELS[run.model], *HELPERS[run.helper],
        "--output", folder, "--threads", 1, *resume,
    )  # fmt: skip
    result = json.loads((folder / "result.json").read_text())
    row = {"run": run.name, "model": run.model, "helper": run.helper, "seed": run.seed, "material": run.material}
    row |= {key: result[key] for key in ("minutes", "epochs", "parameters")}
    for name in sets:
        manifest = data / name / "eval" / "manifest.jsonl"
        recognised = folder / f"{name}.jsonl"
        asr_s2s(log, "transcribe", "--manifest", manifest, "--output", recognised, "--model", folder, "--threads", 1)
        row[name] = scores(recognised)
    with lock, RESULTS.open("a") as results:
        results.write(json.dumps(row) + "\n")
    print(run.name, {name: row[name] for name in sets}, flush=True)


def asr_s2s(log: Path, *arguments: object) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as errors:
        command = [sys.executable, "-m", "asr_s2s", *map(str, arguments)]
        status = subprocess.run(command, stdout=errors, stderr=errors, check=False).returncode
    if status != 0:
        raise SystemExit(f"{' '.join(command)} ended with {status}; see {log}")


def scores(recognised: Path) -> dict[str, object]:
    """Give word and character error rates in percent, by length of the reference too, and count loops."""
    from asr_s2s.manifest import read_manifest
    from asr_s2s.scoring import character_errors, word_errors
    from asr_s2s.text.normalizers import normalizer

    basic = normalizer("basic").apply
    utterances = read_manifest(recognised)
    texts = [(basic(item.text or ""), basic(item.pred_text or "")) for item in utterances]
    found: dict[str, object] = {
        "wer": round(word_errors(*zip(*texts, strict=True)).percent, 2),
        "cer": round(character_errors(*zip(*texts, strict=True)).percent, 2),
        "loops": sum("loop" in item.extra.get("flags", {}) for item in utterances),
    }
    by_length = {name: [pair for pair in texts if low <= len(pair[0]) <= high] for name, (low, high) in LENGTHS.items()}
    found["cer_by_characters"] = {
        name: round(character_errors(*zip(*pairs, strict=True)).percent, 2)
        for name, pairs in by_length.items()
        if pairs
    }
    return found


def rows() -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def table(done: list[dict]) -> str:  # type: ignore[type-arg]
    """Give a Markdown table for each material, a row a model: cross-entropy alone, then with helpers; seeds by /."""
    parts = []
    for material, sets in MATERIALS.items():
        of_material = [row for row in done if row["material"] == material]
        columns = [(helper, name, rate) for helper in HELPERS for name in sets for rate in ("wer", "cer")]
        heads = ["model (encoder-attention-decoder)", "weights"]
        heads += [f"{helper}: {name} {rate.upper()}" for helper, name, rate in columns] + ["loops"]
        lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        for model in MODELS:
            seeds = sorted((row for row in of_material if row["model"] == model), key=lambda row: row["seed"])
            if not seeds:
                continue
            cells = [model, f"{seeds[0]['parameters'] / 1e6:.1f} M"]
            for helper, name, rate in columns:
                cells.append(" / ".join(f"{row[name][rate]:.1f}" for row in seeds if row["helper"] == helper))
            loops = sum(row[name]["loops"] for row in seeds for name in sets)
            lines.append("| " + " | ".join([*cells, str(loops)]) + " |")
        if of_material:
            minutes = [row["minutes"] for row in of_material]
            parts.append(
                "\n".join(lines) + f"\n\n{len(minutes)} runs of {min(minutes):.1f} to {max(minutes):.1f} minutes."
            )
    return "\n\n".join(parts)


def table_by_length(done: list[dict]) -> str:  # type: ignore[type-arg]
    """Give a Markdown table of CER by the reference's length: the fixed vector beside attention, first seeds."""
    columns = [(material, name, length) for material, sets in MATERIALS.items() for name in sets for length in LENGTHS]
    found = {(row["material"], row["model"], row["helper"]): row for row in done if row["seed"] == 1}
    models = [(model, helper) for model in ("lstm-location-lstm", "lstm-none-lstm") for helper in HELPERS]
    cells = {
        (model, helper): {
            column: found[column[0], model, helper][column[1]]["cer_by_characters"].get(column[2])
            for column in columns
            if (column[0], model, helper) in found
        }
        for model, helper in models
    }
    columns = [column for column in columns if any(row.get(column) is not None for row in cells.values())]
    lines = ["| CER by characters | loss | " + " | ".join(f"{name} {length}" for _, name, length in columns) + " |"]
    lines.append("|---" * (2 + len(columns)) + "|")
    for (model, helper), row in cells.items():
        shown = [f"{row[column]:.1f}" if row.get(column) is not None else "" for column in columns]
        lines.append(f"| {model} | {helper} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
