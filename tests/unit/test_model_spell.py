"""What becomes of the shipped model when it shall spell."""

from pathlib import Path

import pytest
import torch

from asr_s2s.cli import run
from asr_s2s.model_store import SpeechSystem, load_model
from asr_s2s.model_store.weights import EMBEDDING
from asr_s2s.text import BytePairVocabulary

pytestmark = pytest.mark.unit

MANIFEST = Path(__file__).parents[1] / "data" / "manifest.jsonl"


@pytest.fixture(scope="module")
def pieces() -> SpeechSystem:
    return load_model("en")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spelled") / "letters"
    assert run(["model", "spell", "en", str(folder), "--manifest", str(MANIFEST)]) == 0
    return folder


def test_a_character_begins_as_the_piece_that_spells_it_or_as_the_mean_of_its_bytes(
    pieces: SpeechSystem, folder: Path
) -> None:
    spelled = load_model(folder)
    old, new = (system.model.state_dict()[EMBEDDING] for system in (pieces, spelled))
    assert isinstance(pieces.vocabulary, BytePairVocabulary)
    letter, umlaut, space = (spelled.vocabulary.encode(f"a{one}a")[1] for one in "rü ")
    assert torch.equal(new[letter], old[pieces.vocabulary.spelled("r")[0]])
    assert torch.equal(new[umlaut], old[pieces.vocabulary.spelled("ü")].mean(dim=0))
    assert torch.equal(new[space], old[pieces.vocabulary.spelled(" ")[0]])
    assert torch.equal(new[spelled.vocabulary.end_token], old[pieces.vocabulary.end_token])
    assert torch.equal(new[spelled.vocabulary.start_tokens[0]], old[pieces.vocabulary.start_tokens[-1]])


def test_nothing_but_the_rows_of_tokens_changes_and_ctc_gets_a_head(pieces: SpeechSystem, folder: Path) -> None:
    spelled = load_model(folder)
    old, new = pieces.model.state_dict(), spelled.model.state_dict()
    assert new.keys() - old.keys() == {"ctc_head.weight", "ctc_head.bias"}
    assert [name for name in old if name != EMBEDDING and not torch.equal(old[name], new[name])] == []
    assert new["ctc_head.weight"].shape == (spelled.vocabulary.size, pieces.model.encoder.channels)


def test_a_model_that_spells_already_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["model", "spell", "commands", str(tmp_path / "x"), "--manifest", str(MANIFEST)]) == 2
    assert "commands: has a vocabulary of characters already. Train it as it is." in capsys.readouterr().err
