"""Losses against torch's own, against formulas written out, and the promise that padding counts for nothing."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from asr_s2s.config import check_config
from asr_s2s.errors import ConfigError
from asr_s2s.models.losses import (
    CrossEntropyConfig,
    GuidedAttentionConfig,
    LossConfig,
    Losses,
    cross_entropy,
    ctc_loss,
    fits_ctc,
    guided_attention_loss,
    length_loss,
    loss_counts,
    total_loss,
    with_start_and_end,
)
from asr_s2s.models.speech_model import ModelOutput

pytestmark = pytest.mark.unit

TOKENS = torch.tensor([[3, 4, 4, 5], [6, 3, 0, 0]])
TOKEN_LENGTHS = torch.tensor([4, 2])
ENCODER_LENGTHS = torch.tensor([9, 6])


def scores(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).requires_grad_()


def test_start_and_end_tokens_make_inputs_and_targets() -> None:
    inputs, targets, target_lengths = with_start_and_end(TOKENS, TOKEN_LENGTHS, start_tokens=(1, 7), end_token=2)
    assert inputs.tolist() == [[1, 7, 3, 4, 4, 5], [1, 7, 6, 3, 0, 0]]
    assert targets.tolist() == [[3, 4, 4, 5, 2], [6, 3, 2, 0, 0]]
    assert target_lengths.tolist() == [5, 3]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_the_mean_over_valid_tokens(smoothing: float) -> None:
    """Written out: (1 - s) · -log p(target) + s · mean over the vocabulary of -log p."""
    logits = scores(2, 4, 8)
    written_out = []
    for index, length in enumerate(TOKEN_LENGTHS.tolist()):
        for position in range(length):
            log_probs = logits[index, position].double().log_softmax(0)
            target = TOKENS[index, position]
            written_out.append(-(1 - smoothing) * log_probs[target] - smoothing * log_probs.mean())
    loss = cross_entropy(logits, TOKENS, TOKEN_LENGTHS, smoothing=smoothing)
    assert loss.item() == pytest.approx(sum(written_out).item() / 6, abs=1e-6)


def test_cross_entropy_gives_padding_no_gradient() -> None:
    logits = scores(2, 4, 8)
    cross_entropy(logits, TOKENS, TOKEN_LENGTHS, smoothing=0.1).backward()
    assert logits.grad[0].any(dim=-1).all()
    assert not logits.grad[1, 2:].any()


def test_ctc_equals_torch_per_token() -> None:
    logits = scores(2, 9, 8)
    one_by_one = [
        functional.ctc_loss(
            logits[index, :frames].log_softmax(-1)[:, None], TOKENS[index : index + 1, :length], (frames,), (length,),
            reduction="sum",
        )
        for index, (frames, length) in enumerate(
            zip(ENCODER_LENGTHS.tolist(), TOKEN_LENGTHS.tolist(), strict=True)
        )
    ]  # fmt: skip
    loss = ctc_loss(logits, ENCODER_LENGTHS, TOKENS, TOKEN_LENGTHS)
    assert loss.item() == pytest.approx(sum(one_by_one).item() / 6, rel=1e-5)


def test_ctc_of_a_hand_counted_case() -> None:
    """Two frames, even odds of three labels, one token: blank-a, a-blank and a-a, so 3 of 9 paths."""
    loss = ctc_loss(torch.zeros(1, 2, 3), torch.tensor([2]), torch.tensor([[1]]), torch.tensor([1]))
    assert loss.item() == pytest.approx(math.log(3), rel=1e-6)


@pytest.mark.parametrize(("frames", "fits"), [(5, True), (4, False)])
def test_equal_neighbours_need_a_frame_between_them(frames: int, fits: bool) -> None:
    lengths = torch.tensor([frames, 2])
    assert fits_ctc(lengths, TOKENS, TOKEN_LENGTHS).tolist() == [fits, True]


def test_an_utterance_that_does_not_fit_its_frames_counts_for_nothing_in_ctc() -> None:
    logits = scores(2, 9, 8)
    lengths = torch.tensor([4, 6])  # the first needs 5
    loss = ctc_loss(logits, lengths, TOKENS, TOKEN_LENGTHS)
    alone = ctc_loss(logits[1:], lengths[1:], TOKENS[1:], TOKEN_LENGTHS[1:])
    assert loss.item() == pytest.approx(alone.item(), rel=1e-6)
    loss.backward()
    assert logits.grad.isfinite().all()
    assert not logits.grad[0].any()
    nothing_fits = ctc_loss(logits, torch.tensor([1, 1]), TOKENS, TOKEN_LENGTHS)
    assert nothing_fits.item() == 0.0


def test_length_loss_is_the_mean_absolute_error() -> None:
    assert length_loss(torch.tensor([3.5, 4.0]), TOKEN_LENGTHS).item() == pytest.approx((0.5 + 2.0) / 2)


def test_guided_attention_equals_its_formula() -> None:
    """Tachibana et al. 2018, section 4.1: 1 - exp(-(n/N - t/T)² / 2g²), token by token, frame by frame."""
    attention = scores(2, 4, 9).detach().softmax(-1)
    attention[1, :, 6:] = 0.0
    expected = 0.0
    for index in range(2):
        length, frames = TOKEN_LENGTHS[index].item(), ENCODER_LENGTHS[index].item()
        for n in range(length):
            for t in range(frames):
                penalty = 1 - math.exp(-((n / length - t / frames) ** 2) / (2 * 0.2**2))
                expected += attention[index, n, t].item() * penalty
    loss = guided_attention_loss(attention, TOKEN_LENGTHS, ENCODER_LENGTHS, sigma=0.2)
    assert loss.item() == pytest.approx(expected / 6, rel=1e-5)


def test_guided_attention_prefers_the_diagonal() -> None:
    lengths = torch.tensor([6])
    diagonal = torch.eye(6)[None]
    assert guided_attention_loss(diagonal, lengths, lengths, sigma=0.2).item() == pytest.approx(0.0, abs=1e-6)
    stuck = torch.zeros(1, 6, 6)
    stuck[:, :, 0] = 1.0
    even = torch.full((1, 6, 6), 1 / 6)
    assert guided_attention_loss(stuck, lengths, lengths, sigma=0.2) > guided_attention_loss(
        even, lengths, lengths, sigma=0.2
    )


def output(*, heads: bool = True, attention: bool = True, start: int = 1) -> ModelOutput:
    return ModelOutput(
        logits=scores(2, 4 + start, 8),
        attention=scores(2, 4 + start, 9).softmax(-1) if attention else None,
        encoder_out=scores(2, 9, 3),
        encoder_lengths=ENCODER_LENGTHS,
        ctc_logits=scores(2, 9, 8) if heads else None,
        predicted_lengths=scores(2) if heads else None,
    )


def losses_of(model_output: ModelOutput, config: LossConfig, *, epoch: int = 0) -> Losses:
    _, targets, target_lengths = with_start_and_end(TOKENS, TOKEN_LENGTHS, start_tokens=(1,), end_token=2)
    return total_loss(
        model_output,
        tokens=TOKENS,
        token_lengths=TOKEN_LENGTHS,
        targets=targets,
        target_lengths=target_lengths,
        config=config,
        epoch=epoch,
    )


def test_the_total_is_the_weighted_sum_of_the_parts() -> None:
    config = LossConfig(
        cross_entropy=CrossEntropyConfig(weight=2.0),
        ctc=0.5,
        length=0.25,
        guided_attention=GuidedAttentionConfig(weight=3.0),
    )
    losses = losses_of(output(), config)
    assert list(losses.parts) == ["cross_entropy", "ctc", "length", "guided_attention"]
    weights = (2.0, 0.5, 0.25, 3.0)
    expected = sum(weight * part.item() for weight, part in zip(weights, losses.parts.values(), strict=True))
    assert losses.total.item() == pytest.approx(expected, rel=1e-6)


def test_a_model_without_heads_has_cross_entropy_alone() -> None:
    losses = losses_of(output(heads=False, attention=False), LossConfig())
    assert list(losses.parts) == ["cross_entropy"]
    assert losses.ctc_left_out == 0
    torch.testing.assert_close(losses.total, losses.parts["cross_entropy"])


def test_guided_attention_ends_with_its_epochs() -> None:
    config = LossConfig(guided_attention=GuidedAttentionConfig(epochs=2))
    assert "guided_attention" in losses_of(output(), config, epoch=1).parts
    assert "guided_attention" not in losses_of(output(), config, epoch=2).parts


def test_guiding_an_attention_that_is_not_there_says_what_to_do() -> None:
    config = LossConfig(guided_attention=GuidedAttentionConfig())
    with pytest.raises(ConfigError, match=r"Remove it where model\.attention\.kind is none"):
        losses_of(output(attention=False), config)


def test_a_prompt_is_not_trained() -> None:
    """With two start tokens, the scores after the first of them predict the second, which is given, not recognised."""
    prompted = output(start=2)
    losses_of(prompted, LossConfig(guided_attention=GuidedAttentionConfig())).total.backward()
    assert not prompted.logits.grad[:, 0].any()
    assert prompted.logits.grad[:, 1].any()


def test_utterances_that_ctc_leaves_out_are_counted() -> None:
    short = output()
    short.encoder_lengths[0] = 4
    try:
        assert losses_of(short, LossConfig()).ctc_left_out == 1
    finally:
        short.encoder_lengths[0] = 9


def test_losses_of_parts_divided_by_the_counts_of_all_add_up_to_those_of_the_whole() -> None:
    """Not a mean of means: the parts have other numbers of tokens, and one utterance does not fit CTC."""
    config = LossConfig(guided_attention=GuidedAttentionConfig())
    whole = replace(output(), encoder_lengths=torch.tensor([4, 6]))  # "1 1 2" has a repeated token and needs 5
    _, targets, target_lengths = with_start_and_end(TOKENS, TOKEN_LENGTHS, start_tokens=(1,), end_token=2)

    def of(rows: slice, counts: dict[str, float] | None) -> Losses:
        names = ("logits", "attention", "encoder_out", "encoder_lengths", "ctc_logits", "predicted_lengths")
        return total_loss(
            replace(whole, **{name: getattr(whole, name)[rows] for name in names}),
            tokens=TOKENS[rows],
            token_lengths=TOKEN_LENGTHS[rows],
            targets=targets[rows],
            target_lengths=target_lengths[rows],
            config=config,
            epoch=0,
            counts=counts,
        )

    counts = loss_counts(TOKENS, TOKEN_LENGTHS, whole.encoder_lengths, teacher=None)
    parts = [of(slice(0, 1), counts), of(slice(1, 2), counts)]
    together = of(slice(None), None)
    for name, value in together.parts.items():
        assert sum(part.parts[name].item() for part in parts) == pytest.approx(value.item(), rel=1e-6), name
    assert sum(part.total.item() for part in parts) == pytest.approx(together.total.item(), rel=1e-6)


@pytest.mark.parametrize("name", ["ctc", "length"])
def test_a_weight_of_nothing_is_refused_with_the_way_to_leave_the_loss_out(name: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"{name}: a weight is above 0. To train without .* set model\.{name}: false"
    ):
        check_config({name: 0.0}, LossConfig, origin="x.yaml")
