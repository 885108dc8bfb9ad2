"""Whisper checkpoints in both published forms, against transformers with the same weights."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from padded import padded_system
from torch import Tensor
from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from asr_s2s.audio import read_audio
from asr_s2s.errors import AsrError, CheckpointError
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import SpeechSystem, load_model
from asr_s2s.model_store.whisper import import_whisper
from asr_s2s.recognizer import DecodeOptions, Recognizer
from asr_s2s.recognizer.in_torch import in_torch

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
TOKENIZER = DATA / "whisper" / "tokenizer.json"
VOCABULARY = 51864
TO_OPENAI = [
    (r"^model\.", ""),
    (r"proj_out.*", ""),
    (r"\.layers\.", ".blocks."),
    (r"encoder\.layer_norm", "encoder.ln_post"),
    (r"decoder\.layer_norm", "decoder.ln"),
    (r"embed_tokens", "token_embedding"),
    (r"embed_positions\.weight", "positional_embedding"),
    (r"self_attn_layer_norm", "attn_ln"),
    (r"encoder_attn_layer_norm", "cross_attn_ln"),
    (r"final_layer_norm", "mlp_ln"),
    (r"self_attn", "attn"),
    (r"encoder_attn", "cross_attn"),
    (r"fc1", "mlp.0"),
    (r"fc2", "mlp.2"),
    (r"q_proj", "query"),
    (r"k_proj", "key"),
    (r"v_proj", "value"),
    (r"out_proj", "out"),
]


def reference_model(
    *, layers: int, channels: int, heads: int, vocabulary: int = VOCABULARY, last: int = 50256
) -> WhisperForConditionalGeneration:
    sizes = {"d_model": channels, "num_mel_bins": 80, "vocab_size": vocabulary, "dropout": 0.0}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": layers, f"{side}_attention_heads": heads, f"{side}_ffn_dim": 4 * channels}
    torch.manual_seed(0)
    end = {"bos_token_id": last, "eos_token_id": last, "pad_token_id": last, "decoder_start_token_id": last + 1}
    return WhisperForConditionalGeneration(WhisperConfig(**sizes, **end)).eval()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give a small random Whisper in both forms: Hugging Face's folder and OpenAI's .pt."""
    folder = tmp_path_factory.mktemp("published")
    model = reference_model(layers=2, channels=64, heads=2)
    model.save_pretrained(folder / "hf")
    (folder / "hf" / "tokenizer.json").write_bytes(TOKENIZER.read_bytes())
    state = {}
    for name, value in model.state_dict().items():
        for theirs, openai in TO_OPENAI:
            name = re.sub(theirs, openai, name)  # noqa: PLW2901 - one name through all patterns
        if name:
            state[name] = value
    sizes = {"n_mels": 80, "n_vocab": VOCABULARY}
    for part, longest in (("audio", 1500), ("text", 448)):
        sizes |= {f"n_{part}_ctx": longest, f"n_{part}_state": 64, f"n_{part}_head": 2, f"n_{part}_layer": 2}
    torch.save({"dims": sizes, "model_state_dict": state}, folder / "tiny.pt")
    return folder / "hf", folder / "tiny.pt"


def test_both_forms_give_the_same_weights(published: tuple[Path, Path], tmp_path: Path) -> None:
    hugging_face, openai = published
    first = import_whisper(hugging_face, tmp_path / "a", storage="float32").model.state_dict()
    second = import_whisper(openai, tmp_path / "b", storage="float32", tokenizer=TOKENIZER).model.state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_tokens_that_nobody_says_are_found_as_whisper_lists_them(tmp_path: Path, published: tuple[Path, Path]) -> None:
    system = import_whisper(published[0], tmp_path / "m")
    # among the 90 of the generation_config.json published with whisper-tiny.en
    assert {1, 2, 7, 8, 90, 366, 685, 705, 50257, 50357, 50361} <= set(system.vocabulary.suppressed)
    assert len(system.vocabulary.suppressed) == 90
    assert system.vocabulary.suppressed_first == (220, 50256)
    assert system.vocabulary.start_tokens == (50257, 50362)


def test_a_checkpoint_of_many_languages_says_which_and_what_it_can_do(tmp_path: Path) -> None:
    reference_model(layers=2, channels=64, heads=2, vocabulary=51865).save_pretrained(tmp_path / "hf")
    (tmp_path / "hf" / "tokenizer.json").write_bytes(TOKENIZER.read_bytes())
    heads = {"alignment_heads": [[0, 1], [1, 0]]}
    (tmp_path / "hf" / "generation_config.json").write_text(json.dumps(heads))
    system = import_whisper(tmp_path / "hf", tmp_path / "all")
    words = system.vocabulary
    assert words.languages[:3] == ("en", "zh", "de")
    assert len(words.languages) == len(words.language_tokens) == 98  # this tokenizer calls Hebrew iw, not he
    assert (words.language_tokens["de"], set(words.task_tokens)) == (50260, {"transcribe", "translate"})
    assert words.previous_token == 50360
    assert system.model.decoder.alignment_heads == ((0, 1), (1, 0))
    assert load_model(tmp_path / "all").vocabulary.start_tokens == words.start_tokens
    german = import_whisper(tmp_path / "hf", tmp_path / "de", language="de").vocabulary
    assert (german.languages, german.start_tokens[1]) == (("de",), 50260)


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("code in a pickle was run",)

    torch.save({"dims": {}, "model_state_dict": Harmful()}, tmp_path / "bad.pt")
    with pytest.raises(CheckpointError, match="is not OpenAI's form of a Whisper checkpoint"):
        import_whisper(tmp_path / "bad.pt", tmp_path / "m")


def of_openai(content: dict[str, Any], *, change: str) -> object:
    """Give a .pt's content as a stranger may have it."""
    sizes, state = dict(content["dims"]), dict(content["model_state_dict"])
    name = "decoder.token_embedding.weight"
    changes: dict[str, Callable[[], object]] = {
        "missing": lambda: state.pop(name),
        "wrong shape": lambda: state.update({name: state[name][:, :8].clone()}),
        "repeated for ever": lambda: state.update({name: torch.zeros(1, 1).expand(200_000, 200_000)}),
        "sparse": lambda: state.update({name: state[name].to_sparse()}),
        "meta": lambda: state.update({name: state[name].to("meta")}),
        "whole numbers": lambda: state.update({name: state[name].int()}),
        "NaN": lambda: state.update({name: state[name] * float("nan")}),
        "no tensor": lambda: state.update({name: "weights"}),
        "name": lambda: state.update({5: state[name]}),
        "more": lambda: state.update({"decoder.more": state[name]}),
        "huge": lambda: sizes.update(n_vocab=900_000, n_audio_state=65_536),
        "endless": lambda: sizes.update(n_text_layer=10**400),
        "text": lambda: sizes.update(n_mels="80"),
        "no size": lambda: sizes.pop("n_audio_layer"),
        "heads": lambda: sizes.update(n_text_head=7),
    }
    changes[change]()
    return {"dims": sizes, "model_state_dict": state}


OPENAI_CHANGES = (
    "missing", "wrong shape", "repeated for ever", "sparse", "meta", "whole numbers", "NaN", "no tensor", "name",
    "more", "huge", "endless", "text", "no size", "heads",
)  # fmt: skip


@pytest.mark.parametrize("change", OPENAI_CHANGES)
def test_a_pt_that_cannot_be_is_refused(published: tuple[Path, Path], tmp_path: Path, change: str) -> None:
    content = torch.load(published[1], weights_only=True)
    torch.save(of_openai(content, change=change), tmp_path / "x.pt")
    with pytest.raises(AsrError, match=r"x\.pt"):
        import_whisper(tmp_path / "x.pt", tmp_path / "m", tokenizer=TOKENIZER)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("content", [[], None, {"dims": 5, "model_state_dict": {}}, {"dims": {}}, "text"], ids=str)
def test_a_pt_of_something_else_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(AsrError, match=r"x\.pt"):
        import_whisper(tmp_path / "x.pt", tmp_path / "m", tokenizer=TOKENIZER)


def test_a_pt_that_unpacks_to_more_than_it_is_or_is_of_the_old_form_is_refused(
    published: tuple[Path, Path], tmp_path: Path
) -> None:
    with (
        zipfile.ZipFile(published[1]) as whole,
        zipfile.ZipFile(tmp_path / "x.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in whole.infolist():
            packed.writestr(entry.filename, whole.read(entry))
    torch.save({"dims": {}}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    for name, said in (("x.pt", "its content is compressed"), ("old.pt", "not a zip file")):
        with pytest.raises(CheckpointError, match=said):
            import_whisper(tmp_path / name, tmp_path / "m", tokenizer=TOKENIZER)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("config.json", '"d_model": "64"', r"config\.json: d_model: Input should be a valid integer"),
        ("config.json", '"d_model": 1e400', r"config\.json: d_model"),
        ("config.json", '"encoder_layers": 1000000', r"config\.json: encoder_layers"),
        ("config.json", '"vocab_size": 900000', "does not fit|larger network"),
        ("config.json", '"suppress_tokens": ["a"]', r"suppressed\.0"),
        ("config.json", '"begin_suppress_tokens": [4294967295]', "hold the id 4294967295"),
        ("config.json", "[" * 100_000, r"config\.json: cannot be read"),
        ("config.json", "", r"config\.json: cannot be read"),
        ("tokenizer.json", "null", r"tokenizer\.json: is not a tokenizer file"),
        ("tokenizer.json", '{"model": {"type": "BPE", "vocab": {}, "merges": []}}', "does not know"),
        ("model.safetensors", "", r"model\.safetensors: cannot be read"),
        ("model.safetensors", "x" * 5000, r"model\.safetensors: cannot be read"),
        ("model-2.safetensors", None, r"holds .* as another file does"),
    ],
    ids=range(13),
)
def test_a_folder_that_cannot_be_is_refused(
    published: tuple[Path, Path], tmp_path: Path, file: str, content: str | None, said: str
) -> None:
    folder = tmp_path / "hf"
    shutil.copytree(published[0], folder)
    if content is None:
        shutil.copy(folder / "model.safetensors", folder / file)
    elif content.startswith('"'):
        key = content.split(":")[0].strip('"')
        (folder / "generation_config.json").unlink(missing_ok=True)
        tree = json.loads((folder / file).read_text())
        tree.pop(key, None)
        (folder / file).write_text(json.dumps(tree).removesuffix("}") + f", {content}}}")
    else:
        (folder / file).write_text(content)
    with pytest.raises(AsrError, match=said):
        import_whisper(folder, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_foreign_folder_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no config\.json"):
        import_whisper(tmp_path, tmp_path / "m")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(CheckpointError, match="model_type is 'bert', not 'whisper'"):
        import_whisper(tmp_path, tmp_path / "m")


def hugging_face_state(system: SpeechSystem) -> dict[str, Tensor]:
    """Give a system's weights Hugging Face's names."""
    to_theirs = [
        ("encoder.stem.convolutions.0", "encoder.conv1"),
        ("encoder.stem.convolutions.1", "encoder.conv2"),
        ("encoder.tail", "encoder.layer_norm"),
        ("decoder.norm", "decoder.layer_norm"),
        ("decoder.embedding", "decoder.embed_tokens"),
        ("decoder.positions", "decoder.embed_positions"),
        ("self_attention_norm", "self_attn_layer_norm"),
        ("cross_attention_norm", "encoder_attn_layer_norm"),
        ("feedforward_norm", "final_layer_norm"),
        ("self_attention", "self_attn"),
        ("cross_attention", "encoder_attn"),
        ("feedforward.expand", "fc1"),
        ("feedforward.contract", "fc2"),
        (".query.", ".q_proj."),
        (".key.", ".k_proj."),
        (".value.", ".v_proj."),
        (".output.", ".out_proj."),
    ]
    state = {}
    for name, value in system.model.state_dict().items():
        for ours, theirs in to_theirs:
            name = name.replace(ours, theirs)  # noqa: PLW2901 - one name through all patterns
        state[f"model.{name}"] = value
    return state


@torch.inference_mode()
def test_the_shipped_weights_padded_say_what_hugging_faces_code_says_with_them() -> None:
    system = padded_system()
    words = system.vocabulary
    reference = reference_model(layers=4, channels=384, heads=6, vocabulary=words.size, last=words.end_token)
    lacking = reference.load_state_dict(hugging_face_state(system), strict=False)
    assert lacking.unexpected_keys == []
    assert set(lacking.missing_keys) <= {"model.encoder.embed_positions.weight", "proj_out.weight"}
    start, no_timestamps = words.start_tokens
    reference.generation_config = GenerationConfig(
        decoder_start_token_id=start,
        bos_token_id=words.end_token,
        eos_token_id=words.end_token,
        pad_token_id=words.end_token,
        no_timestamps_token_id=no_timestamps,
        is_multilingual=False,
        return_timestamps=False,
        suppress_tokens=list(words.suppressed),
        begin_suppress_tokens=list(words.suppressed_first),
        max_length=448,
    )
    special = {*words.start_tokens, words.end_token}
    recognizer = Recognizer(in_torch(system), DecodeOptions(beam=1, find_speech=False, repair=False))
    extractor = WhisperFeatureExtractor()
    for utterance in read_manifest(DATA / "manifest.jsonl"):
        if utterance.language != "en":
            continue
        samples = read_audio(utterance.audio_path)
        features = extractor(samples, sampling_rate=16_000, return_tensors="pt").input_features
        theirs = [token for token in map(int, reference.generate(features)[0]) if token not in special]
        ours = recognizer.transcribe(np.asarray(samples), sample_rate=16_000).text
        assert ours == words.decode(theirs).strip(), utterance.id
