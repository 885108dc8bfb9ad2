"""bfloat16 instead of float32: the same words, but for a rounding now and then, whoever is in the batch."""

from pathlib import Path

import pytest
import torch

import asr_s2s
from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.errors import ConfigError
from asr_s2s.manifest import read_manifest
from asr_s2s.recognizer import Recognizer
from asr_s2s.transcripts import Transcript

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
# Matrix units add up in one order; without them the order follows the size of the batch, and a close call may turn
CHANGED = 0 if torch.cpu.get_capabilities().get("amx_bf16") else 1
CLIPS = [item.audio_path for item in read_manifest(DATA / "manifest.jsonl") if item.language == "en"]


def texts(recognizer: Recognizer, clips: list[Path]) -> list[str]:
    found = [result for _, result in recognizer.transcribe_many(clips)]
    assert all(isinstance(result, Transcript) for result in found)
    return [result.text for result in found if isinstance(result, Transcript)]


@pytest.fixture(scope="module")
def narrow() -> Recognizer:
    return asr_s2s.load("en", precision="bfloat16", device="cpu")


def test_bfloat16_hears_what_float32_hears(narrow: Recognizer) -> None:
    full = texts(asr_s2s.load("en", runtime="torch", precision="float32", device="cpu"), CLIPS)
    same = [one == other for one, other in zip(texts(narrow, CLIPS), full, strict=True)]
    assert sum(same) >= len(CLIPS) - 2, [clip.name for clip, equal in zip(CLIPS, same, strict=True) if not equal]


def test_a_text_in_bfloat16_does_not_depend_on_the_neighbours(narrow: Recognizer) -> None:
    together = texts(narrow, CLIPS)
    backwards = texts(narrow, CLIPS[::-1])[::-1]
    alone = [narrow.transcribe(clip).text for clip in CLIPS]
    for others in (backwards, alone):
        changed = [clip.name for clip, one, other in zip(CLIPS, together, others, strict=True) if one != other]
        assert len(changed) <= CHANGED, changed


def test_bfloat16_takes_half_the_memory_for_the_matrices_and_leaves_the_sums_alone(narrow: Recognizer) -> None:
    engine = narrow.model.engine
    assert isinstance(engine, TorchEngine)
    types = {name: weight.dtype for name, weight in engine.model.named_parameters()}
    assert types["decoder.embedding.weight"] is torch.bfloat16
    assert {kind for name, kind in types.items() if "norm" in name} == {torch.float32}


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"precision: Input should be 'auto', .* or 'int8' \(got 'half'\)"):
        asr_s2s.load("commands", precision="half")
