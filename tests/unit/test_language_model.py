"""Language models: steps that equal the whole, training that finds the entropy of a source, fusion in the search."""

import io
import itertools
import math
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from search_scripted import END, RULES, SIZE, ScriptedDecoder, ScriptedModel, all_sequences, searching

from asr_s2s.config import check_config
from asr_s2s.decoding import SearchConfig
from asr_s2s.engine.torch_language import TorchLanguageEngine
from asr_s2s.errors import CheckpointError, ConfigError
from asr_s2s.model_store import model_folder, open_language_model
from asr_s2s.model_store.language import load_language_model
from asr_s2s.models import LanguageModel
from asr_s2s.models.language_models import LstmLanguageConfig, TransformerLanguageConfig
from asr_s2s.recognizer import load
from asr_s2s.search import LanguageFusion
from asr_s2s.text import CharacterVocabulary
from asr_s2s.training import LanguageExperimentConfig, language, perplexity, train_language_model
from asr_s2s.training.texts import held_apart, spelled, windows

pytestmark = pytest.mark.unit


SMALL = (
    LstmLanguageConfig(kind="lstm", embedding=6, channels=10, layers=2),
    TransformerLanguageConfig(kind="transformer", channels=8, heads=2, layers=2, feedforward=12),
)
each_kind = pytest.mark.parametrize("config", SMALL, ids=lambda config: config.kind)


def small_model(
    config: LstmLanguageConfig | TransformerLanguageConfig, *, seed: int, size: int = SIZE
) -> LanguageModel:
    torch.manual_seed(seed)
    return config.build(size).eval()


@each_kind
def test_steps_of_reordered_hypotheses_are_those_of_the_whole_sequences(config) -> None:
    model = small_model(config, seed=0, size=9)
    texts = torch.tensor([[[1, 2, 3, 4], [1, 5, 6, 7]], [[1, 8, 2, 2], [1, 8, 3, 5]]])  # (batch, beam, token)
    state = model.start(2, device=torch.device("cpu"))
    logits, state = model.step(texts[:, :1, 0], state)
    state = model.reorder(state, torch.zeros(2, 2, dtype=torch.long))
    whole = model(texts.flatten(0, 1)).unflatten(0, (2, 2))
    torch.testing.assert_close(logits[:, 0], whole[:, 0, 0])
    for place in (1, 2):
        logits, state = model.step(texts[:, :, place], state)
        torch.testing.assert_close(logits, whole[:, :, place])
    kept, _ = model.step(texts[1:, :, 3].flip(1), model.keep(model.reorder(state, torch.tensor([[0, 1], [1, 0]])),
                                                            torch.tensor([1])))  # fmt: skip
    torch.testing.assert_close(kept, whole[1:, :, 3].flip(1))


@each_kind
@example(seed=1, weight=0.3)
@given(seed=st.integers(0, 1000), weight=st.sampled_from([0.0, 0.3, 2.0]))
@settings(max_examples=25, deadline=None)
def test_a_wide_beam_finds_what_decoder_and_language_model_find_best_together(config, seed: int, weight: float) -> None:
    model, language = ScriptedModel(ScriptedDecoder(seed=seed)), small_model(config, seed=seed)
    longest, frames = 3, 4
    encoder_out = torch.randn(1, frames, SIZE, generator=torch.Generator().manual_seed(seed))
    lengths = torch.tensor([frames])
    settings = SearchConfig(beam=40, patience=100.0, length_normalization=0.0, max_tokens_per_frame=1e-6,
                            length_margin=longest - 1)  # fmt: skip
    engine = TorchLanguageEngine(language, vocabulary_size=SIZE, device=torch.device("cpu"))
    search = searching(settings, model, scorers=[LanguageFusion(engine, weight)])
    (found,) = search(encoder_out, lengths)

    @torch.inference_mode()
    def total(tokens: tuple[int, ...]) -> float:
        given = torch.tensor([[RULES.start_tokens[-1], *tokens]])
        logits = model.decoder(given, encoder_out, lengths).logits[0].float()
        logits[:, list(RULES.suppressed)] = -torch.inf
        heard, said = logits.log_softmax(1), language(given)[0].log_softmax(1)
        return sum(float(heard[i, t] + weight * said[i, t]) for i, t in enumerate((*tokens, END)))

    best = max(all_sequences(longest), key=total)
    assume(found.ended)  # one that was cut is given where it is far more probable a token
    assert (found.tokens, found.score) == (best, pytest.approx(total(best), abs=1e-4))


LSTM = {"kind": "lstm", "embedding": 8, "channels": 24, "layers": 1, "dropout": 0.0}
TRANSFORMER = {"kind": "transformer", "channels": 16, "heads": 2, "layers": 2, "feedforward": 32, "dropout": 0.0}


def experiment(
    folder: Path, lines: list[str], *, model: dict[str, object] = LSTM, **training: object
) -> LanguageExperimentConfig:
    (folder / "lines.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tree = {
        "kind": "language_model",
        "data": {"train": [str(folder / "lines.txt")], "batch_tokens": 512, "dev_share": 0.1},
        "model": model,
        "training": {"epochs": 6, "learning_rate": 1e-2, "warmup": 5, "threads": 1, "graphs": False, **training},
    }
    return check_config(tree, LanguageExperimentConfig, origin="test")


def of_a_source(count: int) -> tuple[list[str], float]:
    """Draw lines of a's and b's, each letter the one before with probability 3/4, ended with probability 1/40.

    returns: the lines, and the entropy of the source in bits a character, the end of a line counted as one
    """
    random = np.random.default_rng(0)
    lines = []
    for _ in range(count):
        turns = np.concatenate([random.integers(2, size=1), random.random(random.geometric(1 / 40) - 1) < 0.25])
        lines.append("".join("ab"[turn % 2] for turn in turns.cumsum().tolist()))
    after_a_letter = -sum(p * math.log2(p) for p in (1 / 40, 39 / 40 * 3 / 4, 39 / 40 * 1 / 4))
    return lines, (1 + 40 * after_a_letter) / 41


@pytest.mark.parametrize("model", [LSTM, TRANSFORMER], ids=["lstm", "transformer"])
def test_training_finds_the_entropy_of_the_source(tmp_path: Path, model: dict[str, object]) -> None:
    lines, entropy = of_a_source(1000)
    result = train_language_model(experiment(tmp_path, lines, model=model), output=tmp_path / "run")
    assert result.bits == pytest.approx(entropy, rel=0.03)
    system = load_language_model(tmp_path / "run")
    assert f"{result.bits:.3f} bits a character" in (tmp_path / "run" / "README.md").read_text()
    tokens = torch.tensor([[system.vocabulary.start_tokens[-1], *system.vocabulary.encode("aabaa")]])
    likely = system.model(tokens)[0, -1].detach().softmax(0)
    assert float(likely[system.vocabulary.encode("a")[0]]) == pytest.approx(39 / 40 * 3 / 4, abs=0.03)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Make Ctrl-C work: a shell has what it runs in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_run_that_was_broken_off_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, _ = of_a_source(300)
    config = experiment(tmp_path, lines, epochs=3, decay="constant")
    train_language_model(config, output=tmp_path / "whole")
    calls = itertools.count()

    def line_loss(*arguments: object, **keywords: object) -> torch.Tensor:
        if next(calls) == 30:
            signal.raise_signal(signal.SIGINT)
        return perplexity.line_loss(*arguments, **keywords)

    with monkeypatch.context() as patched:
        patched.setattr(language, "line_loss", line_loss)
        with pytest.raises(KeyboardInterrupt):
            train_language_model(config, output=tmp_path / "broken")
    with pytest.raises(ConfigError, match="holds a run already"):
        train_language_model(config, output=tmp_path / "broken")
    other = config.model_copy(update={"training": config.training.model_copy(update={"learning_rate": 1e-3})})
    with pytest.raises(CheckpointError, match=r"training\.learning_rate was .* and is 0\.001"):
        train_language_model(other, output=tmp_path / "broken", resume=True)
    train_language_model(config, output=tmp_path / "broken", resume=True)
    whole, resumed = (load_language_model(tmp_path / name).model.state_dict() for name in ("whole", "broken"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_lines_too_long_for_the_memory_are_told_before_one_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = experiment(tmp_path, [*("ab" * count for count in range(1, 40)), "ab" * 30_000])
    longer = config.model_copy(
        update={"data": config.data.model_copy(update={"max_tokens": 100_000, "dev_share": 0.05})}
    )
    monkeypatch.setattr(perplexity, "free_memory", lambda: 1e7)
    with pytest.raises(ConfigError, match=r"a batch of \d+ lines of up to 60000 tokens needs about \d+ MB, 10 MB are"):
        train_language_model(longer, output=tmp_path / "run")


def test_a_finished_language_model_is_replaced_only_when_that_is_asked_for(tmp_path: Path) -> None:
    config = experiment(tmp_path, of_a_source(20)[0], epochs=1)
    train_language_model(config, output=tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    with pytest.raises(CheckpointError, match=r"holds a finished model\. .* --overwrite"):
        train_language_model(config, output=tmp_path / "run", resume=True)
    train_language_model(config, output=tmp_path / "run", overwrite=True)


def test_lines_that_are_held_out_are_not_trained_on(tmp_path: Path) -> None:
    lines = ["ab", "ab", "ba", "aa", "ab"]
    train, dev = held_apart(experiment(tmp_path, lines).data, seed=1)
    assert len(dev) == 1
    assert not set(train) & set(dev)
    assert sorted(set(train) | set(dev)) == ["aa", "ab", "ba"]


def test_lines_that_cannot_be_learned_are_counted_beside_all_that_were_given() -> None:
    lines, _ = of_a_source(100)
    vocabulary = CharacterVocabulary.from_texts(lines)
    found = spelled(vocabulary, [*lines, "A" + lines[0], "ab" * 300], max_tokens=400)
    assert found.texts == lines
    assert (found.num_unspelled, found.num_long) == (1, 1)
    assert found.left_out == "1 that the vocabulary cannot spell (A) and 1 longer than data.max_tokens"


def test_the_first_line_of_a_run_counts_what_was_given(tmp_path: Path) -> None:
    lines, _ = of_a_source(40)
    (tmp_path / "dev.txt").write_text("ab\n" + "ab" * 300 + "\n")
    config = experiment(tmp_path, [*lines, "ab", "ba" * 300], epochs=1)
    config = config.model_copy(update={"data": config.data.model_copy(update={"dev": (str(tmp_path / "dev.txt"),)})})
    told = io.StringIO()
    result = train_language_model(config, output=tmp_path / "run", console=Console(file=told, width=300))
    assert "40 lines of 41 to train on, 1 of 2 held out" in told.getvalue()
    assert "1 of 42 training lines are the same as held-out ones, and are left out" in told.getvalue()
    assert "Of the training lines these are left out: 1 longer than data.max_tokens" in told.getvalue()
    assert "Of the held-out lines these are left out: 1 longer than data.max_tokens" in told.getvalue()
    assert result.summary.endswith("on 1 held-out lines (without 1 longer than data.max_tokens).")


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(50, 200))
def test_batches_hold_every_line_once_and_no_more_than_the_limit_and_a_line(lengths: list[int], limit: int) -> None:
    rows = list(range(len(lengths)))
    batches = windows(rows, lengths, limit=limit)
    assert [row for batch in batches for row in batch] == rows
    assert all(sum(lengths[row] for row in batch) < limit + max(lengths) for batch in batches)


def test_a_model_of_another_kind_or_vocabulary_is_refused(tmp_path: Path) -> None:
    lines, _ = of_a_source(60)
    train_language_model(experiment(tmp_path, lines, epochs=1), output=tmp_path / "run")
    with pytest.raises(ConfigError, match=r"'run' has another vocabulary \(7 tokens\) than the recogniser 'commands'"):
        load("commands", language_model=tmp_path / "run")
    for opened in (load_language_model, open_language_model):
        with pytest.raises(CheckpointError, match="holds no language model"):
            opened(model_folder("commands"))
    with pytest.raises(CheckpointError, match="is not a complete model directory"):
        load_language_model(tmp_path)
