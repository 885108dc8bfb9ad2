"""Features against other implementations, element by element.

torchaudio 2.11.0, kaldi-native-fbank 1.23.0, transformers 5.23.0 (WhisperFeatureExtractor), librosa 0.11.0.
"""

from pathlib import Path

import kaldi_native_fbank
import librosa
import numpy as np
import pytest
import soundfile
import torch
from pydantic import ValidationError
from torch import Tensor
from torchaudio.compliance import kaldi as torchaudio_kaldi
from transformers import WhisperFeatureExtractor

from asr_s2s.errors import AudioError
from asr_s2s.features import KaldiConfig, WhisperConfig
from asr_s2s.features.whisper import WhisperFilterbank

pytestmark = pytest.mark.unit

WHISPER_WINDOW = 480_000  # samples: 30 s
RECORDINGS = Path(__file__).parents[1] / "data"


def recording(name: str) -> Tensor:
    samples, sample_rate = soundfile.read(RECORDINGS / f"{name}.ogg", dtype="float32")
    assert sample_rate == 16_000
    return torch.from_numpy(samples)


def speech_like(num_samples: int, *, seed: int = 0) -> Tensor:
    """Syllables of a gliding voice with pauses between them over faint noise, in 16-bit steps; (time,)."""
    seconds = torch.arange(num_samples, dtype=torch.float64) / 16_000
    phase = 2 * torch.pi * torch.cumsum(120 + 30 * torch.sin(3 * seconds + seed), dim=0) / 16_000
    voice = sum(torch.sin(harmonic * phase) / harmonic for harmonic in range(1, 40))
    syllables = torch.sin(2 * torch.pi * 2.5 * seconds).clamp(min=0)
    noise = torch.randn(num_samples, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    samples = 0.1 * voice * syllables + 0.001 * noise
    return ((samples * 32768).round() / 32768).float()


def alone(front_end: torch.nn.Module, samples: Tensor) -> Tensor:
    features, feature_lengths = front_end(samples[None], torch.tensor([len(samples)]))
    return features[0, : int(feature_lengths[0])]


def native_fbank(samples: Tensor, num_mels: int) -> np.ndarray:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = num_mels
    options.mel_opts.low_freq, options.mel_opts.high_freq = 20.0, 8000.0
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(16_000, (samples * 32768).tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(index) for index in range(fbank.num_frames_ready)])


def reference_log_mel(samples: Tensor, **options: int) -> np.ndarray:
    extractor = WhisperFeatureExtractor(**options)
    return extractor(samples.numpy(), sampling_rate=16_000, return_tensors="np").input_features[0].T


@pytest.mark.parametrize("num_mels", [23, 80])
@pytest.mark.parametrize("num_samples", [400, 559, 560, 40_001])
def test_kaldi_features_equal_torchaudio_and_kaldi_native_fbank(num_samples: int, num_mels: int) -> None:
    samples = speech_like(num_samples)
    features = alone(KaldiConfig(kind="kaldi", num_mels=num_mels, normalize="none").build(), samples).numpy()
    expected = torchaudio_kaldi.fbank(samples[None] * 32768, num_mel_bins=num_mels, high_freq=8000.0)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)  # worst seen 2e-6: one float32 step at 16
    # worst seen 1.5e-4: torchaudio's window is rounded otherwise, which the quietest bins show
    np.testing.assert_allclose(features, native_fbank(samples, num_mels), rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["LJ001-0076", "9_george_9", "prac8p", "dishes"])
def test_kaldi_features_of_recordings_equal_torchaudio_and_kaldi_native_fbank(name: str) -> None:
    samples = recording(name)
    features = alone(KaldiConfig(kind="kaldi", normalize="none").build(), samples).numpy()
    expected = torchaudio_kaldi.fbank(samples[None] * 32768, num_mel_bins=80, high_freq=8000.0).numpy()
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)  # worst seen 2e-6: one float32 step at 16
    native = native_fbank(samples, 80)
    np.testing.assert_allclose(features, native, rtol=0, atol=2e-2)  # worst seen 4e-3, see below
    # the two references are as far from each other: a low-passed recording has bins at the limit of float32
    assert np.abs(features - native).max() <= np.abs(expected - native).max() + 1e-5


def test_digital_silence_has_kaldis_lowest_energy() -> None:
    silence = torch.zeros(1600)
    features = alone(KaldiConfig(kind="kaldi", normalize="none").build(), silence)
    np.testing.assert_allclose(features, native_fbank(silence, 80), rtol=0, atol=1e-6)  # one float32 step at 16


CLIPS = {
    "a sentence": recording("LJ001-0076"),
    "a digit": recording("9_george_9"),
    "dishes": recording("dishes"),
    "one sample": speech_like(1),
    "less than a frame": speech_like(159),
    "one frame": speech_like(160),
    "a frame and a sample": speech_like(161),
    "silence": torch.zeros(5000),
    "loudest in the last sample": torch.cat([torch.zeros(3199), torch.ones(1)]),
    "a sample short of what hears the window's end": speech_like(WHISPER_WINDOW - 41),
    "just hears the window's end": speech_like(WHISPER_WINDOW - 40),
    "fills the window": speech_like(WHISPER_WINDOW),
}


@pytest.mark.parametrize("clip", CLIPS)
def test_whisper_features_equal_the_first_frames_of_the_references_padded_window(clip: str) -> None:
    samples = CLIPS[clip]
    features = alone(WhisperConfig(kind="whisper").build(), samples)
    assert len(features) == -(-len(samples) // 160)
    expected = reference_log_mel(samples)[: len(features)]
    np.testing.assert_allclose(
        features, expected, rtol=0, atol=5e-6
    )  # worst seen 1e-7; other processors sum in other orders


@pytest.mark.parametrize("clip", [name for name, samples in CLIPS.items() if len(samples) < WHISPER_WINDOW - 16_000])
def test_a_tail_is_the_references_padding_as_far_as_it_goes(clip: str) -> None:
    samples = CLIPS[clip]
    features = alone(WhisperConfig(kind="whisper", tail_seconds=0.5).build(), samples)
    assert len(features) == -(-len(samples) // 160) + 50
    expected = reference_log_mel(samples)[: len(features)]
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)  # as above


def test_a_tail_beside_a_padded_window_is_refused() -> None:
    with pytest.raises(ValidationError, match="Leave one out"):
        WhisperConfig(kind="whisper", pad_to_seconds=30.0, tail_seconds=0.5)


@pytest.mark.parametrize("clip", CLIPS)
def test_padded_whisper_features_equal_the_references_whole_window(clip: str) -> None:
    features = alone(WhisperConfig(kind="whisper", pad_to_seconds=30.0).build(), CLIPS[clip])
    assert features.shape == (3000, 80)
    np.testing.assert_allclose(features, reference_log_mel(CLIPS[clip]), rtol=0, atol=5e-6)  # worst seen 2e-7


def test_other_window_lengths_and_128_mels_equal_the_reference_too() -> None:
    samples = speech_like(79_990)
    features = alone(WhisperConfig(kind="whisper", num_mels=128, pad_to_seconds=5.0).build(), samples)
    expected = reference_log_mel(samples, feature_size=128, chunk_length=5)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)  # worst seen 2e-7


@pytest.mark.parametrize("num_mels", [80, 128])
def test_stored_mel_filters_equal_librosas(num_mels: int) -> None:
    expected = librosa.filters.mel(sr=16_000, n_fft=400, n_mels=num_mels)
    np.testing.assert_array_equal(WhisperFilterbank(num_mels).filters.T, expected)


def test_an_utterance_longer_than_its_window_is_refused_with_both_lengths() -> None:
    front_end = WhisperConfig(kind="whisper", pad_to_seconds=30.0).build()
    with pytest.raises(AudioError, match=r"31\.00 s does not fit into the 30 s.*Cut it into shorter pieces"):
        alone(front_end, torch.zeros(496_000))
