"""What becomes of the shipped model when it shall spell."""

from pathlib import Path

import pytest
import torch

from asr_s2s.cli import run
from asr_s2s.model_store.directory import SpeechSystem, load_model
from asr_s2s.model_store.spell import spelled_system
from asr_s2s.model_store.weights import EMBEDDING
from asr_s2s.text import CharacterVocabulary

pytestmark = pytest.mark.unit

MANIFEST = Path(__file__).parents[1] / "data" / "manifest.jsonl"


@pytest.fixture(scope="module")
def pieces() -> SpeechSystem:
    return load_model("en")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spelled") / "letters"
    assert run(["model", "set-characters", "en", str(folder), "--manifest", str(MANIFEST), "--no-graph"]) == 0
    return folder


def test_a_character_begins_as_the_token_that_spells_it(pieces: SpeechSystem, folder: Path) -> None:
    spelled = load_model(folder)
    old, new = (system.model.state_dict()[EMBEDDING] for system in (pieces, spelled))
    letter, umlaut, space = (spelled.vocabulary.spelled(one)[0] for one in "rü ")
    r, u, blank, *_ = (pieces.vocabulary.spelled(one)[0] for one in "ru ")
    assert torch.equal(new[[letter, umlaut, space]], old[[r, u, blank]])
    assert torch.equal(new[spelled.vocabulary.end_token], old[pieces.vocabulary.end_token])
    assert torch.equal(new[spelled.vocabulary.start_tokens[0]], old[pieces.vocabulary.start_tokens[-1]])


def test_a_character_without_a_letter_begins_as_the_mean_of_its_bytes(pieces: SpeechSystem) -> None:
    spelled = spelled_system(pieces, CharacterVocabulary.from_texts(["5 €"]), name="euro")
    euro = spelled.model.state_dict()[EMBEDDING][spelled.vocabulary.spelled("€")[0]]
    assert torch.equal(euro, pieces.model.state_dict()[EMBEDDING][pieces.vocabulary.spelled("€")].mean(dim=0))


def test_nothing_but_the_rows_of_tokens_changes_and_ctc_gets_a_head(pieces: SpeechSystem, folder: Path) -> None:
    spelled = load_model(folder)
    old, new = pieces.model.state_dict(), spelled.model.state_dict()
    assert new.keys() - old.keys() == {"ctc_head.weight", "ctc_head.bias"}
    assert [name for name in old if name != EMBEDDING and not torch.equal(old[name], new[name])] == []
    assert new["ctc_head.weight"].shape == (spelled.vocabulary.size, pieces.model.encoder.channels)


def test_a_model_of_characters_keeps_what_it_knows_of_those_it_shares_with_another_alphabet() -> None:
    commands = load_model("commands")
    spelled = spelled_system(commands, CharacterVocabulary.from_texts(["träge"]), name="german")
    features, lengths = torch.randn(1, 80, commands.front_end.feature_size), torch.tensor([80])
    old, new = (each.vocabulary.spelled("r")[0] for each in (commands, spelled))
    start = torch.tensor([commands.vocabulary.start_tokens])
    with torch.no_grad():
        before, after = (each.model(features, lengths, start) for each in (commands, spelled))
    assert torch.equal(after.encoder_out, before.encoder_out)
    assert before.ctc_logits is not None
    assert after.ctc_logits is not None
    assert torch.allclose(after.ctc_logits[..., new], before.ctc_logits[..., old], atol=1e-5)  # other sums of floats
    assert torch.allclose(after.ctc_logits[..., 0], before.ctc_logits[..., 0], atol=1e-5)
    assert torch.allclose(after.logits[..., new], before.logits[..., old], atol=1e-5)


def test_manifests_without_a_text_hold_no_alphabet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    manifest = tmp_path / "silent.jsonl"
    manifest.write_text('{"audio_filepath": "a.wav"}\n')
    assert run(["model", "set-characters", "en", str(tmp_path / "x"), "--manifest", str(manifest)]) == 2
    assert "hold no text" in capsys.readouterr().err
