"""Every file in conf/ is valid, and the LibriSpeech recipes train on a miniature of the corpus's own layout."""

from pathlib import Path

import pytest
from corpora import copy, write
from training_tiny import QUIET

from asr_s2s.cli import run
from asr_s2s.config import kind_of, read_config
from asr_s2s.model_store.directory import load_model
from asr_s2s.training import ExperimentConfig, LanguageExperimentConfig, train
from asr_s2s.training.history import read_history

CONF = Path(__file__).parents[2] / "conf"
LIBRISPEECH = sorted(CONF.glob("librispeech_*.yaml"))
CROSS_ENTROPY_ALONE = (
    "model.ctc=false",
    "model.length=false",
    "losses.guided_attention={epochs: 3}",
    "search.ctc_weight=0",
)
SMALL = (
    "data.batch_seconds=6",
    "model.encoder.channels=16",
    "model.encoder.heads=2",
    "model.encoder.layers=1",
    "model.encoder.feedforward=32",
    "model.decoder.channels=16",
    "model.decoder.heads=2",
    "model.decoder.layers=1",
    "model.decoder.feedforward=32",
    "training.epochs=2",
    "training.precision=float32",
    "training.warmup=2",
    "training.threads=1",
    "training.plots=false",
    "training.graphs=false",
    "training.log_every=1",
    "training.dev_search.max_tokens_per_frame=0.1",
)


@pytest.mark.unit
@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_configuration_that_ships_is_valid(path: Path) -> None:
    kind = LanguageExperimentConfig if kind_of(path) == "language_model" else ExperimentConfig
    read_config(path, kind)


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare two sentences of two speakers in each subset that the recipes name."""
    root = tmp_path_factory.mktemp("miniature")
    for subset in ("train-clean-100", "train-clean-360", "train-other-500", "dev-clean", "dev-other"):
        for speaker, sound in (("19", "lbby5a"), ("26", "prac8p")):
            chapter = root / "LibriSpeech" / subset / speaker / "198"
            name = f"{speaker}-198-{subset}"
            copy(sound, chapter / f"{name}.flac")
            write(chapter / f"{speaker}-198.trans.txt", f"{name} PLACE IT AGAIN\n")
    assert run(["prepare", "librispeech", str(root / "LibriSpeech"), str(root / "data/librispeech")]) == 0
    return root


@pytest.mark.slow  # two seconds each
@pytest.mark.parametrize("variant", [(), CROSS_ENTROPY_ALONE], ids=["ctc", "ce"])
@pytest.mark.parametrize("path", LIBRISPEECH, ids=lambda path: path.stem)
def test_a_librispeech_recipe_trains_on_a_miniature_of_the_corpus(
    path: Path, variant: tuple[str, ...], miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(miniature)
    config = read_config(path, ExperimentConfig, [*SMALL, *variant])
    train(config, output=tmp_path / "model", console=QUIET)
    steps = [record for record in read_history(tmp_path / "model/history.jsonl") if record["event"] == "train"]
    losses = {name for name in steps[0] if name.endswith("_loss")}
    extra = {"guided_attention_loss"} if variant else {"ctc_loss", "length_loss"}
    assert losses == {"cross_entropy_loss"} | extra
    model = load_model(tmp_path / "model")
    assert (model.model.ctc_head is None) == bool(variant)
    assert model.vocabulary.decode(model.vocabulary.encode("PLACE IT")) == "place it"
