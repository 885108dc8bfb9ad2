"""What cannot be read is refused in one line: which file, what is wrong with it, what to do."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import SPEECH, cut, encode, speech
from hypothesis import given, settings
from hypothesis import strategies as st

from asr_s2s.audio import audio_duration, read_audio, write_audio
from asr_s2s.errors import AudioError

pytestmark = pytest.mark.unit


def refusal(path: Path, **options: float) -> str:
    """The message, checked for what all have in common: one line that begins with the file and ends with the cure."""
    with pytest.raises(AudioError) as caught:
        read_audio(path, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert message.endswith(".")
    return message.removeprefix(f"{path}: ")


def test_a_missing_file() -> None:
    assert refusal(Path("no/such.wav")) == "there is no such file. Check the path."


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert (
        refusal(tmp_path / "file" / "speech.wav")
        == "cannot be opened (Not a directory). Check the path and its permissions."
    )


def test_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "is a folder. Name the sound files in it."


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    assert refusal(tmp_path / "empty.wav") == "is empty (0 bytes). Record or copy it again."


@pytest.mark.parametrize("content", [b"good morning\n" * 50, b"%PDF-1.7 " + bytes(range(256)) * 20, b"\0" * 5000, b"R"])
def test_a_file_of_something_else(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "speech.wav").write_bytes(content)
    message = refusal(tmp_path / "speech.wav")
    assert message.startswith(("is not a sound file in a known format", "holds no sound track"))
    assert message.endswith("Name a WAV, FLAC, OGG, MP3, M4A, WebM or video file.")


def test_a_video_without_sound(tmp_path: Path) -> None:
    with_sound = encode(tmp_path / "both.mp4", speech(), "aac", pictures=True)
    assert len(read_audio(with_sound)) >= len(speech())
    mute = encode(tmp_path / "mute.mp4", speech(), None, pictures=True)
    assert refusal(mute).startswith("holds no sound track. Name a WAV, ")


def test_a_header_without_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "header.wav", np.zeros(0), 16_000)
    assert refusal(tmp_path / "header.wav") == "holds no samples. Record or export it again."


@pytest.mark.parametrize("fraction", [0.5, 0.97])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("speech.wav", {}),
        ("speech.aiff", {}),
        ("speech.au", {}),
        ("speech.w64", {}),
        ("adpcm.wav", {"subtype": "IMA_ADPCM"}),
        ("speech.flac", {}),
        ("vorbis.ogg", {"subtype": "VORBIS"}),
        ("opus.ogg", {"format": "OGG", "subtype": "OPUS"}),
        ("speech.mp3", {"format": "MP3"}),
    ],
)
def test_a_file_cut_off_in_the_middle(tmp_path: Path, name: str, options: dict[str, str], fraction: float) -> None:
    path = tmp_path / name
    soundfile.write(path, speech(), 16_000, **options)
    message = refusal(cut(path, fraction))
    assert message.startswith("is cut off")
    assert message.endswith("Copy or record it again.")


@pytest.mark.parametrize(
    ("name", "codec"), [("speech.webm", "libopus"), ("speech.mkv", "aac"), ("speech.mp3", "libmp3lame")]
)
@pytest.mark.parametrize("fraction", [0.5, 0.9])
def test_a_medium_cut_off_in_the_middle(tmp_path: Path, name: str, codec: str, fraction: float) -> None:
    rate = 48_000 if codec == "libopus" else 16_000
    message = refusal(cut(encode(tmp_path / name, speech(), codec, rate=rate), fraction))
    assert message.startswith("is cut off")
    assert message.endswith("Copy or record it again.")


def test_an_m4a_without_its_index(tmp_path: Path) -> None:
    message = refusal(cut(encode(tmp_path / "phone.m4a", speech(), "aac"), 0.8))
    assert message == "is cut off or damaged: an MP4 file without its index (moov). Copy or record it again."


def test_an_m4a_whose_index_comes_first_and_sound_is_cut_off(tmp_path: Path) -> None:
    path = encode(tmp_path / "web.m4a", speech(), "aac", container={"movflags": "faststart"})
    message = refusal(cut(path, 0.6))
    assert re.fullmatch(
        r"is cut off: \d+ bytes are missing from 2\.\d\d to 3\.69 s\. Copy or record it again\.", message
    )


def test_a_wav_says_how_much_is_missing_and_where(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    soundfile.write(path, speech(), 16_000)
    path.write_bytes(path.read_bytes()[:50_044])
    missing = 2 * len(speech()) - 50_000
    assert refusal(path) == f"is cut off: {missing} bytes are missing from 1.56 to 3.68 s. Copy or record it again."
    with pytest.raises(AudioError, match="is cut off"):
        audio_duration(path)


def test_a_piece_before_the_cut_of_a_flac_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "speech.flac"
    soundfile.write(path, speech(), 16_000)
    np.testing.assert_array_equal(read_audio(cut(path, 0.7), offset=0.5, duration=1.0), speech()[8_000:24_000])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    samples = np.stack([speech(), speech()], axis=1)
    samples[20_000, 1] = value
    path = tmp_path / "float.wav"
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    assert refusal(path) == "holds samples that are NaN or infinite at 1.25 s. Copy or record it again."
    assert np.isfinite(read_audio(path, channel=1)).all()


@pytest.mark.parametrize("rate", [3, 889_208_448])
def test_a_rate_that_no_recording_has(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "odd.wav", speech(), rate)
    assert refusal(tmp_path / "odd.wav") == f"its header gives a rate of {rate} Hz. Export it at 8 to 48 kHz."


def test_a_silent_file_is_not_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(1600), 16_000)
    np.testing.assert_array_equal(read_audio(tmp_path / "silence.wav"), np.zeros(1600))


def test_a_channel_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.zeros((1600, 2)), 16_000)
    assert refusal(path, channel=3) == (
        "has 2 channels, channel 3 was asked for. Use --channel 1, --channel 2, or leave it out to mix them."
    )
    assert "channel 0 was asked for" in refusal(path, channel=0)
    assert refusal(SPEECH, channel=2).startswith("has 1 channel, channel 2 was asked for. Use --channel 1, or leave")


def test_a_piece_beyond_the_end() -> None:
    assert refusal(SPEECH, offset=3.7) == "has no sound from 3.7 s on. Give an earlier offset."


@pytest.mark.parametrize("piece", [{"offset": -1.0}, {"duration": 0.0}, {"duration": -2.0}])
def test_a_piece_that_is_none(piece: dict[str, float]) -> None:
    assert refusal(SPEECH, **piece).endswith("is no piece. Give an offset from 0 up and a duration above 0.")


def test_a_stream_is_named_by_its_name() -> None:
    stream = io.BytesIO(b"good morning")
    stream.name = "standard input"  # type: ignore[attr-defined]
    with pytest.raises(AudioError, match=r"^standard input: is not a sound file"):
        read_audio(stream)


def test_nothing_is_printed_about_sound_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "lame.mp3", np.tile(speech(), 3), 16_000)
    for path in (tmp_path / "lame.mp3", encode(tmp_path / "speech.m4a", speech(), "aac")):
        read_audio(path)
        read_audio(path, offset=2.5)
    assert capfd.readouterr() == ("", "")


@settings(max_examples=60, deadline=None)
@given(kind=st.integers(0, 4), seed=st.integers(0, 2**32), how=st.sampled_from(["changed", "lost", "added"]))
def test_a_damaged_file_is_read_or_refused_in_one_line(
    damaged_kinds: list[bytes], kind: int, seed: int, how: str
) -> None:
    chance = np.random.default_rng(seed)
    content = bytearray(damaged_kinds[kind])
    begin, length = chance.integers(len(content)), chance.integers(1, 1000)
    other = chance.bytes(0 if how == "lost" else length)
    content[begin : begin + (0 if how == "added" else length)] = other
    assert re.fullmatch(r"read|the given sound: [^\n]+\.", outcome(content))


def outcome(content: bytearray) -> str:
    try:
        samples = read_audio(io.BytesIO(content), offset=0.5, duration=1.0)
    except AudioError as error:
        return str(error)
    return "read" if np.isfinite(samples).all() else "not finite"


@pytest.fixture(scope="module")
def damaged_kinds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("kinds")
    for suffix in ("wav", "flac"):
        soundfile.write(folder / f"speech.{suffix}", speech(), 16_000)
    for suffix, codec in (("mp3", "libmp3lame"), ("m4a", "aac")):
        encode(folder / f"speech.{suffix}", speech(), codec)
    return [path.read_bytes() for path in [SPEECH, *sorted(folder.iterdir())]]


def test_writing_refuses_an_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"the suffix '.doc' names no format. Use .wav, .flac, .ogg, .opus.$"):
        write_audio(tmp_path / "speech.doc", speech(), sample_rate=16_000)


def test_writing_refuses_samples_that_are_no_numbers(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="is not written: the samples hold NaN or infinite values"):
        write_audio(tmp_path / "speech.wav", np.array([0.0, np.nan], np.float32), sample_rate=16_000)
    assert list(tmp_path.iterdir()) == []


def test_writing_names_a_rate_that_the_format_lacks(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"cannot be written at 44100 Hz \(.*\)\. Use another rate or format\.$"):
        write_audio(tmp_path / "speech.opus", speech(), sample_rate=44_100)
    assert list(tmp_path.iterdir()) == []
