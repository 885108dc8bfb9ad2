"""Searches with the real decoders, tiny and random: what holds for scripted ones holds for them."""

import pytest
import torch
from search_scripted import searching
from torch import Tensor

from asr_s2s.decoding import SearchConfig
from asr_s2s.engine import TokenRules
from asr_s2s.models import ModelConfig, SpeechModel

pytestmark = pytest.mark.unit

VOCABULARY, CHANNELS, MELS = 12, 16, 8
RULES = TokenRules(start_tokens=(1,), end_token=2, suppressed=(0, 1, 3), blank_token=0)
LENGTHS = (40, 23, 57, 31)
SEARCHES = {
    "greedy": SearchConfig(beam=1),
    "drafted": SearchConfig(beam=1, draft=True),
    "greedy without loops": SearchConfig(beam=1, forbid_loops=True),
    "beam": SearchConfig(beam=4),
    "beam with CTC": SearchConfig(beam=4, ctc_weight=0.3, length_bonus=0.2),
    "beam without loops": SearchConfig(beam=4, forbid_loops=True),
}
DECODERS = {
    "transformer": {
        "decoder": {"kind": "transformer", "channels": CHANNELS, "heads": 2, "layers": 2, "feedforward": 32},
    },
    "lstm": {"decoder": {"kind": "rnn", "channels": 12, "embedding": 6}, "attention": {"kind": "location"}},
    "gru": {
        "decoder": {"kind": "rnn", "cell": "gru", "layers": 2, "channels": 12, "embedding": 6},
        "attention": {"kind": "multihead", "channels": 8},
    },
}


@pytest.fixture(scope="module", params=DECODERS)
def model(request: pytest.FixtureRequest) -> SpeechModel:
    torch.manual_seed(0)
    encoder = {"kind": "gru", "channels": CHANNELS, "layers": 1}
    tree = {"encoder": encoder, **DECODERS[request.param], "ctc": True, "length": True}
    built = ModelConfig.model_validate(tree).build(MELS, VOCABULARY)
    with torch.no_grad():
        for parameter in built.parameters():  # larger than at the start, so that hypotheses differ
            parameter.mul_(3.0)
    return built.eval()


@pytest.fixture(scope="module")
def features() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    features = torch.zeros(len(LENGTHS), max(LENGTHS), MELS)
    for row, length in enumerate(LENGTHS):
        features[row, :length] = 3 * torch.randn(length, MELS, generator=generator)
    return features, torch.tensor(LENGTHS)


@pytest.mark.parametrize("name", SEARCHES)
def test_an_utterance_gives_the_same_alone_and_in_any_batch(
    name: str, model: SpeechModel, features: tuple[Tensor, Tensor]
) -> None:
    search = searching(SEARCHES[name], model, rules=RULES)
    samples, lengths = features
    with torch.inference_mode():
        alone = [
            search(*model.encode(samples[row : row + 1, :length], lengths[row : row + 1]))[0]
            for row, length in enumerate(LENGTHS)
        ]
        for order in ([0, 1, 2, 3], [2, 0]):
            together = search(*model.encode(samples[order], lengths[order]))
            for row, found in zip(order, together, strict=True):
                assert found.tokens == alone[row].tokens
                assert [flag.name for flag in found.flags] == [flag.name for flag in alone[row].flags]
                # worst seen 4e-4 and 1.3e-4: float32 sums over frames in another order, through steep weights
                assert found.score == pytest.approx(alone[row].score, abs=2e-3)


@pytest.mark.parametrize("name", ["greedy", "beam", "beam with CTC"])
def test_log_probs_are_those_of_the_teacher_forced_pass(
    name: str, model: SpeechModel, features: tuple[Tensor, Tensor]
) -> None:
    samples, lengths = features
    with torch.inference_mode():
        encoder_out, encoder_lengths = model.encode(samples, lengths)
        search = searching(SEARCHES[name], model, rules=RULES)
        for row, found in enumerate(search(encoder_out, encoder_lengths)):
            fed = torch.tensor([[1, *found.tokens]])
            encoding = encoder_out[row : row + 1, : encoder_lengths[row]], encoder_lengths[row : row + 1]
            output = model.decoder(fed, *encoding)
            log_probs = output.logits[0].index_fill(-1, torch.tensor(RULES.suppressed), -torch.inf).log_softmax(-1)
            forced = [float(log_probs[position, token]) for position, token in enumerate(found.tokens)]
            # worst seen 4e-6: the cached step against the whole pass
            assert found.token_log_probs == pytest.approx(forced, abs=5e-5)
            if found.ended:
                assert found.end_log_prob == pytest.approx(float(log_probs[-1, 2]), abs=5e-5)


def test_the_length_head_bounds_the_tokens(model: SpeechModel, features: tuple[Tensor, Tensor]) -> None:
    samples, lengths = features
    rules = TokenRules(start_tokens=(1,), end_token=2, suppressed=(0, 1, 2, 3), blank_token=0)  # never ends
    with torch.inference_mode():
        encoder_out, encoder_lengths = model.encode(samples, lengths)
        predicted = model.predict_lengths(encoder_out, encoder_lengths)
        for beam in (1, 3):
            search = SearchConfig(beam=beam, max_tokens_per_frame=99.0, max_length_factor=2.0, length_margin=1)
            found = searching(search, model, rules=rules)(encoder_out, encoder_lengths)
            assert [len(hypothesis.tokens) for hypothesis in found] == (2.0 * predicted).ceil().add(1).tolist()


def test_a_draft_of_ctc_changes_nothing(model: SpeechModel, features: tuple[Tensor, Tensor]) -> None:
    encoded = model.encode(*features)
    plain, drafted = (searching(SEARCHES[name], model, rules=RULES)(*encoded) for name in ("greedy", "drafted"))
    for expected, found in zip(plain, drafted, strict=True):
        assert (found.tokens, found.ended) == (expected.tokens, expected.ended)
