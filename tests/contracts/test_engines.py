"""ONNX Runtime gives what torch gives: every encoder, decoder and attention, any number of utterances, any length."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_speech_model import DECODERS, ENCODERS

from asr_s2s.audio import read_audio
from asr_s2s.config import check_config
from asr_s2s.engine import Encoding, TokenRules, int8, token_rules
from asr_s2s.engine.export import export_graphs, export_language_graphs
from asr_s2s.engine.int8 import has_int8_units
from asr_s2s.engine.onnx_engine import OnnxEngine
from asr_s2s.engine.onnx_language import OnnxLanguageEngine
from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.engine.torch_language import TorchLanguageEngine
from asr_s2s.model_store.directory import ModelDirectoryConfig, SpeechSystem, build_system, save_model
from asr_s2s.model_store.graphs import graph_path
from asr_s2s.model_store.language import LanguageDirectoryConfig, LanguageSystem, save_language_model
from asr_s2s.text import CharacterVocabulary

pytestmark = pytest.mark.slow

CLIPS = Path(__file__).parents[1] / "data"
CLOSE = {"atol": 1e-4, "rtol": 1e-4}  # worst seen 3e-5: float32, in products of another order
VOCABULARY = CharacterVocabulary.from_texts(["abcdefgh"])
RULES = token_rules(VOCABULARY)
KALDI = {"kind": "kaldi", "num_mels": 20, "normalize": "utterance"}
# each encoder, decoder and attention at least once: the graphs of an encoder do not depend on its decoder
MODELS = {
    "lstm, lstm with location": (KALDI, "lstm", "lstm location", {"ctc": True, "length": True}),
    "gru, gru with additive": (KALDI | {"normalize": "global"}, "gru", "gru additive", {"length": True}),
    "conformer, lstm with multihead": (KALDI, "conformer", "lstm multihead", {"ctc": True}),
    "transformer, gru with none": (KALDI, "transformer", "gru none", {}),
    "merged silence": (
        {"kind": "whisper", "tail_seconds": 0.5},
        "transformer",
        "transformer",
        {"silence": {"window": 60, "frames": 4}},
    ),
    "padded, lstm with dot": ({"kind": "whisper", "pad_to_seconds": 2.0}, "transformer", "lstm dot", {}),
}
LANGUAGE_MODELS = {
    "lstm": {"kind": "lstm", "embedding": 8, "channels": 8, "layers": 2},
    "transformer": {"kind": "transformer", "channels": 8, "heads": 2, "layers": 2, "feedforward": 16},
}
Engines = tuple[TorchEngine, OnnxEngine]
Exported = tuple[SpeechSystem, Path]


@pytest.fixture(scope="module", params=MODELS.values(), ids=MODELS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A small random model, and the directory with its weights and graphs."""
    features, encoder, decoder, others = request.param
    model = {"encoder": ENCODERS[encoder], **DECODERS[decoder], **others}
    tree = {"input": features, "vocabulary": {"kind": "characters"}, "model": model}
    torch.manual_seed(5)
    config = check_config(tree, ModelDirectoryConfig, origin="test")
    system = build_system(config, VOCABULARY, name="tiny")
    for part in (system.model, system.front_end):
        part.eval().requires_grad_(requires_grad=False)
    if system.front_end.needs_statistics:
        system.front_end.set_statistics(torch.randn(20), torch.rand(20) + 1)
    folder = tmp_path_factory.mktemp("model")
    save_model(folder, system, card="")
    export_graphs(folder, system)
    return system, folder


@pytest.fixture(scope="module")
def engines(exported: Exported) -> Engines:
    """The model in torch, and its graphs."""
    system, folder = exported
    return TorchEngine(system.model, system.front_end), OnnxEngine(folder)


def clips() -> list[np.ndarray]:
    """Speech of 0.5 to 1.9 seconds."""
    files = ["0_jackson_18", "9_george_9", "3_yweweler_37", "arctic_a0015_1592748256"]
    return [read_audio(CLIPS / f"{name}.ogg") for name in files]


def encodings(engines: Engines) -> list[Encoding]:
    return [engine.encode(clips()) for engine in engines]


def language_system(kind: str, *, seed: int) -> LanguageSystem:
    tree = {"kind": "language_model", "vocabulary": {"kind": "characters"}, "model": LANGUAGE_MODELS[kind]}
    torch.manual_seed(seed)
    config = check_config(tree, LanguageDirectoryConfig, origin="test")
    model = config.model.build(VOCABULARY.size).eval().requires_grad_(requires_grad=False)
    return LanguageSystem("tiny", config, model, VOCABULARY)


def every_token(*shape: int) -> np.ndarray:
    return np.broadcast_to(np.arange(VOCABULARY.size), (*shape, VOCABULARY.size))


def test_encodings_lengths_and_heads_are_those_of_torch(engines: Engines) -> None:
    of_torch, of_onnx = engines
    expected, found = encodings(engines)
    lengths = [1, 399, 400, 16_000, 31_999]
    assert of_onnx.frames(lengths).tolist() == of_torch.frames(lengths).tolist()
    assert found.lengths.tolist() == expected.lengths.tolist()
    assert found.sound_lengths.tolist() == expected.sound_lengths.tolist()
    # worst seen 2e-4: frequencies without energy, whose logarithm is that of the transform's rounding
    np.testing.assert_allclose(found.states.encoder_out, expected.states.numpy(), atol=1e-3)
    assert (of_onnx.vocabulary_size, of_onnx.max_tokens) == (of_torch.vocabulary_size, of_torch.max_tokens)
    assert of_onnx.has_ctc == of_torch.has_ctc
    if of_torch.has_ctc:
        np.testing.assert_allclose(of_onnx.ctc_log_probs(found), of_torch.ctc_log_probs(expected), atol=1e-3)
    wanted, predicted = of_torch.predicted_lengths(expected), of_onnx.predicted_lengths(found)
    assert (predicted is None) == (wanted is None)
    if predicted is not None and wanted is not None:
        np.testing.assert_allclose(predicted, wanted, rtol=1e-4)


def test_features_are_those_of_torch(engines: Engines) -> None:
    expected, found = (engine.features(clips()[0]) for engine in engines)
    np.testing.assert_allclose(found, expected, atol=2e-3)  # the same, before the layers that make less of it


def test_a_recording_alone_is_encoded_as_among_others(engines: Engines) -> None:
    _, of_onnx = engines
    together = of_onnx.encode(clips())
    for place, clip in enumerate(clips()):
        alone = of_onnx.encode([clip])
        assert alone.lengths.tolist() == [together.lengths[place]]
        length = int(together.lengths[place])
        np.testing.assert_array_equal(alone.states.encoder_out[0, :length], together.states.encoder_out[place, :length])


def test_a_search_goes_as_in_torch(engines: Engines) -> None:
    """Beams grow, change places and are dropped, and utterances leave the batch."""
    random = np.random.default_rng(3)
    pairs = zip(engines, encodings(engines), strict=True)
    states = [engine.start(encoding, RULES).state for engine, encoding in pairs]
    tokens = np.full((4, 1), RULES.start_tokens[-1])
    for place in range(12):
        forbidden = [1, 4] if place % 2 else []
        steps = [engine.step(tokens, state, forbidden=forbidden) for engine, state in zip(engines, states, strict=True)]
        expected, found = (scores.at(every_token(*tokens.shape)) for scores, _ in steps)
        np.testing.assert_allclose(found, expected, **CLOSE)
        for gains in (None, random.normal(size=expected.shape).astype(np.float32)):
            (expected, of_torch), (found, of_onnx) = (scores.top(3, gains=gains) for scores, _ in steps)
            np.testing.assert_allclose(found, expected, **CLOSE)
            assert of_onnx.tolist() == of_torch.tolist()
        beams = random.integers(0, tokens.shape[1], (len(tokens), 1 + place % 4))
        states = [engine.reorder(state, beams) for engine, (_, state) in zip(engines, steps, strict=True)]
        tokens = random.integers(3, VOCABULARY.size, beams.shape)
        if place == 6:
            kept = np.array([3, 1])
            states = [engine.keep(state, kept) for engine, state in zip(engines, states, strict=True)]
            tokens = tokens[kept]


def test_a_text_begins_behind_an_earlier_one_as_in_torch(engines: Engines) -> None:
    """What the model would say at the begin of the text is asked there, not at the first start token."""
    rules = TokenRules((7, 5, 6, 1, 4, 1), end_token=2, no_speech_token=8, begin=3)
    expected, found = (
        engine.start(encoding, rules) for engine, encoding in zip(engines, encodings(engines), strict=True)
    )
    np.testing.assert_allclose(found.no_speech, expected.no_speech, **CLOSE)
    of_onnx, encoding = engines[1], encodings(engines)[1]
    state = of_onnx.start(encoding, replace(rules, start_tokens=rules.start_tokens[:4])).state
    scores, _ = of_onnx.step(np.ones((4, 1), np.int64), state)
    np.testing.assert_allclose(np.exp(scores.at(np.full((4, 1, 1), 8)))[:, 0, 0], found.no_speech, **CLOSE)


def test_whole_texts_are_read_as_in_torch(engines: Engines) -> None:
    texts = [[5, 6, 7, 7], [], [8], [4, 9, 3]]
    pairs = list(zip(engines, encodings(engines), strict=True))
    expected, found = (engine.read(each, texts, RULES).at(every_token(4, 5)) for engine, each in pairs)
    for row, text in enumerate(texts):
        np.testing.assert_allclose(found[row, : len(text) + 1], expected[row, : len(text) + 1], **CLOSE)
    of_torch, of_onnx = (engine.attention(each, texts, RULES) for engine, each in pairs)
    assert (of_torch is None) == (of_onnx is None)
    for wanted, given in zip(of_torch or (), of_onnx or (), strict=True):
        np.testing.assert_allclose(given, wanted, **CLOSE)


@pytest.mark.skipif(not has_int8_units(), reason="sums of 8-bit integers overflow without VNNI units")
def test_in_8_bits_texts_are_scored_nearly_alike_and_alone_as_among_others(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "LEAST_SIZE", 1)
    in_float, in_int8 = OnnxEngine(exported[1]), OnnxEngine(exported[1], int8=True)
    texts = [[5, 6, 7, 7], [4], [8, 8, 3], [4, 9, 3]]
    every = every_token(4, 5)
    encoding = in_int8.encode(clips())
    expected, found = (engine.read(engine.encode(clips()), texts, RULES).at(every) for engine in (in_float, in_int8))
    for place, (clip, text) in enumerate(zip(clips(), texts, strict=True)):
        end = len(text) + 1
        np.testing.assert_allclose(found[place, :end], expected[place, :end], atol=0.1)  # worst seen 0.05
        alone = in_int8.encode([clip])
        length = int(alone.lengths[0])
        np.testing.assert_array_equal(alone.states.encoder_out[0], encoding.states.encoder_out[place, :length])
        np.testing.assert_allclose(
            in_int8.read(alone, [text], RULES).at(every[:1, :end])[0], found[place, :end], **CLOSE
        )


@pytest.mark.parametrize("kind", LANGUAGE_MODELS)
def test_a_graph_holds_no_weights(kind: str, tmp_path: Path) -> None:
    for seed in (1, 2):
        export_language_graphs(tmp_path / str(seed), language_system(kind, seed=seed))
    first, second = (graph_path(tmp_path / seed, "step").read_bytes() for seed in "12")
    assert first == second


@pytest.mark.parametrize("kind", LANGUAGE_MODELS)
def test_a_language_model_scores_as_in_torch(kind: str, tmp_path: Path) -> None:
    system = language_system(kind, seed=2)
    save_language_model(tmp_path, system, card="")
    export_language_graphs(tmp_path, system)
    pair = (
        TorchLanguageEngine(system.model, vocabulary_size=VOCABULARY.size, device=torch.device("cpu")),
        OnnxLanguageEngine(tmp_path),
    )
    states = [engine.start(2) for engine in pair]
    tokens, beams = np.array([[1], [1]]), np.array([[0, 0], [0, 0]])
    for place in range(9):
        steps = [engine.step(tokens, state) for engine, state in zip(pair, states, strict=True)]
        expected, found = (scores.at(every_token(*tokens.shape)) for scores, _ in steps)
        np.testing.assert_allclose(found, expected, **CLOSE)
        states = [engine.reorder(state, beams) for engine, (_, state) in zip(pair, steps, strict=True)]
        tokens, beams = (
            np.array([[3, 4], [5, 6 + place % 3]])[: len(beams)],
            np.array([[1, 0], [place % 2, 1]])[: len(beams)],
        )
        if place == 5:
            states = [engine.keep(state, np.array([1])) for engine, state in zip(pair, states, strict=True)]
            tokens, beams = tokens[1:], beams[1:]
