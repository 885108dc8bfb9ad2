import json
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_tiny import TREE, tiny_system, weights
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from asr_s2s.config import check_config, read_config
from asr_s2s.engine import token_rules
from asr_s2s.engine.onnx_engine import OnnxEngine
from asr_s2s.errors import CheckpointError, ConfigError
from asr_s2s.model_store import model_folder
from asr_s2s.model_store.average import average_models
from asr_s2s.model_store.describe import describe
from asr_s2s.model_store.directory import ModelDirectoryConfig, SpeechSystem, build_system, load_model, save_model
from asr_s2s.model_store.quantize import dequantize, pack, quantize, unpack
from asr_s2s.model_store.stored import open_weights
from asr_s2s.text import CharacterVocabulary

pytestmark = pytest.mark.unit


def test_what_is_saved_is_loaded_to_the_last_bit(tmp_path: Path) -> None:
    system = tiny_system()
    save_model(tmp_path / "m", system, card="# tiny")
    loaded = load_model(tmp_path / "m")
    assert loaded.config == system.config
    assert loaded.name == "m"
    assert token_rules(loaded.vocabulary) == token_rules(system.vocabulary)
    for name, value in weights(system).items():
        assert torch.equal(weights(loaded)[name], value), name
    assert (tmp_path / "m" / "README.md").read_text() == "# tiny"


def test_a_directory_of_an_earlier_version_is_read_as_before(tmp_path: Path) -> None:
    """`commands` was saved before keys and modules were renamed; here its configuration has the old keys again."""
    folder = tmp_path / "commands"
    shutil.copytree(model_folder("commands"), folder)
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("input:", "features:").replace(" stem:", " subsampling:"))
    before, now = load_model(folder), load_model("commands")
    assert before.config == now.config
    assert all(torch.equal(weights(before)[name], value) for name, value in weights(now).items())
    with pytest.raises(ConfigError, match="features: is called 'input' now"):
        read_config(folder / "config.yaml", ModelDirectoryConfig)
    engines = [OnnxEngine(each) for each in (folder, model_folder("commands"))]
    log_probs = [engine.ctc_log_probs(engine.encode([np.zeros(8000, np.float32)])) for engine in engines]
    np.testing.assert_array_equal(*log_probs)


def test_names_of_weights_in_the_file_stay_as_they_were(tmp_path: Path) -> None:
    save_model(tmp_path / "m", tiny_system(), card="")
    names = load_file(tmp_path / "m" / "model.safetensors").keys()
    parts = {name.rpartition(".")[0].removeprefix("model.encoder.") for name in names if ".encoder." in name}
    assert parts == {
        "subsampling.convolutions.0",
        "subsampling.convolutions.1",
        "subsampling.projection",
        "layers.0.forwards",
        "layers.0.backwards",
        "layers.0.norm",
    }


@pytest.mark.parametrize(("storage", "step"), [("float16", 2.0**-11), ("int8", 0.5 / 127)])
def test_narrow_storage_keeps_weights_to_half_a_step_of_each_row(tmp_path: Path, storage: str, step: float) -> None:
    system = tiny_system()
    save_model(tmp_path / "m", system, card="", storage=storage)
    for name, value in weights(load_model(tmp_path / "m")).items():
        expected = weights(system)[name]
        if expected.dim() < 2:
            assert torch.equal(value, expected), f"{name} is small and stays whole"
        else:
            largest = expected.flatten(1).abs().amax(dim=1)
            errors = (value - expected).flatten(1).abs().amax(dim=1)
            assert (errors <= step * largest * 1.001 + 1e-7).all(), name  # 1e-7: float16's smallest numbers
    narrow, wide = (
        (tmp_path / "m" / "model.safetensors").stat().st_size,
        sum(v.nbytes for v in weights(system).values()),
    )
    assert narrow < wide + 4096


@given(st.lists(st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3), min_size=1, max_size=5))
def test_eight_bits_lose_at_most_half_a_step_and_keep_zero_and_the_largest(rows: list[list[float]]) -> None:
    weight = torch.tensor(rows)
    values, scale = quantize(weight.numpy())
    restored = torch.from_numpy(dequantize(values, scale))
    assert ((restored - weight).abs() <= torch.from_numpy(scale)[:, None] * 0.501 + 1e-35).all()
    assert (restored[weight == 0] == 0).all()
    largest = weight.abs() == weight.abs().amax(dim=1, keepdim=True)
    torch.testing.assert_close(restored[largest], weight[largest])


@given(st.integers(2, 8), st.integers(1, 5), st.integers(1, 3), st.randoms(use_true_random=False))
def test_packed_values_come_back_and_fill_no_more_bytes_than_they_must(
    bits: int, rows: int, eights: int, random: Random
) -> None:
    largest = 2 ** (bits - 1) - 1
    values = [[random.randint(-largest, largest) for _ in range(8 * eights)] for _ in range(rows)]
    packed = pack(np.array(values, np.int8), bits=bits)
    assert packed.shape == (rows, eights * bits)
    assert packed.dtype == np.uint8
    assert unpack(packed, bits=bits).tolist() == values


@given(rows=st.integers(1, 300), bits=st.sampled_from([5, 6]), random=st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_a_fitted_scale_never_has_a_larger_squared_error(rows: int, bits: int, random: Random) -> None:
    weight = np.random.default_rng(random.randint(0, 2**32 - 1)).normal(size=(rows, 64)).astype(np.float32)
    weight[0] = 0
    plain, fitted = (dequantize(*quantize(weight, bits=bits, fitted=each)) for each in (False, True))
    errors = [np.square(each - weight).sum(axis=1) for each in (plain, fitted)]
    assert (errors[1] <= errors[0] * (1 + 1e-6)).all()
    assert not fitted[0].any()


def system_with_wide_matrices() -> SpeechSystem:
    """Build a small system, some of whose matrices are wide enough to be stored in few bits."""
    tree = json.loads(json.dumps(TREE))
    tree["model"]["decoder"] |= {"embedding": 64, "channels": 64}
    torch.manual_seed(0)
    config = check_config(tree, ModelDirectoryConfig, origin="test")
    system = build_system(config, CharacterVocabulary.from_texts(["abc"]), name="tiny")
    system.front_end.set_statistics(torch.randn(20), torch.rand(20) + 1)
    return system


def test_small_storage_keeps_weights_that_are_rounded_already(tmp_path: Path) -> None:
    system = system_with_wide_matrices()
    save_model(tmp_path / "m", system, card="", storage="small")
    once = load_model(tmp_path / "m")
    save_model(tmp_path / "n", once, card="", storage="small")
    first, again = weights(once), weights(load_model(tmp_path / "n"))
    packed = open_weights(tmp_path / "m" / "model.safetensors").bits
    assert set(packed.values()) == {5, 6}
    for name in (name.removeprefix("model.") for name in packed):
        torch.testing.assert_close(again[name], first[name], rtol=1e-3, atol=1e-6)  # float16 of the scale


def test_compact_storage_keeps_the_embedding_in_five_bits_and_other_matrices_in_six(tmp_path: Path) -> None:
    system = system_with_wide_matrices()
    save_model(tmp_path / "m", system, card="", storage="compact")
    save_model(tmp_path / "n", system, card="", storage="int8")
    compact, narrow, whole = (
        weights(each) for each in (load_model(tmp_path / "m"), load_model(tmp_path / "n"), system)
    )
    (embedding,) = [name for name in compact if name.endswith("decoder.embedding.weight")]
    sixes = [name for name, each in whole.items() if each.dim() == 2 and each.size(1) % 64 == 0 and name != embedding]
    assert sixes
    assert all(torch.equal(compact[name], narrow[name]) for name in compact if name not in (embedding, *sixes))
    for name, group, largest in ((embedding, 32, 15), *((name, 64, 31) for name in sixes)):
        groups = whole[name].reshape(-1, group)
        step = groups.abs().amax(dim=1, keepdim=True) / largest
        errors = (compact[name].reshape(-1, group) - groups).abs()
        assert (errors <= 0.52 * step).all()  # half a step, and what float16 takes off the scale
        assert errors.max() > 0.3 * step.min()
    groups = whole[embedding]
    with safe_open(tmp_path / "m" / "model.safetensors", framework="pt") as file:
        assert file.get_tensor(f"model.{embedding}").nbytes == groups.numel() * 5 // 8
        assert file.get_tensor(f"model.{embedding}.scale").nbytes == groups.numel() // 16


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    save_model(tmp_path / "m", tiny_system(), card="")
    config = tmp_path / "m" / "config.yaml"
    config.write_text(config.read_text().replace("kind: gru", "kind: lstm"))
    with pytest.raises(CheckpointError, match=r"was not saved with the config\.yaml beside it"):
        load_model(tmp_path / "m")


def test_decoding_defaults_may_be_edited(tmp_path: Path) -> None:
    save_model(tmp_path / "m", tiny_system(), card="")
    config = tmp_path / "m" / "config.yaml"
    config.write_text(config.read_text().replace("beam: 5", "beam: 2"))
    assert load_model(tmp_path / "m").config.search.beam == 2


def test_a_wrong_key_in_a_model_directory_names_the_nearest(tmp_path: Path) -> None:
    save_model(tmp_path / "m", tiny_system(), card="")
    config = tmp_path / "m" / "config.yaml"
    config.write_text(config.read_text().replace("  beam: 5", "  beem: 5"))
    with pytest.raises(ConfigError, match=r"search\.beem: unknown key, did you mean 'beam'"):
        load_model(tmp_path / "m")


def test_a_weight_of_another_size_is_named_with_both_sizes(tmp_path: Path) -> None:
    save_model(tmp_path / "m", tiny_system(), card="")
    file = tmp_path / "m" / "model.safetensors"
    tensors = load_file(file)
    tensors["model.ctc_head.weight"] = torch.zeros(3, 3)
    header = {"format": "1", "architecture": tiny_system().config.fingerprint()}
    save_file(tensors, file, metadata=header)
    with pytest.raises(CheckpointError, match=r"model\.ctc_head\.weight has shape \(3, 3\) instead of"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("cut", [0, 5, 2000])
def test_a_cut_off_weights_file_is_said_to_be_damaged(tmp_path: Path, cut: int) -> None:
    save_model(tmp_path / "m", tiny_system(), card="")
    file = tmp_path / "m" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(CheckpointError, match="is damaged"):
        load_model(tmp_path / "m")


def test_another_format_version_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path / "m", tiny_system(), card="")
    file = tmp_path / "m" / "model.safetensors"
    save_file(load_file(file), file, metadata={"format": "99"})
    with pytest.raises(CheckpointError, match="has format 99, this version reads 1"):
        load_model(tmp_path / "m")


def test_an_unknown_model_is_answered_with_the_shipped_names(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"neither a shipped model \(.*en.*\) nor a folder"):
        load_model("klingon")
    with pytest.raises(CheckpointError, match=r"Missing: config\.yaml, model\.safetensors"):
        load_model(tmp_path)


def test_the_average_is_the_mean_of_every_weight(tmp_path: Path) -> None:
    systems = [tiny_system(seed=seed) for seed in range(3)]
    for index, system in enumerate(systems):
        system.front_end.load_state_dict(systems[0].front_end.state_dict())
        save_model(tmp_path / str(index), system, card="")
    average_models([tmp_path / str(index) for index in range(3)], tmp_path / "mean")
    averaged = load_model(tmp_path / "mean").model.state_dict()
    for name, value in averaged.items():
        expected = torch.stack([system.model.state_dict()[name] for system in systems]).mean(dim=0)
        torch.testing.assert_close(value, expected, atol=1e-6, rtol=0)


def test_models_with_other_letters_cannot_be_averaged(tmp_path: Path) -> None:
    save_model(tmp_path / "a", tiny_system(), card="")
    save_model(tmp_path / "b", tiny_system(letters="abd"), card="")
    with pytest.raises(CheckpointError, match="Only models of one architecture can be averaged"):
        average_models([tmp_path / "a", tmp_path / "b"], tmp_path / "mean")


def test_a_description_counts_the_parameters(tmp_path: Path) -> None:
    system = tiny_system()
    save_model(tmp_path / "m", replace(system, name="m"), card="")
    number = sum(parameter.numel() for parameter in system.model.parameters())
    assert f"whole model: {number / 1e6:.2f} M parameters" in describe(tmp_path / "m")


def test_a_description_counts_long_lists_and_fits_a_screen() -> None:
    lines = describe("en").split("\n")
    assert "  suppressed: 57 tokens" in lines
    assert "  prompt: [<|startoftranscript|>, <|notimestamps|>]" in lines
    assert len(lines) < 50


def test_the_metadata_holds_version_and_hash(tmp_path: Path) -> None:
    system = tiny_system()
    save_model(tmp_path / "m", system, card="")
    content = (tmp_path / "m" / "model.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["__metadata__"] == {
        "format": "1",
        "storage": "float32",
        "architecture": system.config.fingerprint(),
    }
