"""Damage recordings of many containers and codecs at random, and see what reading them does.

usage: fuzz_media.py [--tries 1000] [--seconds 600] [--seed 0] [--kinds ogg,mp3] [--keep FOLDER]

Seeds are made by ffmpeg of a clip in tests/data. Each try damages one of them and reads it twice: as transcription
does, with what is lost noted, and by ffmpeg. Counted are: read (nothing was noted), noted (damage or a remark), refused
(an error of ours), lost (nothing was noted, and the result is more than 0.1 s shorter than the seed, as is ffmpeg's);
and, as faults: crash, hang (10 s), foreign (an error that is not ours), silent (more than 0.1 s shorter than what
ffmpeg decodes, and not a word), unread (refused, and ffmpeg decodes more than a second).
--keep: where the files of faults and losses go. The exit status is 1 if there is a fault.
"""

import argparse
import contextlib
import multiprocessing
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import av

from asr_s2s.audio import SAMPLE_RATE, Findings, read_blocks
from asr_s2s.errors import AudioError

CLIP = Path(__file__).parents[2] / "tests" / "data" / "LJ001-0076.ogg"
PICTURES = ("-f", "lavfi", "-i", "testsrc=d=9:s=96x64:r=5")
SEEDS: dict[str, tuple[str, ...]] = {  # file name: what ffmpeg is told beside the input
    "pcm.wav": (),
    "float.wav": ("-c:a", "pcm_f32le"),
    "adpcm.wav": ("-c:a", "adpcm_ima_wav"),
    "mp3.wav": ("-c:a", "libmp3lame"),
    "pcm.aiff": (),
    "pcm.au": (),
    "pcm.caf": (),
    "pcm.w64": (),
    "a.flac": (),
    "vorbis.ogg": ("-c:a", "libvorbis"),
    "opus.ogg": ("-c:a", "libopus"),
    "flac.oga": ("-c:a", "flac"),
    "xing.mp3": (),
    "bare.mp3": ("-write_xing", "0", "-id3v2_version", "0"),
    "vbr.mp3": ("-q:a", "4"),
    "aac.m4a": (),
    "first.m4a": ("-movflags", "faststart"),
    "parts.mp4": ("-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-frag_duration", "1000000"),
    "around.m4a": ("-c:a", "aac", "-ac", "8"),
    "alac.m4a": ("-c:a", "alac"),
    "pcm.mov": ("-c:a", "pcm_s16be"),
    "opus.mka": ("-c:a", "libopus"),
    "opus.webm": ("-c:a", "libopus"),
    "aac.mkv": ("-c:a", "aac"),
    "mp3.avi": ("-c:a", "libmp3lame"),
    "aac.flv": ("-c:a", "aac", "-ar", "22050"),
    "a.wma": (),
    "aac.ts": ("-c:a", "aac"),
    "mp2.mpg": ("-c:a", "mp2"),
    "a.aac": (),
    "a.ac3": (),
    "a.wv": (),
    "a.tta": (),
    "a.dts": ("-strict", "-2", "-ar", "48000"),
    "a.voc": (),
    "a.sox": (),
    "a.g722": ("-ar", "16000"),
    "video.mp4": ("-c:v", "mpeg4", "-c:a", "aac"),
    "video.avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "video.mkv": ("-c:v", "mpeg4", "-c:a", "libvorbis"),
}
LATEST_SECONDS = 10.0
SHORTER_SECONDS, UNREAD_SECONDS = 0.1, 1.0
FAULTS = ("crash", "hang", "foreign", "silent", "unread")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Reader() as reader:
        seeds = make_seeds(Path(folder), [kind for kind in arguments.kinds.split(",") if kind])
        whole = {path.name: ffmpeg_seconds(path) for path in seeds}
        for number in range(arguments.tries):
            if time.monotonic() - began > arguments.seconds:
                break
            chance = random.Random(f"{arguments.seed} {number}")  # noqa: S311 - no secret
            seed = seeds[number % len(seeds)]
            damaged = Path(folder, f"damaged{seed.suffix}")
            damaged.write_bytes(mutated(seed.read_bytes(), chance))
            found, seconds = reader.read(damaged)
            if found == "read" and seconds < ffmpeg_seconds(damaged) - SHORTER_SECONDS:
                found = "silent"
            elif found == "refused" and ffmpeg_seconds(damaged) > UNREAD_SECONDS:
                found = "unread"
            elif found == "read" and seconds < whole[seed.name] - SHORTER_SECONDS:
                found = "lost"
            counts.setdefault(seed.name, Counter())[found.split(" ")[0]] += 1
            if found.startswith((*FAULTS, "lost")):
                print(f"try {number}, {seed.name}: {found}", flush=True)
                if arguments.keep:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    shutil.move(damaged, arguments.keep / f"{number}-{seed.name}")
    print_counts(counts)
    sys.exit(any(count[fault] for count in counts.values() for fault in FAULTS))


def make_seeds(folder: Path, kinds: list[str]) -> list[Path]:
    """Encode the clip in every way; a kind that this ffmpeg lacks is named and left out."""
    made = []
    for name, options in SEEDS.items():
        if kinds and not any(kind in name for kind in kinds):
            continue
        pictures = PICTURES if "-c:v" in options else ()
        command = ["ffmpeg", "-v", "error", "-y", *pictures, "-i", str(CLIP), *options, str(folder / name)]
        if subprocess.run(command, check=False).returncode == 0:
            made.append(folder / name)
        else:
            print(f"{name}: this ffmpeg cannot write it")
    return made


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Damage a file in one to three ways."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 3))):
        reach = min(len(data), 400) if chance.random() < 0.3 else len(data)  # headers are short, and matter more
        start = chance.randrange(reach)
        size = int(10 ** chance.uniform(0, 4))
        how = chance.choice(("bits", "noise", "zeros", "lost", "added", "doubled", "moved", "cut"))
        block = bytes(data[start : start + size])
        if how == "bits":
            for _ in range(chance.randint(1, 20)):
                data[chance.randrange(reach)] ^= 1 << chance.randrange(8)
        elif how == "noise":
            data[start : start + size] = chance.randbytes(len(block))
        elif how == "zeros":
            data[start : start + size] = bytes(len(block))
        elif how == "lost":
            del data[start : start + size]
        elif how == "added":
            data[start:start] = chance.randbytes(size)
        elif how == "doubled":
            data[start:start] = block
        elif how == "moved":
            del data[start : start + size]
            place = chance.randrange(len(data) + 1)
            data[place:place] = block
        else:
            del data[max(start, 100) :]
        data = data or bytearray(b"\0")
    return bytes(data)


def outcome(path: Path) -> tuple[str, float]:
    """Read a file as transcription does; say what came of it, and how many seconds were read."""
    findings = Findings(path.name, strict=False)
    samples = 0
    try:
        for block in read_blocks(path, findings=findings):
            samples += len(block)
    except AudioError as error:
        return ("refused" if "\n" not in str(error) else f"foreign message of several lines: {error}"), 0.0
    except Exception as error:  # noqa: BLE001 - which are looked for
        return f"foreign {type(error).__name__}: {error}", 0.0
    return ("noted" if findings.damage or findings.notes else "read"), samples / SAMPLE_RATE


def ffmpeg_seconds(path: Path) -> float:
    """Decode a file with ffmpeg; 0 where it cannot."""
    command = ["ffmpeg", "-v", "quiet", "-i", str(path), "-vn", "-f", "s16le", "-ac", "1", "-ar", "16000", "-"]
    try:
        return len(subprocess.run(command, capture_output=True, timeout=30, check=False).stdout) / 2 / SAMPLE_RATE
    except subprocess.TimeoutExpired:
        return 0.0


def pyav_seconds(path: Path) -> float:
    """Decode a file in the plainest way, passing over what fails; 0 where it cannot be opened."""
    seconds = 0.0
    try:
        with av.open(str(path)) as container:
            for packet in container.demux(container.streams.audio[0]):
                with contextlib.suppress(av.FFmpegError):
                    seconds += sum(frame.samples / frame.sample_rate for frame in packet.decode())
    except (av.FFmpegError, IndexError, ValueError):
        return seconds
    return seconds


class Reader:
    """A process that reads files, and another in its place when it dies or hangs."""

    def __enter__(self) -> "Reader":
        self._begin()
        return self

    def _begin(self) -> None:
        self._here, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
        self._process.start()
        there.close()
        assert self._here.recv() == "ready"

    def read(self, path: Path) -> tuple[str, float]:
        """Give what reading a file came to: crash, hang, or as outcome() says."""
        self._here.send(path)
        try:
            if self._here.poll(LATEST_SECONDS):
                answer: tuple[str, float] = self._here.recv()
                return answer
            found = "hang"
        except EOFError:
            found = "crash"
        self.__exit__()
        self._begin()
        return found, 0.0

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection) -> None:
    pipe.send("ready")
    while True:
        pipe.send(outcome(pipe.recv()))


def print_counts(counts: dict[str, Counter[str]]) -> None:
    columns = ("read", "noted", "refused", "lost", *FAULTS)
    print(f"{'':12}", *(f"{name:>8}" for name in columns))
    total: Counter[str] = sum(counts.values(), Counter())
    for name, count in [*counts.items(), ("all", total)]:
        print(f"{name:12}", *(f"{count[column]:8}" for column in columns))


if __name__ == "__main__":
    main()
