"""Reading: every format gives the speech that went in, whole or in pieces, at any rate and from any channel."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from audio_files import DATA, SPEECH, encode, snr_db, speech
from hypothesis import given, settings
from hypothesis import strategies as st

from asr_s2s.audio import audio_duration, read_audio

pytestmark = pytest.mark.unit

FULL_SCALE_BITS_16 = 2.0**-15


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "w64", "caf", "au"])
def test_16_bit_formats_give_the_very_samples(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"speech.{suffix}"
    soundfile.write(path, speech(), 16_000, subtype="PCM_16")
    np.testing.assert_allclose(read_audio(path), speech(), rtol=0, atol=FULL_SCALE_BITS_16 / 2 + 1e-9)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "least_db"),
    [  # worst seen minus 3 dB; one sample of shift gives 12 dB
        ("speech.m4a", "aac", 16_000, 35),
        ("speech44.m4a", "aac", 44_100, 26),
        ("speech.webm", "libopus", 48_000, 26),
        ("speech.mkv", "libopus", 48_000, 26),
        ("speech.mp3", "libmp3lame", 16_000, 22),
        ("speech44.mp3", "libmp3lame", 44_100, 22),
        ("speech.ogg", "libopus", 48_000, 26),
        ("speech.opus", "libopus", 48_000, 26),
        ("speech48.flac", "flac", 48_000, 36),
        ("speech.mov", "pcm_s16le", 16_000, 200),
    ],
)
def test_ffmpegs_formats_give_the_speech_without_delay(
    tmp_path: Path, name: str, codec: str, rate: int, least_db: float
) -> None:
    samples = read_audio(encode(tmp_path / name, speech(), codec, rate=rate))
    assert snr_db(speech(), samples) >= least_db
    assert 0 <= len(samples) - len(speech()) < 1024  # AAC fills its last frame


@pytest.mark.parametrize(
    ("name", "options", "least_db"),
    [
        ("vorbis.ogg", {"subtype": "VORBIS"}, 21),
        ("opus.ogg", {"format": "OGG", "subtype": "OPUS"}, 19),
        ("lame.mp3", {"format": "MP3"}, 23),
        ("adpcm.wav", {"subtype": "IMA_ADPCM"}, 26),
        ("phone.wav", {"subtype": "ULAW"}, 33),
        ("float.wav", {"subtype": "FLOAT"}, 200),
    ],
)
def test_libsndfiles_codecs_give_the_speech_without_delay(
    tmp_path: Path, name: str, options: dict[str, str], least_db: float
) -> None:
    soundfile.write(tmp_path / name, speech(), 16_000, **options)
    assert snr_db(speech(), read_audio(tmp_path / name)) >= least_db


def test_8_bit_samples_become_floats_about_zero(tmp_path: Path) -> None:
    path = tmp_path / "old.wav"
    soundfile.write(path, speech(), 16_000, subtype="PCM_U8")
    np.testing.assert_allclose(read_audio(path), speech(), rtol=0, atol=2.0**-7)  # one step of 8 bits: written cut off


def test_8_bit_samples_in_a_video_become_floats_about_zero(tmp_path: Path) -> None:
    path = encode(tmp_path / "old.avi", speech(), "pcm_u8", pictures=True)
    np.testing.assert_allclose(read_audio(path), speech(), rtol=0, atol=2.0**-7)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_comes_to_16_khz(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "speech.wav"
    there = soxr.resample(speech(), 16_000, rate)
    soundfile.write(path, there, rate, subtype="FLOAT")
    samples = read_audio(path)
    assert len(samples) == round(len(there) * 16_000 / rate)
    back = soxr.resample(samples, 16_000, rate)
    expected = there if rate <= 16_000 else soxr.resample(soxr.resample(there, rate, 16_000), 16_000, rate)
    assert snr_db(expected, back) >= 30  # worst seen 33: what two filters take away just below half the lower rate


def test_another_rate_than_16_khz_can_be_asked_for() -> None:
    np.testing.assert_allclose(read_audio(SPEECH, sample_rate=8_000), soxr.resample(speech(), 16_000, 8_000), atol=1e-6)


def two_channels(tmp_path: Path) -> Path:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([speech(), -0.5 * speech()[::-1]], axis=1), 16_000, subtype="FLOAT")
    return path


def test_channels_are_mixed_down_by_their_mean(tmp_path: Path) -> None:
    expected = (speech() - 0.5 * speech()[::-1]) / 2
    np.testing.assert_allclose(read_audio(two_channels(tmp_path)), expected, rtol=0, atol=1e-7)


def test_a_channel_is_chosen_by_its_number_from_1(tmp_path: Path) -> None:
    path = two_channels(tmp_path)
    np.testing.assert_array_equal(read_audio(path, channel=1), speech())
    np.testing.assert_array_equal(read_audio(path, channel=2), -0.5 * speech()[::-1])


def test_a_stream_is_read_like_its_file(tmp_path: Path) -> None:
    path = encode(tmp_path / "speech.m4a", speech(), "aac")
    np.testing.assert_array_equal(read_audio(io.BytesIO(SPEECH.read_bytes())), read_audio(SPEECH))
    np.testing.assert_array_equal(read_audio(io.BytesIO(path.read_bytes())), read_audio(path))


class Pipe(io.BytesIO):
    """Standard input from another command: it cannot be rewound."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation("seek")


def test_a_pipe_is_read_like_a_file() -> None:
    np.testing.assert_array_equal(read_audio(Pipe(SPEECH.read_bytes())), read_audio(SPEECH))


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "speech.wav", speech(), 16_000)
    for name in ("speech", "speech.mp3", "speech.raw", "speech.txt"):
        (tmp_path / name).write_bytes((tmp_path / "speech.wav").read_bytes())
        np.testing.assert_array_equal(read_audio(tmp_path / name), read_audio(tmp_path / "speech.wav"))


@pytest.mark.parametrize(("suffix", "codec", "rate"), [("mp4", "aac", 16_000), ("mkv", "libopus", 48_000)])
def test_the_sound_of_a_video_keeps_the_videos_clock(tmp_path: Path, suffix: str, codec: str, rate: int) -> None:
    path = encode(tmp_path / f"late.{suffix}", speech(), codec, rate=rate, late=1.0, pictures=True)
    samples = read_audio(path)
    assert np.abs(samples[:15_900]).max() < 0.01
    at_each_lag = [snr_db(speech(), samples[16_000:], lag=lag) for lag in range(-16, 17)]
    assert max(at_each_lag) >= 26  # Matroska's time stamps are whole milliseconds, 16 samples


def test_a_pause_in_the_recording_is_silence_of_its_length(tmp_path: Path) -> None:
    path = encode(tmp_path / "muted.mkv", speech(), "libopus", rate=48_000, pause=(2.0, 1.5))
    samples = read_audio(path)
    assert len(samples) == pytest.approx(len(speech()) + 24_000, abs=16)  # Matroska's time stamps: 1 ms
    assert snr_db(speech()[:31_000], samples) >= 26
    assert np.abs(samples[33_600:54_400]).max() < 1e-3
    assert audio_duration(path) == pytest.approx(len(samples) / 16_000, abs=0.02)  # Opus counts its delay in


def test_ogg_streams_in_a_row_are_all_read(tmp_path: Path) -> None:
    first, second = (DATA / f"{name}.ogg" for name in ("lbby5a", "prac8p"))
    (tmp_path / "radio.ogg").write_bytes(first.read_bytes() + second.read_bytes())
    samples = read_audio(tmp_path / "radio.ogg")
    assert len(samples) / 16_000 == pytest.approx(audio_duration(first) + audio_duration(second), abs=0.03)
    assert snr_db(read_audio(second), samples[-len(read_audio(second)) :]) >= 20


def test_mp3_files_in_a_row_are_all_read(tmp_path: Path) -> None:
    part = encode(tmp_path / "part.mp3", speech(), "libmp3lame")
    (tmp_path / "both.mp3").write_bytes(2 * part.read_bytes())
    assert len(read_audio(tmp_path / "both.mp3")) / 16_000 == pytest.approx(2 * 3.69, abs=0.15)  # the seam's padding
    assert audio_duration(tmp_path / "both.mp3") == pytest.approx(2 * 3.69, abs=0.15)


def test_an_mp3_of_varying_bit_rate_without_a_header_is_read_to_its_end(tmp_path: Path) -> None:
    quiet_first = np.concatenate([np.zeros(64_000, np.float32), speech()])  # a guess from the first frames is too long
    options = {"write_xing": "0"}
    path = encode(tmp_path / "vbr.mp3", quiet_first, "libmp3lame", bit_rate=0, container=options)
    assert len(read_audio(path)) / 16_000 == pytest.approx(len(quiet_first) / 16_000, abs=0.15)  # the encoder's padding
    assert audio_duration(path) == len(read_audio(path)) / 16_000


def test_a_wav_whose_recorder_was_killed_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "killed.wav"
    soundfile.write(path, speech(), 16_000)
    content = bytearray(path.read_bytes())
    sizes = content.index(b"data") + 4
    content[sizes : sizes + 4] = b"\0\0\0\0"
    path.write_bytes(content)
    np.testing.assert_allclose(read_audio(path), speech(), rtol=0, atol=FULL_SCALE_BITS_16)


def test_a_wav_written_to_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "piped.wav"
    soundfile.write(path, speech(), 16_000)
    content = bytearray(path.read_bytes())
    sizes = content.index(b"data") + 4
    content[sizes : sizes + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    np.testing.assert_allclose(read_audio(path), speech(), rtol=0, atol=FULL_SCALE_BITS_16)


def test_a_playlist_cannot_make_us_open_what_it_names(tmp_path: Path) -> None:
    encode(tmp_path / "part.aac", speech(), "aac")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\npart.aac\n#EXT-X-ENDLIST\n")
    with pytest.raises(Exception, match="not a sound file"):
        read_audio(tmp_path / "list.m3u8")


@pytest.fixture(scope="module")
def long_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Eighteen seconds of speech, so that pieces lie beyond the place where a decoder begins to jump."""
    folder = tmp_path_factory.mktemp("long")
    samples = np.concatenate([read_audio(DATA / "LJ001-0076.ogg")] * 2)
    paths = {
        "flac": folder / "a.flac",
        "44.1 kHz wav": folder / "b.wav",
        "vorbis": folder / "c.ogg",
        "opus": folder / "d.ogg",
    }
    soundfile.write(paths["flac"], samples, 16_000)
    soundfile.write(paths["44.1 kHz wav"], soxr.resample(samples, 16_000, 44_100), 44_100)
    soundfile.write(paths["vorbis"], samples, 16_000, subtype="VORBIS")
    soundfile.write(paths["opus"], samples, 16_000, format="OGG", subtype="OPUS")
    paths["mp3"] = encode(folder / "e.mp3", samples, "libmp3lame")
    paths["m4a"] = encode(folder / "f.m4a", samples, "aac")
    paths["webm"] = encode(folder / "g.webm", samples, "libopus", rate=48_000)
    paths["raw aac"] = encode(folder / "h.aac", samples, "aac")
    return paths


# Lossless files repeat exactly, but for the resampler's float32 rounding; Opus remembers long (worst seen 2e-3).
PIECE_TOLERANCE = {"flac": 0, "44.1 kHz wav": 1e-6, "vorbis": 1e-6, "opus": 5e-3}


@pytest.mark.parametrize("kind", ["flac", "44.1 kHz wav", "vorbis", "opus", "mp3", "m4a", "webm", "raw aac"])
def test_a_piece_equals_the_slice_of_the_whole(long_files: dict[str, Path], kind: str) -> None:
    whole = read_audio(long_files[kind])

    @settings(max_examples=12, deadline=None)
    @given(offset=st.floats(0, 17.5), duration=st.floats(0.01, 4))
    def holds(offset: float, duration: float) -> None:
        piece = read_audio(long_files[kind], offset=offset, duration=duration)
        start = round(offset * 16_000)
        expected = whole[start : start + round(duration * 16_000)]
        np.testing.assert_allclose(piece, expected, rtol=0, atol=PIECE_TOLERANCE.get(kind, 1e-5))

    holds()


@pytest.mark.parametrize("kind", ["flac", "44.1 kHz wav", "vorbis", "opus", "mp3", "m4a", "webm", "raw aac"])
def test_the_duration_is_that_of_the_samples(long_files: dict[str, Path], kind: str) -> None:
    samples = read_audio(long_files[kind])
    # AAC fills its last frame (64 ms), WebM counts Opus's delay in (6.5 ms).
    assert audio_duration(long_files[kind]) == pytest.approx(len(samples) / 16_000, abs=0.065)
