"""Of a damaged recording what can be decoded is read, in its place; what is lost is said with its times."""

import contextlib
import io
import os
import random
import re
import struct
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from audio_files import DATA, SPEECH, Samples, encode, snr_db, speech
from hypothesis import given, settings
from hypothesis import strategies as st

from asr_s2s.audio import Findings, audio_duration, read_audio, read_blocks
from asr_s2s.audio.content import ALLOWANCE, Content
from asr_s2s.audio.ogg import sealed
from asr_s2s.errors import AudioError, Damage

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "bench"))
import fuzz_media

pytestmark = pytest.mark.unit

SECONDS = len(speech()) / 16_000


def read(source: Path | bytes, **options: int) -> tuple[Samples, Findings]:
    findings = Findings("recording", strict=False)
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    return np.concatenate(list(read_blocks(stream, findings=findings, **options))), findings


def only_damage(findings: Findings) -> Damage:
    (damage,) = findings.damage
    return damage


KINDS = {
    "pcm.wav": None,
    "a.aiff": None,
    "a.au": None,
    "a.caf": None,
    "a.w64": None,
    "a.flac": None,
    "vorbis.ogg": None,
    "opus.opus": None,
    "a.mp3": "libmp3lame",
    "bare.mp3": "libmp3lame",
    "a.aac": "aac",
    "a.m4a": "aac",
    "a.mov": "pcm_s16be",
    "a.mka": "libopus",
    "a.webm": "libopus",
    "a.mkv": "aac",
    "a.avi": "mp2",
    "a.flv": "aac",
    "a.wma": "wmav2",
    "a.ts": "aac",
    "a.mpg": "mp2",
    "a.vob": "ac3",
    "a.tta": "tta",
    "a.voc": "pcm_s16le",
    "a.sox": "pcm_s32le",
    "video.mp4": "aac",
    "video.avi": "mp2",
    "video.mkv": "aac",
}
CONTAINER = {
    ".m4a": {"movflags": "faststart"},
    ".mp4": {"movflags": "faststart"},
    ".mov": {"movflags": "faststart"},
    "bare.mp3": {"write_xing": "0", "id3v2_version": "0"},
}
RATES = {"libopus": 48_000, "mp2": 48_000, "ac3": 48_000, "wmav2": 44_100}


def make(folder: Path, name: str) -> Path:
    path, codec = folder / name, KINDS[name]
    if codec is None:
        opus = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
        soundfile.write(path, speech(), 16_000, **opus)
        return path
    options = CONTAINER.get(name, CONTAINER.get(path.suffix))
    rate = 44_100 if path.suffix == ".flv" else RATES.get(codec, 16_000)
    return encode(path, speech(), codec, rate=rate, pictures=name.startswith("video"), container=options)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    return {name: make(folder, name) for name in KINDS}


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_recording_of_any_kind_is_never_called_damaged(recordings: dict[str, Path], name: str) -> None:
    samples, findings = read(recordings[name])
    assert (findings.damage, findings.notes) == ([], ())
    assert len(samples) / 16_000 == pytest.approx(SECONDS, abs=0.15)  # encoders fill their first and last frames


@pytest.mark.parametrize("share", [0.51, 0.93])  # not between two packs
@pytest.mark.parametrize("name", KINDS)
def test_a_recording_cut_off_is_read_to_the_cut_and_said_to_be_cut(
    recordings: dict[str, Path], name: str, share: float
) -> None:
    whole, _ = read(recordings[name])
    content = recordings[name].read_bytes()
    content = content[: int(len(content) * share)]
    samples, findings = read(content)
    assert SECONDS * 0.2 < len(samples) / 16_000 < SECONDS
    assert findings.damage[-1].start == pytest.approx(len(samples) / 16_000, abs=0.15)
    agreeing = len(samples) - 4_000  # the last quarter of a second is that of a decoder that ran dry
    assert snr_db(whole[:agreeing], samples[:agreeing]) > 20
    with pytest.raises(AudioError, match=r"^the given sound: \w+ .* Copy or record it again\.$"):
        read_audio(io.BytesIO(content))


@pytest.mark.parametrize("name", KINDS)
def test_the_first_bytes_alone_are_read_or_refused_in_a_sentence(recordings: dict[str, Path], name: str) -> None:
    content = recordings[name].read_bytes()
    for size in range(1, 80):
        with contextlib.suppress(AudioError):
            assert len(read(content[:size])[0]) < 1000


@pytest.mark.parametrize(("name", "codec"), [("a.g722", "g722"), ("a.sbc", "sbc"), ("a.rso", "pcm_u8")])
def test_a_recording_known_by_its_name_alone_is_not_damaged(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, speech(), codec)
    samples = np.concatenate(list(read_blocks(path, findings=(findings := Findings(str(path))))))
    assert (findings.damage, findings.notes) == ([], ("has no header; its kind is that of its name",))
    assert len(samples) / 16_000 == pytest.approx(SECONDS, abs=0.05)


def test_a_sphere_file_cut_off_is_said_to_be_cut() -> None:
    head = f"NIST_1A\n   1024\nsample_count -i {len(speech())}\nsample_rate -i 16000\nchannel_count -i 1\n"
    head += "sample_n_bytes -i 2\nsample_byte_format -s2 01\nsample_coding -s3 pcm\nend_head\n"
    whole = head.encode().ljust(1024) + np.round(speech() * 32767).astype("<i2").tobytes()
    assert read(whole)[1].damage == []
    samples, findings = read(whole[: len(whole) // 2])
    assert only_damage(findings).start == pytest.approx(len(samples) / 16_000, abs=0.01)


def pages(content: bytes) -> list[bytes]:
    starts = [place for place in range(len(content)) if content.startswith(b"OggS", place)]
    return [content[start:end] for start, end in zip(starts, [*starts[1:], len(content)], strict=True)]


@pytest.fixture(scope="module")
def long_ogg(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Twelve seconds of speech in pages of a second or so."""
    folder = tmp_path_factory.mktemp("ogg")
    samples = np.concatenate([speech(), read_audio(DATA / "LJ001-0076.ogg")])
    made = {}
    for codec in ("libopus", "flac"):
        rate = 48_000 if codec == "libopus" else 16_000
        made[codec] = encode(folder / f"{codec}.ogg", samples, codec, rate=rate).read_bytes()
    soundfile.write(folder / "vorbis.ogg", samples, 16_000)
    return made | {"vorbis": (folder / "vorbis.ogg").read_bytes()}


@pytest.mark.parametrize("codec", ["libopus", "vorbis", "flac"])
def test_ogg_pages_that_are_lost_or_damaged_are_silence_of_their_length(long_ogg: dict[str, bytes], codec: str) -> None:
    whole, found = read(long_ogg[codec])
    assert (found.damage, found.notes) == ([], ())
    parts = pages(long_ogg[codec])
    first_sound = 2 if codec != "vorbis" else next(i for i, page in enumerate(parts) if page[6:14] != bytes(8))

    @settings(max_examples=12)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        bad = data.draw(st.sets(st.integers(first_sound, len(parts) - 2), min_size=1, max_size=4))
        flip = data.draw(st.booleans())
        kept = [_flipped(page) if at in bad else page for at, page in enumerate(parts) if flip or at not in bad]
        samples, findings = read(b"".join(kept))
        assert len(samples) == pytest.approx(len(whole), abs=400)
        heard = np.ones(len(whole), bool)
        for damage in findings.damage:
            assert damage.end is not None
            hole = slice(round(damage.start * 16_000), round(damage.end * 16_000))
            assert np.abs(samples[hole.start + 400 : hole.stop - 400]).max(initial=0.0) < 1e-3  # a resampler rings
            heard[max(hole.start - 800, 0) : hole.stop + 3_200] = False  # Opus settles in 80 ms and more
        assert 0 < heard.mean() < 1
        size = min(len(samples), len(whole))
        assert snr_db(whole[:size] * heard[:size], samples[:size] * heard[:size]) > 10  # Opus adapts to what it heard

    holds()


def _flipped(page: bytes) -> bytes:
    return page[:-5] + bytes([page[-5] ^ 16]) + page[-4:]


def test_ogg_pages_of_one_packet_that_are_lost_are_silence_too(tmp_path: Path) -> None:
    options = {"page_duration": "20000"}
    path = encode(tmp_path / "a.opus", speech(), "libopus", rate=48_000, container=options)
    parts, whole = pages(path.read_bytes()), read(path)[0]
    assert len(parts) > 150
    samples, findings = read(b"".join(page for at, page in enumerate(parts) if at < 20 or at % 20))
    assert len(samples) == pytest.approx(len(whole), abs=160)
    # and 6.5 ms more, which Opus's decoder leaves out wherever it begins
    assert all(0.0199 < (one.end or 0) - one.start < 0.0271 for one in findings.damage)
    assert len(findings.damage) == (len(parts) - 1) // 20


def test_an_ogg_page_that_stands_there_twice_is_heard_once(long_ogg: dict[str, bytes]) -> None:
    parts = pages(long_ogg["libopus"])
    samples, _ = read(b"".join([*parts[:5], parts[4], *parts[5:]]))
    np.testing.assert_allclose(samples, read(long_ogg["libopus"])[0], atol=1e-5)  # two decoders' rounding


def test_an_ogg_file_without_its_last_pages_is_said_to_lack_its_end(long_ogg: dict[str, bytes]) -> None:
    _, findings = read(b"".join(pages(long_ogg["libopus"])[:-2]))
    assert findings.damage == []
    assert findings.notes == ("has no end-of-stream page; its end may be missing",)


def test_ogg_streams_of_one_serial_number_in_a_row_are_all_read(long_ogg: dict[str, bytes]) -> None:
    samples, findings = read(long_ogg["libopus"] * 2)
    once = read(long_ogg["libopus"])[0]
    assert findings.damage == []
    assert len(samples) == pytest.approx(2 * len(once), abs=320)
    assert snr_db(once, samples[-len(once) :]) > 15


def test_opus_whose_last_page_promises_too_much_is_whole(long_ogg: dict[str, bytes]) -> None:
    *others, last = pages(long_ogg["libopus"])
    granule = int.from_bytes(last[6:14], "little") + 48_000
    samples, findings = read(b"".join([*others, sealed(last[:6] + struct.pack("<q", granule) + last[14:])]))
    assert (findings.damage, findings.notes) == ([], ())
    assert len(samples) == pytest.approx(len(read(long_ogg["libopus"])[0]), abs=320)


def test_a_damaged_flac_frame_is_silence_and_the_sound_behind_it_stands_in_its_place(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", speech(), 16_000)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[len(content) // 2] ^= 4
    samples, findings = read(bytes(content))
    damage = only_damage(findings)
    assert damage.end is not None
    assert 0 < damage.end - damage.start < 0.6
    start, end = round(damage.start * 16_000), round(damage.end * 16_000)
    assert not samples[start:end].any()
    np.testing.assert_array_equal(samples[:start], speech()[:start])
    np.testing.assert_array_equal(samples[end:], speech()[end:])


@pytest.mark.parametrize("change", [-16_000, 16_000])
def test_a_flac_that_counts_its_samples_wrong_is_read_to_its_end(tmp_path: Path, change: int) -> None:
    soundfile.write(tmp_path / "a.flac", speech(), 16_000)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[22:26] = (len(speech()) + change).to_bytes(4, "big")  # STREAMINFO, RFC 9639, section 8.2
    samples, findings = read(bytes(content))
    np.testing.assert_array_equal(samples, speech())
    if change < 0:
        assert findings.damage == []
        assert findings.notes == ("its header promises 2.69 s, it holds 3.69 s; all of it was read",)
    else:
        assert only_damage(findings) == Damage(
            pytest.approx(3.686, abs=1e-3), pytest.approx(4.686, abs=1e-3), "is cut off"
        )  # type: ignore[arg-type]


def test_a_wav_whose_header_promises_less_is_read_to_its_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", speech(), 16_000)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[40:44] = (20_000).to_bytes(4, "little")
    samples, findings = read(bytes(content))
    np.testing.assert_allclose(samples, speech(), atol=2**-15)
    assert findings.damage == []
    assert len(findings.notes) == 1


def test_a_tag_behind_the_sound_of_a_wav_is_no_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", speech(), 16_000)
    samples, findings = read(
        (tmp_path / "a.wav").read_bytes() + b"LIST\x10\0\0\0INFOISFT\4\0\0\0Lavf" + b"TAG".ljust(128)
    )
    assert (len(samples), findings.damage, findings.notes) == (len(speech()), [], ())


def test_damage_in_an_mp3_is_silence_of_its_length(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", speech(), "libmp3lame")
    whole, content = read(path)[0], bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6_000] = np.random.default_rng(1).bytes(6_000)  # half a second
    samples, findings = read(bytes(content))
    assert len(samples) == pytest.approx(len(whole), abs=1_600)
    assert sum((one.end or 0) - one.start for one in findings.damage) == pytest.approx(0.5, abs=0.15)
    assert snr_db(whole[-16_000:], samples[-16_000:], lag=len(whole) - len(samples)) > 15


class FailingDisk(io.BytesIO):
    """A file that the disk cannot read beyond a place."""

    def __init__(self, content: bytes, place: int) -> None:
        super().__init__(content)
        self.place = place

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() + (size if size and size > 0 else len(self.getvalue())) > self.place:
            raise OSError(5, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("name", ["pcm.wav", "a.mp3", "a.m4a", "vorbis.ogg", "a.flac", "a.mka"])
def test_what_lies_before_an_error_of_the_disk_is_read(tmp_path: Path, name: str) -> None:
    path, long = tmp_path / name, np.concatenate([speech()] * 10)
    if KINDS[name] is None:
        soundfile.write(path, long, 16_000)
    else:
        encode(path, long, KINDS[name], rate=RATES.get(KINDS[name] or "", 16_000), container=CONTAINER.get(path.suffix))
    content = path.read_bytes()
    findings = Findings("disk", strict=False)
    stream = FailingDisk(content, int(len(content) * 0.7))
    samples = np.concatenate(list(read_blocks(stream, findings=findings)))
    assert 0.3 * len(long) < len(samples) < 0.75 * len(long)
    assert findings.damage[-1].reason == "cannot be read on (Input/output error)"


class Counting(io.FileIO):
    """A file that counts what is read of it."""

    num_read = 0

    def read(self, size: int | None = -1) -> bytes:  # type: ignore[override]
        data = super().read(size) or b""
        self.num_read += len(data)
        return data


def test_zeros_behind_an_mp3_are_not_gathered_in_memory(tmp_path: Path) -> None:
    content = encode(tmp_path / "a.mp3", speech(), "libmp3lame").read_bytes()
    with (tmp_path / "zeros.mp3").open("wb") as file:
        file.write(content)
        file.truncate(1 << 30)
    findings = Findings("zeros", strict=False)
    with Counting(tmp_path / "zeros.mp3") as stream:
        assert sum(map(len, read_blocks(stream, findings=findings))) > len(speech())  # type: ignore[arg-type]
    assert findings.damage[-1].reason == "holds 64 MB and more that no decoder knows"
    assert stream.num_read < 2 * ALLOWANCE


def test_a_gap_of_most_of_an_hour_passes_through_in_small_blocks(tmp_path: Path) -> None:
    path = encode(tmp_path / "gap.mka", speech(), "libopus", rate=48_000, pause=(2.0, 3300.0))
    findings = Findings("gap", strict=False)
    sizes = [len(block) for block in read_blocks(path, findings=findings)]
    assert sum(sizes) / 16_000 == pytest.approx(3300 + SECONDS, abs=0.1)
    assert max(sizes) <= 32 * 16_000
    assert findings.damage == []
    (note,) = findings.notes
    assert re.fullmatch(r"holds no sound from 2\.0\d to 3302\.0\d s; silence stands there", note)


def test_many_channels_pass_through_in_small_blocks(tmp_path: Path) -> None:
    path = tmp_path / "many.wav"
    with soundfile.SoundFile(path, "w", 16_000, 255) as file:
        for _ in range(20):
            file.write(np.full((16_000, 255), 0.25))
    sizes = [len(block) for block in read_blocks(path)]
    assert (sum(sizes), max(sizes) <= (1 << 22) / 255) == (20 * 16_000, True)


@pytest.mark.parametrize(("layout", "num_channels"), [("7.1", 8), ("hexadecagonal", 16)])
def test_many_channels_that_are_stored_apart_are_each_read(tmp_path: Path, layout: str, num_channels: int) -> None:
    path = tmp_path / "many.wv"
    levels = np.linspace(0.1, 0.9, num_channels, dtype=np.float32)
    with av.open(str(path), "w") as file:
        track = file.add_stream("wavpack", rate=16_000, layout=layout, format="fltp")
        packed = (speech()[:, None] * levels).reshape(1, -1)  # PyAV itself does not write so many planes
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate = 16_000
        for piece in av.AudioResampler("fltp", layout, 16_000).resample(frame):
            file.mux(track.encode(piece))
        file.mux(track.encode(None))
    for channel, level in enumerate(levels, start=1):
        samples = np.concatenate(list(read_blocks(path, channel=channel)))
        np.testing.assert_allclose(samples, level * speech(), atol=1e-6)
    assert snr_db(levels.mean() * speech(), read(path)[0]) > 90


def test_channels_of_opposite_phase_are_not_mixed_to_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "anti.wav", np.stack([speech(), -speech()], axis=1), 16_000, subtype="FLOAT")
    samples, findings = read(tmp_path / "anti.wav")
    np.testing.assert_array_equal(np.abs(samples), np.abs(speech()))
    assert findings.notes == ("has channels of opposite phase; channel 1 was taken instead of their mix",)


@pytest.mark.parametrize("scale", [128.0, 2.0**15, 2.0**31])
def test_float_samples_of_another_scale_are_scaled(tmp_path: Path, scale: float) -> None:
    loud = speech() / np.abs(speech()).max()
    quiet_first = np.concatenate([np.zeros(16_000, np.float32), loud])
    soundfile.write(tmp_path / "whole.wav", quiet_first * scale, 16_000, subtype="DOUBLE")
    samples, findings = read(tmp_path / "whole.wav")
    np.testing.assert_allclose(samples, quiet_first, atol=1e-6)
    assert findings.notes == (f"has floating-point samples of up to {scale:.0f}; they were divided by that",)


def test_float_samples_a_little_beyond_full_scale_stay_as_they_are(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hot.wav", speech() * 5, 16_000, subtype="FLOAT")
    samples, findings = read(tmp_path / "hot.wav")
    np.testing.assert_array_equal(samples, speech() * np.float32(5))
    assert findings.notes == ()


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    samples = speech().copy()
    samples[8_000:8_400] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16_000, subtype="FLOAT")
    found, findings = read(tmp_path / "nan.wav")
    np.testing.assert_array_equal(found, np.where(np.isnan(samples), 0, samples))
    assert only_damage(findings) == Damage(0.5, 0.525, "holds samples that are NaN or infinite")


def test_damage_outside_a_piece_does_not_concern_it(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", speech(), 16_000)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[len(content) // 2] ^= 4
    np.testing.assert_array_equal(read_audio(io.BytesIO(content), duration=1.0), speech()[:16_000])
    np.testing.assert_array_equal(read_audio(io.BytesIO(content), offset=3.0), speech()[48_000:])
    with pytest.raises(AudioError, match="is damaged from"):
        read_audio(io.BytesIO(content))
    with pytest.raises(AudioError, match="is damaged from"):
        read_audio(io.BytesIO(content), offset=1.0, duration=1.5)


@pytest.mark.parametrize("offset", [1e15, 1e9])
@pytest.mark.parametrize("name", ["pcm.wav", "a.mp3", "a.mka", "opus.opus"])
def test_an_offset_beyond_all_time_is_an_offset_beyond_the_end(
    recordings: dict[str, Path], name: str, offset: float
) -> None:
    with pytest.raises(AudioError, match=r"has no sound from 10+\.0 s on\. Give an earlier offset"):
        read_audio(recordings[name], offset=offset, duration=1.0)


def two_tracks(path: Path, first: Samples, second: Samples) -> Path:
    with av.open(str(path), "w") as file:
        tracks = [file.add_stream("aac", rate=16_000, layout="mono") for _ in range(2)]
        for track, samples in zip(tracks, (first, second), strict=True):
            frame = av.AudioFrame.from_ndarray(samples[None].copy(), format="fltp", layout="mono")
            frame.sample_rate = 16_000
            for piece in av.AudioResampler("fltp", "mono", 16_000, frame_size=1024).resample(frame):
                file.mux(track.encode(piece))
            file.mux(track.encode(None))
    return path


def test_one_of_several_tracks_is_chosen_and_a_silent_first_one_passed_over(tmp_path: Path) -> None:
    path = two_tracks(tmp_path / "two.mka", speech(), -speech()[::-1])
    chosen, findings = read(path)
    assert snr_db(speech(), chosen) > 15
    assert findings.notes == ("holds 2 sound tracks; number 1 was read (--track chooses)",)
    second, findings = read(path, track=2)
    assert snr_db(-speech()[::-1], second) > 15
    assert findings.notes == ()
    with pytest.raises(AudioError, match=r"has 2 sound tracks, track 3 was asked for"):
        read(path, track=3)
    silent_first = two_tracks(tmp_path / "silent.mka", np.zeros_like(speech()), speech())
    chosen, findings = read(silent_first)
    assert snr_db(speech(), chosen) > 15
    assert findings.notes == ("holds 2 sound tracks; number 2 was read (--track chooses)",)


def test_a_track_that_is_not_there(tmp_path: Path) -> None:
    for path in (SPEECH, encode(tmp_path / "a.m4a", speech(), "aac")):
        with pytest.raises(AudioError, match=r"has 1 sound track, track 2 was asked for"):
            read(path, track=2)


def test_a_pipe_is_refused_before_it_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match=r"pipe.wav: is a device or a pipe, not a file"):
        read_audio(tmp_path / "pipe.wav")


def test_the_length_of_a_damaged_ogg_file_counts_its_holes(long_ogg: dict[str, bytes]) -> None:
    parts = pages(long_ogg["libopus"])
    stream = io.BytesIO(b"".join([*parts[:5], *parts[6:]]))
    with pytest.raises(AudioError, match="has lost or damaged pages"):
        audio_duration(stream)


def test_a_place_that_cannot_be_gone_to_leaves_a_stream_where_it_is() -> None:
    content = Content(io.BytesIO(b"some sound"))
    content.seek(3)
    assert (content.seek(-5), content.read(4)) == (3, b"e so")


@pytest.mark.parametrize("name", ["pcm.wav", "a.flac", "vorbis.ogg", "a.mp3", "a.m4a", "a.mka", "a.avi", "a.ts"])
def test_files_damaged_at_random_are_read_or_refused_and_never_shortened_in_silence(
    recordings: dict[str, Path], tmp_path: Path, name: str
) -> None:
    content = recordings[name].read_bytes()
    for number in range(12):
        damaged = tmp_path / f"{number}-{name}"
        damaged.write_bytes(fuzz_media.mutated(content, random.Random(number)))  # noqa: S311 - no secret
        found, seconds = fuzz_media.outcome(damaged)
        assert found in ("read", "noted", "refused")
        if found == "read":
            assert seconds >= fuzz_media.pyav_seconds(damaged) - fuzz_media.SHORTER_SECONDS
