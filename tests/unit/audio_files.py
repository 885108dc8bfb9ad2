"""Real speech from tests/data in every format, made when a test asks for it, and ways to damage it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float32]

DATA = Path(__file__).parents[1] / "data"
SPEECH = DATA / "arctic_b0342_1592531332.ogg"  # 3.69 s, 16 kHz


def speech() -> Samples:
    """The original, read without our code."""
    samples, rate = soundfile.read(SPEECH, dtype="float32")
    assert rate == 16_000
    return samples


def snr_db(reference: Samples, samples: Samples, *, lag: int = 0) -> float:
    """How far below the reference the difference lies, over what both have; lag moves the second to the left."""
    moved = samples[lag:] if lag >= 0 else np.concatenate([np.zeros(-lag, np.float32), samples])
    count = min(len(reference), len(moved))
    error = np.sum(np.square(reference[:count] - moved[:count], dtype=np.float64))
    power = np.sum(np.square(reference[:count], dtype=np.float64))
    return float(10 * np.log10(power / error)) if error else float("inf")


def encode(
    path: Path,
    samples: Samples,
    codec: str | None,
    *,
    rate: int = 16_000,
    bit_rate: int = 96_000,
    late: float = 0.0,
    pause: tuple[float, float] = (0.0, 0.0),
    pictures: bool = False,
    container: dict[str, str] | None = None,
) -> Path:
    """Encode 16 kHz samples with FFmpeg, or leave the sound out (no codec); without a bit rate it varies.

    The sound sets in late, or stops at pause[0] for pause[1] seconds.
    """
    with av.open(str(path), "w", options=container or {}) as file:
        if codec is None:
            _add_pictures(file, seconds=len(samples) / 16_000)
            return path
        track = file.add_stream(codec, rate=rate, layout="mono")
        if bit_rate:
            track.bit_rate = bit_rate
        else:  # FFmpeg's -q:a 4: the rate follows the sound
            track.codec_context.flags |= av.codec.context.Flags.qscale
            track.codec_context.global_quality = 4 * 118
        if codec == "aac":
            track.options = {"aac_pns": "0"}  # else the decoder fills in random noise, another each time
        track.open()
        if pictures:
            _add_pictures(file, seconds=len(samples) / 16_000)
        whole = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
        frame.sample_rate = 16_000
        to_codec = av.AudioResampler(track.format, "mono", rate, frame_size=track.frame_size or 1024)
        position = 0
        for piece in [*to_codec.resample(frame), *to_codec.resample(None)]:
            seconds = late + position / rate + (pause[1] if position / rate >= pause[0] else 0.0)
            piece.pts, piece.time_base = round(seconds * rate), Fraction(1, rate)
            position += piece.samples
            file.mux(track.encode(piece))
        file.mux(track.encode(None))
    return path


def _add_pictures(file: av.container.OutputContainer, *, seconds: float) -> None:
    track = file.add_stream("mpeg4", rate=25)
    track.width = track.height = 32
    track.pix_fmt = "yuv420p"
    for index in range(round(seconds * 25)):
        picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), index % 256, np.uint8), format="rgb24")
        picture.pts = index
        file.mux(track.encode(picture))
    file.mux(track.encode(None))


def cut(path: Path, fraction: float) -> Path:
    """Keep only the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * fraction)])
    return path
