import pytest
import torch
from torch import Tensor

from asr_s2s.features import spec_augment

pytestmark = pytest.mark.unit

LENGTHS = torch.tensor([50, 200, 120])


def augmented(features: Tensor, seeds: list[int], lengths: Tensor = LENGTHS, **settings: float) -> Tensor:
    options = {"time_masks": 2, "time_width": 0.1, "mel_masks": 2, "mel_width": 27, **settings}
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return spec_augment(features, lengths, generators=generators, **options)  # type: ignore[arg-type]


def noise(batch: int = 3) -> Tensor:
    return torch.randn(batch, 200, 80, generator=torch.Generator().manual_seed(0))


def test_masks_depend_on_the_utterances_generator_and_not_on_its_neighbours() -> None:
    features = noise()
    together = augmented(features, [7, 8, 9])
    for row, seed in enumerate([7, 8, 9]):
        single = augmented(features[row : row + 1], [seed], LENGTHS[row : row + 1])
        torch.testing.assert_close(together[row], single[0])
    assert not torch.equal(together, augmented(features, [7, 8, 10]))


def test_hidden_places_hold_the_mean_of_the_valid_frames_and_padding_is_left_alone() -> None:
    features = noise() + 5.0
    features[0, 50:] = 0.0
    result = augmented(features, [1, 2, 3])
    changed = result != features
    assert changed.any(dim=2).any(dim=1).all()
    assert not changed[0, 50:].any()
    assert torch.unique(result[0][changed[0]]).tolist() == pytest.approx([float(features[0, :50].mean())])


def test_masks_are_never_wider_than_asked_and_reach_every_width_and_place() -> None:
    features, lengths = noise(1), torch.tensor([200])
    frames, mels, hidden_once = set(), set(), torch.zeros(200, dtype=torch.bool)
    for seed in range(300):
        time = (augmented(features, [seed], lengths, time_masks=1, time_width=0.02, mel_masks=0) != features)[0, :, 0]
        mel = (augmented(features, [seed], lengths, time_masks=0, mel_masks=1, mel_width=3) != features)[0, 0]
        frames.add(int(time.sum()))
        mels.add(int(mel.sum()))
        hidden_once |= time
    assert frames == {0, 1, 2, 3, 4}  # 2 % of 200 frames; each value is missed with probability (4/5)^300
    assert mels == {0, 1, 2, 3}
    assert hidden_once[[0, 199]].any()
    assert hidden_once.float().mean() > 0.9


def test_no_masks_change_nothing() -> None:
    torch.testing.assert_close(augmented(noise(), [1, 2, 3], time_masks=0, mel_masks=0), noise())


def test_gradients_pass_through_what_is_seen_and_only_the_mean_through_what_is_hidden() -> None:
    features = noise().requires_grad_()
    result = augmented(features, [1, 2, 3])
    hidden = result != features
    result[~hidden].sum().backward()
    assert features.grad is not None
    torch.testing.assert_close(features.grad, (~hidden).float())
