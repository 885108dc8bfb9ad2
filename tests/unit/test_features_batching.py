"""What every front end promises: batches, gradients, precision, normalisation."""

import pytest
import torch
from torch import Tensor

from asr_s2s.features import FeatureStatistics, FrontEnd, KaldiConfig, WhisperConfig

pytestmark = pytest.mark.unit

CONFIGS = {
    "kaldi": KaldiConfig(kind="kaldi", num_mels=40, normalize="none"),
    "kaldi, global": KaldiConfig(kind="kaldi", num_mels=40),
    "kaldi, utterance": KaldiConfig(kind="kaldi", num_mels=40, normalize="utterance"),
    "whisper": WhisperConfig(kind="whisper"),
    "whisper, tail": WhisperConfig(kind="whisper", tail_seconds=0.3),
    "whisper, padded": WhisperConfig(kind="whisper", pad_to_seconds=2.0),
}
LENGTHS = [1, 399, 400, 7_001, 16_000, 31_990]


@pytest.fixture(params=CONFIGS)
def front_end(request: pytest.FixtureRequest) -> FrontEnd:
    built = CONFIGS[request.param].build()
    if built.needs_statistics:
        built.set_statistics(torch.linspace(-2, 9, 40), torch.linspace(0.5, 3, 40))
    return built


def noise_batch(lengths: list[int] = LENGTHS) -> tuple[Tensor, Tensor]:
    """Utterances of noise as loud as speech, zero-padded; (batch, time) and (batch,)."""
    generator = torch.Generator().manual_seed(1)
    samples = [0.1 * torch.randn(length, generator=generator) for length in lengths]
    return torch.nn.utils.rnn.pad_sequence(samples, batch_first=True), torch.tensor(lengths)


def test_an_utterance_has_the_same_features_alone_and_in_a_batch(front_end: FrontEnd) -> None:
    samples, sample_lengths = noise_batch()
    features, feature_lengths = front_end(samples, sample_lengths)
    for row, length in enumerate(LENGTHS):
        single, single_length = front_end(samples[row : row + 1, :length], sample_lengths[row : row + 1])
        assert single_length[0] == feature_lengths[row]
        frames = int(single_length[0])
        # worst seen 2e-7, by utterance; a matrix product may sum in another order when it has another number of rows
        torch.testing.assert_close(features[row, :frames], single[0, :frames], rtol=0, atol=1e-5)


def test_a_longer_neighbour_does_not_change_what_a_clip_hears_at_the_end_of_whispers_window() -> None:
    front_end = CONFIGS["whisper"].build()
    lengths = [480_000, 479_970, 500_000]
    samples, sample_lengths = noise_batch(lengths)
    features, feature_lengths = front_end(samples, sample_lengths)
    assert feature_lengths.tolist() == [3000, 3000, 3125]
    for row, length in enumerate(lengths):
        single, _ = front_end(samples[row : row + 1, :length], sample_lengths[row : row + 1])
        torch.testing.assert_close(features[row, : single.shape[1]], single[0], rtol=0, atol=1e-5)  # as above


def test_what_lies_beyond_the_end_of_an_utterance_does_not_matter(front_end: FrontEnd) -> None:
    samples, sample_lengths = noise_batch()
    beyond = torch.arange(samples.shape[1]) >= sample_lengths[:, None]
    expected, _ = front_end(samples, sample_lengths)
    for rubbish in (torch.randn(samples.shape), torch.full(samples.shape, torch.nan)):
        features, _ = front_end(torch.where(beyond, rubbish, samples), sample_lengths)
        torch.testing.assert_close(features, expected, rtol=0, atol=0)


def test_features_are_zero_beyond_their_lengths_and_not_before(front_end: FrontEnd) -> None:
    features, feature_lengths = front_end(*noise_batch())
    valid = torch.arange(features.shape[1]) < feature_lengths[:, None]
    assert features[~valid].count_nonzero() == 0
    assert (features[valid].count_nonzero(dim=1) > 0).sum() >= valid.sum() - 1  # one frame alone has deviation 0


def test_the_announced_lengths_width_and_shift_are_those_of_the_features(front_end: FrontEnd) -> None:
    samples, sample_lengths = noise_batch([16_000, 31_990])
    features, feature_lengths = front_end(samples, sample_lengths)
    torch.testing.assert_close(front_end.lengths(sample_lengths), feature_lengths)
    assert features.shape == (2, int(feature_lengths.max()), front_end.feature_size)
    heard = front_end.sound_lengths(sample_lengths)
    assert heard[1] * front_end.frame_shift_seconds == pytest.approx(2.0, abs=0.03)
    assert feature_lengths[1] == heard[1] + getattr(front_end.filterbank, "tail_frames", 0)


def test_gradients_equal_finite_differences(front_end: FrontEnd) -> None:
    generator = torch.Generator().manual_seed(2)
    sample_lengths = torch.tensor([560, 470])
    samples = torch.randn(2, 560, generator=generator, dtype=torch.float64).requires_grad_()
    double = front_end.double()
    # a random direction: the whole Jacobian would take minutes
    assert torch.autograd.gradcheck(
        lambda x: double(x, sample_lengths)[0], samples, eps=1e-6, atol=1e-5, rtol=1e-3, fast_mode=True
    )


def test_gradients_stay_finite_in_digital_silence(front_end: FrontEnd) -> None:
    samples = torch.zeros(1, 1600, requires_grad=True)
    features, _ = front_end(samples, torch.tensor([1600]))
    features.sum().backward()
    assert samples.grad is not None
    assert samples.grad.isfinite().all()


def test_bfloat16_autocast_does_not_touch_the_features(front_end: FrontEnd) -> None:
    samples, sample_lengths = noise_batch()
    expected, _ = front_end(samples, sample_lengths)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features, _ = front_end(samples, sample_lengths)
    torch.testing.assert_close(features, expected, rtol=0, atol=0)


def test_global_statistics_give_a_corpus_mean_0_and_deviation_1_and_travel_with_the_weights() -> None:
    front_end = CONFIGS["kaldi, global"].build()
    batches = [noise_batch([16_000, 7_001]), noise_batch([31_990])]
    parts = [FeatureStatistics.of(*front_end(*batch)) for batch in batches]
    statistics = parts[0] + parts[1]
    front_end.set_statistics(statistics.mean, statistics.std)

    loaded = CONFIGS["kaldi, global"].build()
    loaded.load_state_dict(front_end.state_dict())
    normalised = []
    for batch in batches:
        features, feature_lengths = loaded(*batch)
        normalised += [row[:length] for row, length in zip(features, feature_lengths, strict=True)]
    frames = torch.cat(normalised)
    assert len(frames) == statistics.count
    torch.testing.assert_close(frames.mean(dim=0), torch.zeros(40), rtol=0, atol=1e-4)  # worst seen 1e-5: float32 sums
    torch.testing.assert_close(frames.std(dim=0, correction=0), torch.ones(40), rtol=0, atol=1e-4)


def test_utterance_normalisation_removes_gain_and_gives_mean_0_and_deviation_1() -> None:
    front_end = CONFIGS["kaldi, utterance"].build()
    samples, sample_lengths = noise_batch([16_000, 7_001])
    features, feature_lengths = front_end(samples, sample_lengths)
    quieter, _ = front_end(samples * 0.25, sample_lengths)
    torch.testing.assert_close(features, quieter, rtol=0, atol=1e-4)  # worst seen 2e-6: differences of logarithms
    for row, length in zip(features, feature_lengths, strict=True):
        torch.testing.assert_close(row[:length].mean(dim=0), torch.zeros(40), rtol=0, atol=1e-4)  # worst seen 1e-5
        torch.testing.assert_close(row[:length].std(dim=0, correction=0), torch.ones(40), rtol=0, atol=1e-4)
