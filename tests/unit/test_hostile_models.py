"""Model directories from strangers: what they hold is loaded or refused in a sentence, without gigabytes or a wait."""

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from model_tiny import tiny_system
from safetensors.torch import load_file, save_file

from asr_s2s.config import check_config, read_config
from asr_s2s.errors import AsrError, CheckpointError, ConfigError, VocabularyError
from asr_s2s.model_store import model_folder, read_card
from asr_s2s.model_store.average import average_models
from asr_s2s.model_store.directory import ModelDirectoryConfig, load_model, save_model
from asr_s2s.text import BytePairsConfig
from asr_s2s.text.byte_pairs import BytePairVocabulary

pytestmark = pytest.mark.unit

SECONDS, BYTES = 20, 300e6  # for a model of a few hundred weights; what is meant are minutes and gigabytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path / "m", tiny_system(), card="# tiny")
    return tmp_path / "m"


def rewritten(folder: Path, tensors: dict[str, torch.Tensor] | None = None, **header: str) -> Path:
    """Write the weights anew, as somebody does who knows the format: they belong to the configuration beside them."""
    file = folder / "model.safetensors"
    known = {"format": "1"}
    try:
        known["architecture"] = read_config(folder / "config.yaml", ModelDirectoryConfig).fingerprint()
    except ConfigError:
        known["architecture"] = "none"
    save_file(tensors or load_file(file), file, metadata=known | header)
    return folder


def refused(folder: Path) -> str:
    """Load a model that is to be refused, within seconds and megabytes; give what is said."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(AsrError) as error:
        load_model(folder)
    assert time.monotonic() - began < SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < BYTES
    return str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("search.beam", "100000", "search.beam: Input should be less than or equal to 100 (got 100000)"),
        ("search.max_tokens_per_frame", "1e300", "search.max_tokens_per_frame"),
        ("search.confidence_slope", "1e300", "search.confidence_slope"),
        ("search.length_bonus", ".nan", "search.length_bonus: Input should be a finite number"),
        ("search.language_weight", "1e400", "search.language_weight: Input should be a finite number"),
        ("model.encoder.layers", "1000000", "model.encoder.layers"),
        ("model.encoder.channels", "100000", "model.encoder.channels"),
        ("model.encoder.pyramid_layers", "50", "model.encoder.pyramid_layers"),
        ("model.decoder.embedding", "1000000000000", "model.decoder.embedding"),
        ("input.num_mels", "1000000", "input.num_mels"),
        ("model.decoder.channels", "9" * 400, "model.decoder.channels"),
        ("model.decoder.channels", "9" * 5000, "is not valid YAML"),
        ("input.num_mels", "9" * 400, "input.num_mels"),
        ("search.length_bonus", "9" * 400, "search.length_bonus"),
        # each within its bounds, and together more than the file holds
        ("model.encoder.channels", "65000", "asks for a larger network than the"),
        ("model.encoder.layers", "256", "asks for a larger network than the"),
        ("model.decoder.channels", "65536", "asks for a larger network than the"),
    ],
)
def test_sizes_are_bounded_and_compared_with_the_weights_before_memory_is_taken(
    folder: Path, key: str, value: str, said: str
) -> None:
    file = folder / "config.yaml"
    *parents, last = key.split(".")
    tree = yaml.safe_load(file.read_text())
    node = tree
    for parent in parents:
        node = node[parent]
    node[last] = "PLACE"
    file.write_text(yaml.safe_dump(tree).replace("PLACE", value))
    message = refused(rewritten(folder))
    assert said in message
    assert len(message) < 2000


@pytest.mark.parametrize(
    "content",
    [
        "a: &a [*a]",
        "x: 2024-99-99",
        "x: !!int ''",
        "x: !!float ''",
        "x: !!bool maybe",
        "x: 0x_",
        "[" * 100_000,
        "{? {}: 1}",
        "? [a]\n: b",
        "1: 2",
        "".join(
            f"k{n}: &k{n} {{<<: [{', '.join([f'*k{n - 1}'] * 9)}]}}\n" if n else "k0: &k0 {a: 1}\n" for n in range(40)
        ),
        "model: {encoder: [1, 2], decoder: null}",
        "- a",
        "\x00",
        "\ufeff{}",
        "",
    ],
)
def test_no_configuration_is_more_than_a_sentence(folder: Path, content: str) -> None:
    (folder / "config.yaml").write_text(content)
    assert refused(folder).startswith(str(folder / "config.yaml"))


def test_a_configuration_that_is_not_utf8_says_so(folder: Path) -> None:
    (folder / "config.yaml").write_bytes("# für mich\n".encode("latin-1"))
    assert "is not UTF-8 text (byte 3)." in refused(folder)


@settings(max_examples=20)
@given(st.binary(max_size=200), st.integers(0, 3000))
def test_no_bytes_in_any_file_of_a_model_are_more_than_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, inserted: bytes, place: int
) -> None:
    folder = tmp_path_factory.mktemp("any") / "m"
    save_model(folder, tiny_system(), card="")
    for name in ("config.yaml", "tokens.txt", "model.safetensors"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:place] + inserted + whole[place + len(inserted) // 2 :])
        try:
            load_model(folder)
        except AsrError as error:
            assert str(folder) in str(error)  # noqa: PT017 - it need not be refused
        (folder / name).write_bytes(whole)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_by_whatever_reads_them(folder: Path, value: float) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["model.ctc_head.weight"].view(-1)[3] = value
    rewritten(folder, tensors)
    assert "holds weights that are NaN or infinite: model.ctc_head.weight" in refused(folder)
    with pytest.raises(CheckpointError, match="NaN or infinite"):
        average_models([folder], folder.parent / "mean")
    assert not (folder.parent / "mean").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensor: tensor.int(), "holds torch.int32, not torch.float32"),
        (lambda tensor: tensor.bool(), "holds torch.bool, not torch.float32"),
        (lambda tensor: tensor[:1].clone(), "has shape (1, 8) instead of (8, 8)"),
        (lambda tensor: tensor[:0, 0].clone(), "has shape (0,) instead of"),
        (lambda tensor: tensor.to(torch.complex64), "not torch.float32"),
    ],
)
def test_weights_of_another_type_or_shape_are_named(folder: Path, change: Any, said: str) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["model.ctc_head.weight"] = change(tensors["model.ctc_head.weight"])
    assert said in refused(rewritten(folder, tensors))


@pytest.mark.parametrize(
    "packed", ["no json", "[" * 100_000, "[1]", "null", '{"nothing": 6}', '{"model.ctc_head.weight": 0}',
               '{"model.ctc_head.weight": 6}', '{"model.ctc_head.weight": "6"}', '{"model.ctc_head.weight": [[6]]}'],
)  # fmt: skip
def test_a_wrong_list_of_packed_weights_is_damage(folder: Path, packed: str) -> None:
    assert "The file is damaged" in refused(rewritten(folder, packed=packed))


def test_scales_that_do_not_fit_their_weights_are_damage(tmp_path: Path) -> None:
    save_model(tmp_path / "m", tiny_system(), card="", storage="int8")
    tensors = load_file(tmp_path / "m" / "model.safetensors")
    for scale in (torch.ones(7), torch.ones(0), torch.ones(3, 3, 3)):
        assert "The file is damaged" in refused(
            rewritten(tmp_path / "m", tensors | {"model.ctc_head.weight.scale": scale})
        )


@pytest.mark.parametrize("name", ["config.yaml", "model.safetensors", "tokens.txt", "README.md"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "loop", "missing"])
def test_a_part_of_a_model_that_is_no_file_is_refused(folder: Path, name: str, kind: str) -> None:
    (folder / name).unlink()
    if kind == "pipe":
        os.mkfifo(folder / name)
    elif kind == "folder":
        (folder / name).mkdir()
    elif kind == "device":
        (folder / name).symlink_to("/dev/zero")
    elif kind == "loop":
        (folder / name).symlink_to(folder / name)
    if name == "README.md":
        assert read_card(folder) == ""  # a card is no condition
    else:
        assert name in refused(folder)


TOKENIZER: dict[str, Any] = {
    "version": "1.0",
    "added_tokens": [],
    "model": {"type": "BPE", "vocab": {"<s>": 0, "</s>": 1, "a": 2, "b": 3, "ab": 4}, "merges": ["a b"]},
}
BYTE_PAIRS = {"kind": "bpe", "prompt": ["<s>"], "end": "</s>"}


def byte_pairs(content: str, **config: Any) -> BytePairVocabulary:
    return check_config(BYTE_PAIRS | config, BytePairsConfig, origin="config.yaml").build(content, origin="t.json")


@pytest.mark.parametrize(
    ("content", "config"),
    [
        ("[" * 200_000, {}),
        ("null", {}),
        ("{}", {}),
        (json.dumps(TOKENIZER).replace("4", "4294967295"), {}),
        (json.dumps(TOKENIZER).replace('"ab": 4', '"ab": -1'), {}),
        (json.dumps(TOKENIZER).replace('"ab": 4', '"ab": 40'), {}),
        (json.dumps(TOKENIZER), {"suppressed": [5]}),
        (json.dumps(TOKENIZER), {"suppressed_first": [-1]}),
        (json.dumps(TOKENIZER), {"size": 4}),
        (json.dumps(TOKENIZER), {"size": 10**9}),
        (json.dumps(TOKENIZER), {"suppressed": ["a"]}),
        (json.dumps(TOKENIZER), {"end": "<|nothing|>"}),
    ],
)
def test_a_tokenizer_whose_ids_cannot_be_is_refused(content: str, config: dict[str, Any]) -> None:
    with pytest.raises((VocabularyError, ConfigError)):
        byte_pairs(content, **config)


def test_a_tokenizer_neither_shortens_texts_nor_fills_them_up() -> None:
    cut = {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0}
    filled = {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
              "pad_type_id": 0, "pad_token": "<s>"}  # fmt: skip
    plain, changed = (byte_pairs(json.dumps(TOKENIZER | more)) for more in ({}, {"truncation": cut, "padding": filled}))
    assert changed.encode("abab") == plain.encode("abab")
    assert len(changed.encode("abab")) == 2


def test_a_vocabulary_of_a_million_lines_is_answered_at_once(folder: Path) -> None:
    (folder / "tokens.txt").write_text(
        "<blank>\n<s>\n</s>\n<unk>\n<space>\n" + "".join(map(chr, range(0x4E00, 0x9FFF)))
    )
    assert "tokens.txt" in refused(folder)
    with (folder / "tokens.txt").open("wb") as file:
        file.truncate(10**10)  # that takes no room on the disk
    assert "it has more than 40 MB" in refused(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="drops root's rights")
def test_weights_that_may_not_be_read_are_not_called_missing_or_damaged(folder: Path) -> None:
    load_model(folder)  # what that user cannot import
    (folder / "model.safetensors").chmod(0o000)
    for parent in (folder, *folder.parents[:3]):  # pytest keeps them private
        parent.chmod(0o755)
    os.seteuid(65534)
    try:
        said = refused(folder)
    finally:
        os.seteuid(0)
    assert said.endswith(
        "model.safetensors: cannot be read (Permission denied). Check its permissions, or copy it again."
    )


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    system = tiny_system()
    written = set()
    for number in range(8):
        save_model(tmp_path / str(number), system, card="", storage="compact")
        written.add((tmp_path / str(number) / "model.safetensors").read_bytes())
    assert len(written) == 1


@pytest.mark.parametrize("name", ["", ".", "n" * 300, "n/" * 3000, "a\0b", "\udce9", "nobody", "/dev/zero"])
def test_no_name_of_a_model_is_more_than_a_sentence(name: str) -> None:
    with pytest.raises(CheckpointError):
        model_folder(name)
