"""Whatever Python hands over is a recording, or says in its place why it is none."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asr_s2s.audio import read_audio
from asr_s2s.errors import AudioError, ConfigError
from asr_s2s.manifest import Utterance
from asr_s2s.recognizer.audio_input import source_of, sources_of

pytestmark = pytest.mark.unit

CLIP = Path(__file__).parents[1] / "data" / "lbby5a.ogg"
SOUND = np.sin(np.arange(4_000) / 10).astype(np.float32)


def closed_file() -> io.BytesIO:
    file = io.BytesIO(b"RIFF")
    file.close()
    return file


def samples(audio: Any, **options: Any) -> np.ndarray:
    return np.concatenate(list(source_of(audio, **{"sample_rate": 16_000} | options).blocks()))


@pytest.mark.parametrize(
    ("audio", "tolerance"),
    [
        (SOUND.astype(np.float64), 0),
        (SOUND.tolist(), 0),
        (tuple(SOUND), 0),
        (torch.from_numpy(SOUND), 0),
        (torch.from_numpy(SOUND).requires_grad_(), 0),
        (SOUND.astype(np.float16), 1e-3),
        ((SOUND * 32767).astype(np.int16), 2 / 32767),
        ((SOUND * 32767).astype(">i2"), 2 / 32767),
        ((SOUND.astype(np.float64) * (2**31 - 1)).astype(np.int32), 1e-6),
        ((SOUND * 127).astype(np.int8), 2 / 127),
        ((SOUND * 127 + 128).astype(np.uint8), 2 / 127),
        (np.repeat(SOUND, 2)[::2], 0),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'dtype', '')}",
)
def test_samples_of_every_type_are_the_same_sound(audio: Any, tolerance: float) -> None:
    np.testing.assert_allclose(samples(audio), SOUND, atol=tolerance, rtol=0)


@given(st.integers(2, 8), st.booleans())
def test_channels_are_mixed_or_chosen_whichever_axis_they_are_on(num_channels: int, first_axis: bool) -> None:
    levels = np.linspace(0.1, 0.9, num_channels, dtype=np.float32)
    stereo = levels[:, None] * SOUND if first_axis else SOUND[:, None] * levels
    np.testing.assert_allclose(samples(stereo), SOUND * levels.mean(), atol=1e-6)
    for channel, level in enumerate(levels, start=1):
        np.testing.assert_allclose(samples(stereo, channel=channel), SOUND * level, atol=1e-6)


@pytest.mark.parametrize("kind", ["bytes", "stream", "file", "str", "utterance"])
def test_a_file_is_read_by_its_name_its_bytes_or_while_it_is_open(kind: str) -> None:
    with CLIP.open("rb") as file:
        file.seek(100)  # where it stands makes no difference
        audio = {
            "bytes": CLIP.read_bytes(),
            "stream": io.BytesIO(CLIP.read_bytes()),
            "file": file,
            "str": str(CLIP),
            "utterance": Utterance("u", CLIP),
        }[kind]
        np.testing.assert_array_equal(samples(audio, sample_rate=None), read_audio(CLIP))


@pytest.mark.parametrize(
    ("audio", "options", "said"),
    [
        (None, {}, "a NoneType is no recording. Give a path"),
        (5, {}, "a int is no recording"),
        (io.StringIO("text"), {}, "is no recording"),
        ("", {}, "is the name of no file"),
        ("a\0b", {}, "is the name of no file"),
        (str(CLIP), {"sample_rate": 16_000}, "belongs to samples"),
        (str(CLIP), {"channel": 0}, "counted from 1"),
        (str(CLIP), {"channel": "left"}, "counted from 1"),
        (SOUND, {}, "without their sample_rate"),
        (SOUND, {"sample_rate": float("nan")}, "from 1,000 to 1,000,000"),
        (SOUND, {"sample_rate": 0}, "from 1,000 to 1,000,000"),
        (SOUND, {"sample_rate": "16000"}, "from 1,000 to 1,000,000"),
        (SOUND, {"sample_rate": 10**400}, "from 1,000 to 1,000,000"),
        (SOUND, {"sample_rate": 16_000, "channel": 2}, "have 1 channels, channel 2 was asked for"),
        (SOUND.astype(np.int64), {"sample_rate": 16_000}, "Give floats in [-1, 1], or whole numbers of type int8"),
        (SOUND.astype(np.complex64), {"sample_rate": 16_000}, "type complex64"),
        (SOUND > 0, {"sample_rate": 16_000}, "type bool"),
        (np.full(100, np.nan), {"sample_rate": 16_000}, "hold NaN or infinite values"),
        (np.zeros(0), {"sample_rate": 16_000}, "Give at least one sample"),
        (np.float32(1), {"sample_rate": 16_000}, "have shape ()"),
        (np.zeros((2, 3, 4)), {"sample_rate": 16_000}, "have shape (2, 3, 4)"),
        (np.zeros((100, 100)), {"sample_rate": 16_000}, "which axis is time"),
        ([[0.0], [0.0, 1.0]], {"sample_rate": 16_000}, "are no array of numbers"),
        (["a.wav", "b.wav"], {"sample_rate": 16_000}, "type <U5"),
        (torch.zeros(4, dtype=torch.bfloat16), {"sample_rate": 16_000}, "samples: "),
        (torch.empty(100, device="meta"), {"sample_rate": 16_000}, "are no array of numbers"),
        (np.full(100, 1e300), {"sample_rate": 16_000}, "hold NaN or infinite values"),
        (SOUND, {"sample_rate": 16_000, "track": 2}, "track 2: belongs to a file"),
        (closed_file(), {}, "the given file is closed"),
        ("https://example.org/a.ogg", {}, "https://example.org/a.ogg: URLs are not supported. Download the file"),
        (Path("s3://bucket/a.ogg"), {}, "s3://bucket/a.ogg: URLs are not supported"),
        (Utterance("u", CLIP, offset=float("nan")), {}, ".ogg: offset is nan. Give seconds"),
        (Utterance("u", CLIP, duration=10**400), {}, ".ogg: duration is 1000"),
        (Utterance("u", 5), {}, "5: is the name of no file"),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_what_is_no_recording_says_so_when_it_is_read(audio: Any, options: dict[str, Any], said: str) -> None:
    source = source_of(audio, **options)
    assert not isinstance(audio, Utterance) or source.name == audio.id
    with pytest.raises(AudioError, match=r".") as error:
        list(source.blocks())
    assert said in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("audio", ["x.ogg", Path("x.ogg"), b"RIFF", SOUND, io.BytesIO(), Utterance("u", CLIP), None, 5])
def test_one_recording_is_not_several(audio: Any) -> None:
    with pytest.raises(ConfigError, match="Put it into a list, or call transcribe"):
        sources_of(audio)
