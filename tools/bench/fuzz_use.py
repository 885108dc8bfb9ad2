"""Use asr_s2s wrongly in many ways and report every answer that is not a result or a sentence.

usage: fuzz_use.py [--seed 0] [--tries 10000] [--commands 100] [--seconds 3600]

Three kinds of use by turns, in one process, with one model loaded: command lines of every verb, made from its own
parameters; calls of Python's functions with values of every type; small files (manifests, configurations, model
directories, word lists, tables) with bytes changed. The last `--commands` tries are real commands. A fault is exit
status 3, an exception that is no AsrError, or an answer after more than LONGEST seconds. Exit status 1 where there is
one.
"""

import argparse
import contextlib
import faulthandler
import inspect
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer

import asr_s2s
from asr_s2s.audio import read_audio, write_audio
from asr_s2s.cli import app, run
from asr_s2s.config import read_config
from asr_s2s.errors import AsrError
from asr_s2s.manifest import Utterance
from asr_s2s.model_store import model_folder, open_model, read_card
from asr_s2s.model_store.directory import load_model
from asr_s2s.recognizer import load, read_hotwords
from asr_s2s.recognizer.in_onnx import in_onnx
from asr_s2s.training import ExperimentConfig, LanguageExperimentConfig

DATA = Path(__file__).parents[2] / "tests" / "data"
MODEL = "commands"  # small and quick
MOST_BYTES = 8 * 2**30
LONGEST = 60.0  # seconds of one try, on a machine that does other work too
RARE = {"--jobs", "--plot", "--where", "--find-batch", "--bleu", "--cpwer"}  # start processes or large libraries
NUMBERS = ["0", "1", "2", "-1", "1e400", "nan", "3.5", "", "x", "9" * 30, "9" * 400, "٣", "16000", "0.0001", "100000"]
WORDS = ["auto", "cpu", "cuda", "gpu", "mps", "float32", "bfloat16", "all", "txt", "json", "mix", "each", "1", "0", "-",
         "en", MODEL, "nobody", "", " ", "ä", "\udce9", "a=b", "x" * 300, "../..", "[", "none", "basic", "sclite", "id",
         "speaker,", "folder", "csv", "lhotse", "kaldi", "vtt", "srt", "training.epochs=1", "losses.ctc=0"]  # fmt: skip

ODD = [  # somewhere
    b"\0", b"\xff\xfe", b"1e400", b"NaN", b".nan", b"-1", b"9" * 400, b"9" * 5000, b"\\ud800", b"[" * 3000, b"{", b"}",
    b"!!int ''", b"!!float ''", b"&a [*a]", b"<<: {}", b"\n", b"\t", b'"', b"null", b"true", b": ", b"- ", b"\r",
    b"2024-99-99",
]  # fmt: skip


def make_files(folder: Path) -> None:
    """Fill a folder with what users have, and with what they should not have."""
    clip = read_audio(DATA / "lbby5a.ogg")[:16_000]
    write_audio(folder / "good.wav", clip, sample_rate=16_000)
    write_audio(folder / "silent.wav", np.zeros(8_000, np.float32), sample_rate=16_000)
    (folder / "sounds").mkdir()
    shutil.copy(folder / "good.wav", folder / "sounds" / "a.wav")
    shutil.copy(folder / "good.wav", os.fsdecode(os.fsencode(folder) + b"/caf\xe9.wav"))
    (folder / "good.wav.txt").write_text("lay blue by y five again")
    (folder / "empty.wav").touch()
    (folder / "cut.wav").write_bytes((folder / "good.wav").read_bytes()[:5000])
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe")
    (folder / "taken").mkdir()
    (folder / "taken" / "good.txt").mkdir()
    lines = [{"audio_filepath": "good.wav", "text": "lay blue"}, {"audio_filepath": "empty.wav", "id": "e"}]
    (folder / "good.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "both.jsonl").write_text('{"id": "a", "text": "lay blue", "pred_text": "lay blue by"}\n')
    (folder / "words.txt").write_text("blue\nfive again\n")
    (folder / "table.csv").write_text("audio_filepath,text\ngood.wav,lay blue\n")
    (folder / "x.ctm").write_text("a 1 0.0 0.5 lay 0.9\n")
    (folder / "x.stm").write_text("a 1 s 0.0 0.5 lay blue\n")
    (folder / "x.trn").write_text("lay blue (a)\n")
    (folder / "x.arpa").write_text("\\data\\\nngram 1=999999999\n\n\\1-grams:\n-1\tblue\n\\end\\\n")
    (folder / "config.yaml").write_text((Path(__file__).parents[2] / "conf" / "language_model.yaml").read_text())
    (folder / "train.yaml").write_text("data: {train: good.jsonl, dev: good.jsonl}\ninput: {kind: kaldi}\n")
    shutil.copytree(model_folder(MODEL), folder / "model")


def paths(folder: Path) -> list[str]:
    """Name every file of the folder, some that are not there, and what is no file."""
    there = [str(path.relative_to(folder)) for path in folder.iterdir()]
    return [
        *there,
        "nowhere",
        "nowhere/x.txt",
        "n" * 300,
        "n/" * 3000,
        "/dev/null",
        "/dev/zero",
        "/proc/self/mem",
        ".",
        "/",
    ]


class Fuzzer:
    """Makes uses from a seed; each is a name for messages and what is to be done."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._random, self._folder = random.Random(seed), folder  # noqa: S311 - the same uses for the same seed
        self._paths = paths(folder)
        self._recognizer = load(MODEL, beam=1)
        self._verbs = list(_verbs(typer.main.get_command(app), ()))
        self._arguments: list[str] = []

    def use(self) -> tuple[str, Callable[[], object]]:
        """Make the next use."""
        return self._random.choice([self._command, self._call, self._file])()

    def arguments(self) -> list[str]:
        """Make a command line of some verb."""
        name, parameters, kinds = self._random.choice(self._verbs)
        line: list[str] = []
        for parameter in parameters:
            flags = [flag for flag in (*parameter.opts, *parameter.secondary_opts) if flag.startswith("--")]
            is_argument = not flags
            chance = 0.9 if is_argument else 0.01 if set(flags) & RARE else 0.15
            while self._random.random() < chance:
                chance /= 3
                line += [] if is_argument else [self._random.choice(flags)]
                if is_argument or not getattr(parameter, "is_flag", False):
                    line.append(self._value(parameter.name, kinds.get(parameter.name, "")))
        return [*name, *line]

    def _value(self, name: str, kind: str) -> str:
        fits = self._paths if "Path" in kind else NUMBERS if "int" in kind or "float" in kind else WORDS
        if name in {"audio", "model", "initial"}:
            fits = [*self._paths, *WORDS]
        pool = fits if self._random.random() < 0.9 else [*self._paths, *WORDS, *NUMBERS]
        return "1" if name in {"jobs", "engine"} else self._random.choice(pool)  # no processes, no cluster

    def _command(self) -> tuple[str, Callable[[], object]]:
        line = self.arguments()
        if line[0] == "train":  # a valid one would train
            line += ["--threads", "0"] if self._random.random() < 0.5 else ["training.epochs=0"]
        return f"asr-s2s {line}", lambda: run(line)

    def _call(self) -> tuple[str, Callable[[], object]]:
        model, values = self._recognizer, self._values()
        first, second = self._random.choice(values), self._random.choice(values)
        options = {"sample_rate": self._random.choice([16_000, 8000.0, *values])} if self._random.random() < 0.7 else {}
        if self._random.random() < 0.3:
            options["channel"] = self._random.choice([1, 2, *values])
        name = self._random.choice(
            [
                "beam",
                "device",
                "precision",
                "find_speech",
                "repair",
                "hotwords",
                "language_model",
                "model",
            ]
        )
        calls: list[tuple[str, Callable[[], object]]] = [
            (f"transcribe({first!r:.80}, {options!r:.80})", lambda: model.transcribe(first, **options)),
            (f"segments({first!r:.80}, {options!r:.80})", lambda: list(model.segments(first, **options))),
            (f"transcribe_many([{first!r:.80}, {second!r:.80}])", lambda: self._many(first, second)),
            (f"transcribe_many({first!r:.80})", lambda: list(model.transcribe_many(first))),
            (f"load({name}={first!r:.80})", lambda: asr_s2s.load(**{"model": MODEL, name: first})),
            (f"read_manifest({first!r:.80})", lambda: asr_s2s.read_manifest(first)),
            (
                f"Utterance({first!r:.80}, offset={second!r:.40})",
                lambda: self._many(Utterance("u", Path("good.wav"), offset=second), Utterance("v", first)),
            ),
        ]
        return self._random.choice(calls)

    def _many(self, first: object, second: object) -> object:
        found = list(self._recognizer.transcribe_many([first, DATA / "lbby5a.ogg", second]))
        assert len(found) == 3, "one item has ended the others"
        assert not isinstance(found[1][1], Exception), "a good item has failed"
        return found

    def _values(self) -> list[Any]:
        samples = np.sin(np.arange(8_000) / 20).astype(np.float32)
        path = self._random.choice(self._paths)
        arrays = [
            samples, (samples * 32767).astype(np.int16), samples.astype(np.float64), samples[:, None], samples > 0,
            samples.reshape(2, -1), samples.astype(np.complex64), samples.astype(np.float16), samples[::-2],
            np.zeros((0,)), np.zeros((0, 2)), np.zeros((3, 3, 3)), np.full(100, np.nan), np.array(["a"]), np.array(3.0),
            np.zeros((100, 100)), torch.from_numpy(samples), torch.zeros(100, dtype=torch.bfloat16),
            torch.ones(9, requires_grad=True), samples.tolist(), [1, 2, 3], ["a.wav"], [[0.0], [0.0, 1.0]], [None], [],
        ]  # fmt: skip
        files = [
            path, Path(path), os.fsencode(path), "good.wav", Path("good.wav"), "a\0b", Path("good.wav").read_bytes(),
            io.BytesIO(Path("good.wav").read_bytes()), io.BytesIO(b"no sound"), io.StringIO("text"), Broken(), "", b"",
            memoryview(b"abc"), Utterance("u", Path("good.wav")),
        ]  # fmt: skip
        others = [
            None, True, 0, 1, 3, -1, 10**400, 1.5, float("nan"), float("inf"), 1j, object(), type, {}, (), {"a": 1},
            {1}, range(5), iter([]), 16_000, "cuda", "gpu", "mps", "float32", "en", ["blue"], "blue", ["b" * 5000],
            ["\udce9"],
        ]  # fmt: skip
        return [*arrays, *files, *others]

    def _file(self) -> tuple[str, Callable[[], object]]:
        """Change bytes of a small file, read it, and put it back."""
        readers: dict[str, Callable[[Path], object]] = {
            "good.jsonl": lambda path: run(
                ["transcribe", "--manifest", str(path), "--output", "o.jsonl", "--model", MODEL]
            ),
            "both.jsonl": lambda path: run(["score", str(path)]),
            "words.txt": read_hotwords,
            "config.yaml": lambda path: read_config(path, LanguageExperimentConfig),
            "train.yaml": lambda path: read_config(path, ExperimentConfig),
            "model/config.yaml": lambda path: load_model(path.parent),
            "model/tokens.txt": lambda path: load_model(path.parent),
            "model/model.safetensors": lambda path: load_model(path.parent),
            "model/README.md": lambda path: read_card(path.parent),
            "x.ctm": lambda path: run(["score", "x.trn", str(path)]),
            "x.stm": lambda path: run(["score", str(path), "x.ctm"]),
            "table.csv": lambda path: run(["prepare", "csv", str(path), "prepared"]),
            "good.wav": lambda path: run(["transcribe", str(path), "--model", MODEL]),
        }
        name, read = self._random.choice(list(readers.items()))
        whole = Path(name).read_bytes()
        changed = self._changed(whole)

        def use() -> object:
            Path(name).write_bytes(changed)
            try:
                return read(Path(name))
            finally:
                Path(name).write_bytes(whole)

        return f"{name} as {changed[:2000]!r} ({len(changed)} bytes)", use

    def _changed(self, content: bytes) -> bytes:
        """Change a file as damage or malice does."""
        made = bytearray(content)
        for _ in range(self._random.choice([1, 1, 1, 2, 5])):
            place = self._random.randrange(min(len(made), 4000) + 1)
            kind = self._random.choice(["cut", "flip", "insert", "remove", "double", "replace"])
            if kind == "cut":
                del made[place:]
            elif kind == "flip" and place < len(made):
                made[place] ^= 1 << self._random.randrange(8)
            elif kind == "remove":
                del made[place : place + self._random.randrange(40)]
            elif kind == "double":
                made[place:place] = made[place : place + self._random.randrange(400)]
            else:
                width = self._random.randrange(8) if kind == "replace" else 0
                made[place : place + width] = self._random.choice(ODD)
        return bytes(made)


class Broken(io.RawIOBase):
    """A file on a disk that fails."""

    name = "broken"

    def read(self, size: int = -1) -> bytes:
        """Fail as the system does."""
        raise OSError(5, f"Input/output error after {size}")

    def seekable(self) -> bool:
        """Say that it can be rewound."""
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        """Pretend to have gone there."""
        return 4096 if whence == 2 else place


def _verbs(command: Any, name: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any], dict[str, str]]]:
    """Give each verb with its parameters and their types."""
    for inner, found in getattr(command, "commands", {}).items():
        yield from _verbs(found, (*name, inner))
    if name and not hasattr(command, "commands"):
        types = inspect.signature(command.callback).parameters.values()
        yield name, command.params, {one.name: str(one.annotation) for one in types}


def tried(use: Callable[[], object]) -> tuple[str, str]:
    """Do it; give what kind of answer came, and for a fault what was said."""
    said = io.StringIO()
    began = time.monotonic()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            answer = use()
        kind = f"status {answer}" if isinstance(answer, int) else "an answer"
    except AsrError as error:
        kind = type(error).__name__
    except SystemExit as end:
        kind = f"status {end.code}"
    except BaseException:  # noqa: BLE001 - this is what is looked for
        return "fault", traceback.format_exc()
    if time.monotonic() - began > LONGEST:
        return "fault", f"{time.monotonic() - began:.0f} seconds"
    return ("fault", said.getvalue()) if kind == "status 3" else (kind, "")


def hung(*_: object) -> None:
    """Show where a try has come to, and end: what waits for ever cannot be left otherwise."""
    faulthandler.dump_traceback(all_threads=True)
    os._exit(1)


def place_of(said: str) -> str:
    """Name a fault by where it was raised and as what, so that each is shown once."""
    frames = re.findall(r'File ".*?(asr_s2s/\S+)", line (\d+)', said)
    raised = re.findall(r"^([\w.]*(?:Error|Exception|Interrupt|Exit|Warning)\w*)", said, re.MULTILINE)
    return f"{raised[-1] if raised else said[:60]!s} at {':'.join(frames[-1]) if frames else '?'}"


def real(arguments: list[str]) -> tuple[str, str]:
    """Run one command as users do."""
    command = [sys.executable, "-m", "asr_s2s", *(argument.replace("\0", "") for argument in arguments)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=2 * LONGEST, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return "fault", f"no end after {2 * LONGEST:.0f} s"
    failed = done.returncode not in (0, 1, 2, 4) or b"Traceback" in done.stderr
    return ("fault", done.stderr.decode(errors="replace")) if failed else (f"command {done.returncode}", "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--commands", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3600)
    options = parser.parse_args()
    loading, made = sys.modules["asr_s2s.recognizer.load"], in_onnx
    kept = {model_folder(name): in_onnx(open_model(name)) for name in ("en", MODEL)}
    loading.in_onnx = lambda model, **options: kept.get(model.folder) or made(model, **options)  # type: ignore[attr-defined]
    os.cpu_count = lambda: 1  # type: ignore[method-assign] # no processes
    signal.signal(signal.SIGALRM, hung)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))  # what asks for more gets a MemoryError
    began, counts, places = time.monotonic(), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as temporary, contextlib.chdir(temporary):
        make_files(Path(temporary))
        fuzzer = Fuzzer(Path(temporary), options.seed)
        for number in range(options.tries):
            if time.monotonic() - began > options.seconds:
                break
            if number >= options.tries - options.commands:
                line = fuzzer.arguments()
                name, (kind, said) = f"asr-s2s {line}", real([*line, "--threads", "0"] if line[0] == "train" else line)
            else:
                sys.stdin = io.TextIOWrapper(io.BytesIO(b"no sound"))
                name, use = fuzzer.use()
                signal.setitimer(signal.ITIMER_REAL, 2 * LONGEST)
                kind, said = tried(use)
                signal.setitimer(signal.ITIMER_REAL, 0)
            counts[kind] += 1
            if kind == "fault":
                places[place := place_of(said)] += 1
                if places[place] == 1:
                    print(f"--- {number}: {name:.400}\n{said[-1500:]}", flush=True)
    print(f"seed {options.seed}: {counts.total()} tries in {time.monotonic() - began:.0f} s: "
          + ", ".join(f"{count} {kind}" for kind, count in counts.most_common()))  # fmt: skip
    for place, count in places.most_common():
        print(f"{count:5} {place}")
    return 1 if counts["fault"] else 0


if __name__ == "__main__":
    sys.exit(main())
