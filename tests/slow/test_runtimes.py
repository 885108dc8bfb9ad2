"""The same texts from every runtime, options that travel with a call, and which runtime is taken by itself."""

import shutil
from pathlib import Path

import pytest

from asr_s2s.errors import CheckpointError, ConfigError
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store import model_folder
from asr_s2s.recognizer import DecodeOptions, load
from asr_s2s.transcripts import Transcript

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
CLIPS = [item.audio_path for item in read_manifest(DATA / "manifest.jsonl")]


@pytest.mark.parametrize("model", ["en", "commands"])
def test_both_runtimes_give_the_same_transcripts(model: str) -> None:
    found = []
    for runtime in ("onnx", "torch"):
        recognizer = load(model, runtime=runtime, precision="float32", device="cpu")
        results = [result for _, result in recognizer.transcribe_many(CLIPS)]
        assert all(isinstance(result, Transcript) for result in results)
        found.append(results)
    for one, other in zip(*found, strict=True):
        assert one.text == other.text
        assert one.flags.keys() == other.flags.keys()
        for word, same in zip(one.words, other.words, strict=True):
            assert abs(word.start - same.start) <= 0.041  # two encoder frames: a path may turn where it is all the same
            assert word.probability == pytest.approx(same.probability, abs=1e-3)


def test_options_of_a_call_hold_for_it_alone() -> None:
    recognizer = load("en", threads=1)
    plain = recognizer.transcribe(CLIPS[0])
    expected = DecodeOptions(hotwords=("Borialis",), beam=3)
    assert recognizer.transcribe(CLIPS[0], options=expected) == load(
        "en", threads=1, hotwords=["Borialis"], beam=3
    ).transcribe(CLIPS[0])
    assert recognizer.transcribe(CLIPS[0]) == plain


def test_a_model_without_graphs_runs_in_torch_and_says_so_where_it_shall_not(tmp_path: Path) -> None:
    shutil.copytree(model_folder("commands"), tmp_path / "m", ignore=shutil.ignore_patterns("graph"))
    assert load(tmp_path / "m").transcribe(DATA / "prac8p.ogg").text == "place red at c eight please"
    with pytest.raises(CheckpointError, match=r"has no graph/.*asr-s2s model export .*m --graph"):
        load(tmp_path / "m", runtime="onnx")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"runtime": "tensorflow"}, "runtime: Input should be 'auto', 'onnx' or 'torch'"),
        ({"runtime": "onnx", "device": "cuda"}, "device 'cuda': the onnx runtime computes on the processor"),
        ({"runtime": "onnx", "precision": "bfloat16"}, "precision 'bfloat16': the onnx runtime computes"),
        ({"runtime": "torch", "precision": "int8"}, "precision 'int8': torch takes float32 or bfloat16"),
    ],
)
def test_what_a_runtime_cannot_do_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load("commands", **options)
