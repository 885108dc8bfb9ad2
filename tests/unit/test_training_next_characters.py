"""What byte pairs say of the next character: sums counted out piece by piece."""

import pytest
import torch
from torch import Tensor

from asr_s2s.model_store.directory import load_model
from asr_s2s.text import BytePairVocabulary, CharacterVocabulary
from asr_s2s.training.next_characters import NextCharacters

pytestmark = pytest.mark.unit

TEXT = "Boats, unafraid; a zyzzyva"
LEARNER = CharacterVocabulary.from_texts([TEXT, "The quick brown fox jumps over the lazy dog. It's"])


@pytest.fixture(scope="module")
def pieces() -> BytePairVocabulary:
    vocabulary = load_model("en").vocabulary
    assert isinstance(vocabulary, BytePairVocabulary)
    return vocabulary


def scores(pieces: BytePairVocabulary, text: str) -> Tensor:
    return 3 * torch.randn(len(pieces.encode(text)) + 1, pieces.size, generator=torch.Generator().manual_seed(1))


def test_a_character_is_as_probable_as_all_pieces_that_go_on_with_it(pieces: BytePairVocabulary) -> None:
    logits = scores(pieces, TEXT)
    found = NextCharacters(pieces, LEARNER).log_probs(logits, TEXT)
    assert found is not None
    assert found.shape == (len(TEXT) + 1, LEARNER.size)
    torch.testing.assert_close(found.exp().sum(dim=1), torch.ones(len(TEXT) + 1))
    rows = [
        (place, pieces.written[token][:done])
        for place, token in enumerate(pieces.encode(TEXT))
        for done in range(len(pieces.written[token]))
    ]
    for row, (place, beginning) in [*enumerate(rows[1:]), (len(TEXT), (len(logits) - 1, ""))]:
        masses = dict.fromkeys(range(LEARNER.size), 0.0)
        for token, probability in enumerate(logits[place].double().softmax(dim=0).tolist()):
            text = pieces.written[token]
            if beginning and text == beginning:
                masses[LEARNER.spelled(" ")[0]] += probability
            elif text.startswith(beginning) and text:
                for character in LEARNER.spelled(text[len(beginning)]):
                    masses[character] += probability
            elif token == pieces.end_token and not beginning:
                masses[LEARNER.end_token] += probability
        expected = torch.tensor(list(masses.values()), dtype=torch.double)
        torch.testing.assert_close(found[row].exp().double(), expected / expected.sum(), rtol=1e-3, atol=1e-6)


def test_a_teacher_that_is_certain_of_its_pieces_is_certain_of_the_characters(pieces: BytePairVocabulary) -> None:
    text = "It's the fox."
    logits = torch.full((len(pieces.encode(text)) + 1, pieces.size), -50.0)
    for place, token in enumerate([*pieces.encode(text), pieces.end_token]):
        logits[place, token] = 50.0
    found = NextCharacters(pieces, LEARNER).log_probs(logits, text)
    assert found is not None
    said = [int(row.argmax()) for row in found]
    assert (LEARNER.decode(said), said[-1]) == (text, LEARNER.end_token)
    assert float(found.max(dim=1).values.min()) > -1e-5


def test_a_text_whose_characters_are_cut_by_pieces_is_not_asked_about(pieces: BytePairVocabulary) -> None:
    text = "a 語 b"
    assert NextCharacters(pieces, LEARNER).log_probs(scores(pieces, text), text) is None
