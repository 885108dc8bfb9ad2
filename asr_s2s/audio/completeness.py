"""Whether a file is whole, by the sizes that its own parts state, before a decoder sees it; and who reads it well.

Decoders read what is left of a cut-off file without a word. Most containers are a row of chunks, each with its size.
MP3: the Xing header, as G. Bouvigne's "MP3 Info Tag revision 1" has it. Matroska: RFC 8794 (EBML).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from asr_s2s.audio.content import Content

STREAMED = 65536  # bytes around the greatest sizes: what programs promise that cannot go back to the header
SLOPPY_BYTES = 128  # some programs count the header in, or leave a tag behind
MP3_FRAME_LIMIT = 4096  # bytes; the largest frame has 2,881
W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
EMPTY_ASF_DATA = 50  # bytes: its own header, all that a live stream counts
PREFIX, END_CODE, PACK_CODE = b"\0\0\1", 0xB9, 0xBA  # of what a program stream is made of
WAVE_CODES_OF_MPEG = (0x50, 0x55)

Place = tuple[int, int | None]  # where a chunk begins, and where it should end, if it says so


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a file's own parts state about its bytes.

    missing: that should follow its last, surplus: that follow its last part; stated: whether they state its end
    is_open: they state that its end was not known when it was written
    """

    missing: int = 0
    surplus: int = 0
    stated: bool = False
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class _Chunks:
    """How a family of containers writes its chunks: an id, then a size, which may count both in."""

    start: int
    id_bytes: int
    size_bytes: int
    byteorder: Literal["little", "big"]
    counts_header: bool = False
    align: int = 1
    sound: bytes = b""  # the id of the chunk that holds the sound; what looks like a chunk behind it may be a tag

    def __call__(self, content: Content) -> Iterator[Place]:
        header, position = self.id_bytes + self.size_bytes, self.start
        name = b""
        while len(head := content.peek(position, header)) == header:
            was_sound = self.sound and name == self.sound
            name, size = head[: self.id_bytes], int.from_bytes(head[self.id_bytes :], self.byteorder)
            if self.id_bytes == 4:
                is_chunk = name.isascii() and name.decode().isprintable()
            else:
                is_chunk = not was_sound or header <= size <= content.size - position
            if was_sound:
                yield position, content.size if is_chunk else position
                return
            if not is_chunk:
                return
            least = EMPTY_ASF_DATA if self.counts_header else 0
            if _is_open(size, self.size_bytes) or (size <= least and name in (self.sound, b"RIFF")):
                yield position, None
                return
            end = position + size + (0 if self.counts_header else header)
            yield position, end
            position = max(end + -end % self.align, position + header)


def sizes(content: Content) -> Sizes:
    """Add up what a file's parts state; nothing is known of a kind that states nothing."""
    head = content.peek(0, 512)
    for kind, walk, slack in _WALKS:
        if re.match(kind, head, re.DOTALL):
            end: int | None = 0
            for _, end in walk(content):
                if end is None or end > content.size:
                    break
            if not end:
                return Sizes(is_open=end is None)
            missing = end - content.size
            surplus = -missing if -missing > SLOPPY_BYTES else 0
            return Sizes(missing if missing > slack else 0, surplus, stated=True)
    return Sizes()


def is_wave(content: Content) -> bool:
    """Return whether a file is a WAV of whatever size."""
    return content.peek(8, 4) == b"WAVE"


def suits_libsndfile(content: Content) -> bool:
    """Return whether libsndfile should try a file.

    Not MP3, alone or in a WAV: without a header its length would be guessed, and the decoder prints messages.
    """
    head = content.peek(0, 128)
    kind = head.find(b"fmt ") + 8
    in_wave = is_wave(content) and int.from_bytes(head[kind : kind + 2], "little") in WAVE_CODES_OF_MPEG
    return not (_is_mpeg(head) or in_wave)


def mp3_length_stored(content: Content) -> bool:
    """Return whether an MP3 file states its length, and holds no more than that (MP3 files in a row do)."""
    found = _xing(content)
    return found is not None and content.size - sum(found) <= found[1] // 100 + MP3_FRAME_LIMIT


def _is_open(size: int, num_bytes: int) -> bool:
    """Return whether a size stands for an unknown one, as in files that were written to a pipe."""
    largest = 1 << 8 * num_bytes
    return abs(size - largest // 2) <= STREAMED or size >= largest - STREAMED


def _xing(content: Content) -> tuple[int, int] | None:
    """Return where an MP3 file's frames begin and how many bytes they have, if a Xing header counts both."""
    start = tag_bytes(content.peek(0, 16))
    frame = content.peek(start, MP3_FRAME_LIMIT)
    found = re.search(rb"(?:Xing|Info)\0\0\0(.).{4}(.{4})", frame, re.DOTALL)
    if not _is_mpeg(frame) or found is None or found[1][0] & 3 != 3:  # bit 0: counts frames, bit 1: counts bytes
        return None
    return start, int.from_bytes(found[2], "big")


def tag_bytes(head: bytes) -> int:
    """Return the length of a tag that begins with these bytes, of an MP3 or raw AAC; 0 where none does."""
    if head.startswith(b"ID3"):
        return 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
    if head.startswith(b"APETAGEX"):
        return 32 + int.from_bytes(head[12:16], "little")
    return 128 if head.startswith((b"TAG", b"LYRICSBEGIN")) else 0


def _is_mpeg(head: bytes) -> bool:
    """Return whether bytes begin like MP3 or raw AAC: with an ID3 tag or a frame's eleven set bits."""
    return head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)


def _mp3(content: Content) -> Iterator[Place]:
    """Return the frames that a Xing header counts; a difference of a hundredth is an encoder's."""
    found = _xing(content)
    if found:
        short = sum(found) - content.size
        yield found[0], sum(found) if short > found[1] // 100 else content.size


def _mp4(content: Content) -> Iterator[Place]:
    position = 0
    while len(head := content.peek(position, 16)) >= 8 and head[4:8].isalnum():
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:16], "big") if size == 1 else size
        end = position + size if size else content.size
        yield position, end
        position = max(end, position + 8)


def _matroska(content: Content) -> Iterator[Place]:
    position = 0
    while len(head := content.peek(position, 12)) == 12 and head[0]:
        id_bytes = 9 - head[0].bit_length()
        first = head[id_bytes] if id_bytes <= 4 else 0
        size_bytes = 9 - first.bit_length()
        if not first or id_bytes + size_bytes > 12:
            return
        size = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big") & (1 << 7 * size_bytes) - 1
        if size == (1 << 7 * size_bytes) - 1:
            yield position, None
            return
        yield position, position + id_bytes + size_bytes + size
        position += id_bytes + size_bytes + size


def _flv(content: Content) -> Iterator[Place]:
    position = 13
    while len(head := content.peek(position, 11)) == 11 and head[0] in (8, 9, 18):
        end = position + 15 + int.from_bytes(head[1:4], "big")
        yield position, end
        position = end


def _au(content: Content) -> Iterator[Place]:
    head = content.peek(0, 12)
    start, size = int.from_bytes(head[4:8], "big"), int.from_bytes(head[8:12], "big")
    yield start, None if _is_open(size, 4) else start + size


def _sphere(content: Content) -> Iterator[Place]:
    """Return the samples of a SPHERE file that is not compressed."""
    head = content.peek(0, 4096)
    numbers = {key: int(value) for key, value in re.findall(rb"(\w+) -i (\d{1,12})", head.partition(b"\nend_head")[0])}
    start = int(head[8:16]) if head[8:16].strip().isdigit() else 1024
    size = numbers.get(b"sample_count", 0) * numbers.get(b"sample_n_bytes", 0) * numbers.get(b"channel_count", 1)
    packed = re.search(rb"sample_coding -s\d+ \S*(?:shorten|wavpack|shortpack)", head)
    yield start, None if packed or not size else start + size


def _voc(content: Content) -> Iterator[Place]:
    """Return the blocks of a Creative Voice file, up to the byte that ends it."""
    position = int.from_bytes(content.peek(20, 2), "little")
    while (head := content.peek(position, 4)) and head[0]:
        end = position + 4 + int.from_bytes(head[1:], "little")
        yield position, end
        position = end
    yield position, position + 1


def _sox(content: Content) -> Iterator[Place]:
    """Return the samples of SoX's own format, of 32 bits each."""
    head = content.peek(0, 16)
    byteorder: Literal["little", "big"] = "little" if head.startswith(b".") else "big"
    start, count = 4 + int.from_bytes(head[4:8], byteorder), int.from_bytes(head[8:16], byteorder)
    yield start, start + 4 * count if count else None


def _program(content: Content) -> Iterator[Place]:
    """Return the packs and packets of an MPEG program stream (ISO 13818-1, section 2.5), up to any damage."""
    position = 0
    while head := content.peek(position, 14):
        if head[: len(PREFIX)] != PREFIX[: len(head)] or (len(head) > 3 and head[3] < END_CODE):
            yield position, content.size
            return
        kind = head[3] if len(head) > 3 else END_CODE
        if kind == END_CODE:
            length = 4
        elif kind == PACK_CODE:
            length = 14 + (head[13:] or b"\0")[0] % 8 if head[4:5] >= b"\x40" else 12
        else:
            length = 6 + int.from_bytes(head[4:6], "big")
        yield position, position + length
        position += length


def _transport(content: Content) -> Iterator[Place]:
    yield 0, content.size + -content.size % 188


# How a kind of file begins, how its parts are found, and how many bytes its programs may be off.
_WALKS: tuple[tuple[bytes, Callable[[Content], Iterator[Place]], int], ...] = (
    (rb"(RIFF|RF64|BW64)....WAVE", _Chunks(12, 4, 4, "little", align=2, sound=b"data"), SLOPPY_BYTES),
    (rb"RIFX....WAVE", _Chunks(12, 4, 4, "big", align=2, sound=b"data"), SLOPPY_BYTES),
    (rb"RIFF....AVI ", _Chunks(0, 4, 4, "little", align=2), SLOPPY_BYTES),
    (rb"FORM....AIF[FC]", _Chunks(12, 4, 4, "big", align=2, sound=b"SSND"), SLOPPY_BYTES),
    (rb"caff", _Chunks(8, 4, 8, "big"), 0),
    (rb"riff\x2e\x91\xcf\x11", _Chunks(40, 16, 8, "little", counts_header=True, align=8, sound=W64_DATA), SLOPPY_BYTES),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _Chunks(0, 16, 8, "little", counts_header=True, sound=ASF_DATA), 0),
    (rb"....(ftyp|moov|mdat|free|skip|wide|moof|styp)", _mp4, 0),
    (rb"\x1a\x45\xdf\xa3", _matroska, 0),
    (rb"FLV\x01", _flv, 0),
    (rb"\.snd", _au, SLOPPY_BYTES),
    (rb"NIST_1A\n", _sphere, SLOPPY_BYTES),
    (rb"Creative Voice File\x1a", _voc, 1),
    (rb"\.SoX|XoS\.", _sox, 0),
    (rb"\x00\x00\x01\xba", _program, 0),
    (rb"\x47.{187}\x47.{187}\x47", _transport, 0),
    (rb"ID3|\xff[\xe0-\xff]", _mp3, SLOPPY_BYTES),
)
