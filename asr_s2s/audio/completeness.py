"""What the first and last bytes of a file tell before a decoder sees it: whether it is whole, and who reads it well.

Cut-off files matter because decoders read what is left without a word.
Ogg: RFC 3533, section 6 (the page header). MP3: the Xing header, as G. Bouvigne's "MP3 Info Tag revision 1" has it.
"""

import re
from io import SEEK_END
from typing import BinaryIO

from asr_s2s.errors import AudioError

OGG_PAGE_LIMIT = 27 + 255 + 255 * 255  # bytes: header, sizes, content
OGG_SERIAL = slice(14, 18)
STREAMED = 0x7FFF0000  # programs that write to a pipe promise 2 or 4 GiB, because they cannot go back to the header
SLOPPY_BYTES = 128  # some programs count the header in
MP3_FRAME_LIMIT = 4096  # bytes; the largest frame has 2,881


def check_complete(stream: BinaryIO, name: str) -> None:
    """Raise AudioError if an Ogg or MP3 file ends before it should; leaves the stream at its start."""
    missing = 0
    if _head(stream).startswith(b"OggS"):
        missing = _missing_of_page(_last_page(stream))
    elif (promised := mp3_promise(stream)) is not None:
        missing = -_beyond(stream, promised)
        missing = missing if missing > max(SLOPPY_BYTES, promised[1] // 100) else 0
    stream.seek(0)
    if missing > 0:
        raise AudioError(
            f"{name}: is cut off: at least {missing} bytes are missing at its end. Copy or record it again."
        )


def check_log(log: str, name: str) -> None:
    """Raise AudioError if libsndfile's log of a header (WAV, AIFF, AU, W64, RF64) notes less sound than promised."""
    noted = r"^\s*(?:data|SSND|Data Size|riff|Riff size)\s*: (\d+) \(should be (\d+)\)"
    for promised, held in ((int(one), int(other)) for one, other in re.findall(noted, log, re.MULTILINE)):
        if promised - held > SLOPPY_BYTES and promised < STREAMED:
            raise AudioError(
                f"{name}: is cut off: its header promises {promised} bytes of sound, it holds {held}. "
                "Copy or record it again."
            )


def suits_libsndfile(stream: BinaryIO) -> bool:
    """Tell whether libsndfile should try a file; leaves the stream at its start.

    Not MP3: without a header its length would be guessed, and the decoder prints messages about sound files. Not Ogg
    files in a row (a recorded radio stream): all but the first would be left out.
    """
    head = _head(stream)
    chained = head.startswith(b"OggS") and _last_page(stream)[OGG_SERIAL] != head[OGG_SERIAL]
    stream.seek(0)
    return not chained and not _is_mpeg(head)


def mp3_promise(stream: BinaryIO) -> tuple[int, int] | None:
    """Give where an MP3 file's frames begin and how many bytes they have, if a Xing header counts frames and bytes."""
    head = _head(stream)
    start = 0
    if head.startswith(b"ID3"):
        start = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    stream.seek(start)
    frame = stream.read(MP3_FRAME_LIMIT)
    found = re.search(rb"(?:Xing|Info)\0\0\0(.).{4}(.{4})", frame, re.DOTALL)
    if not _is_mpeg(frame) or found is None or found[1][0] & 3 != 3:  # bit 0: counts frames, bit 1: counts bytes
        return None
    return start, int.from_bytes(found[2], "big")


def mp3_length_stored(stream: BinaryIO) -> bool:
    """Tell whether an MP3 file states its length, and holds no more than that (MP3 files in a row do)."""
    promised = mp3_promise(stream)
    return promised is not None and _beyond(stream, promised) <= promised[1] // 100 + MP3_FRAME_LIMIT


def _beyond(stream: BinaryIO, promised: tuple[int, int]) -> int:
    """Give how many bytes a file has beyond those promised, tags included; below 0 for one cut off."""
    return stream.seek(0, SEEK_END) - sum(promised)


def _head(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read(27).ljust(10, b"\0")


def _is_mpeg(head: bytes) -> bool:
    """Tell whether bytes begin like MP3 or raw AAC: with an ID3 tag or a frame's eleven set bits."""
    return head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)


def _last_page(stream: BinaryIO) -> bytes:
    """Give what an Ogg file holds from the start of its last page on."""
    stream.seek(max(0, stream.seek(0, SEEK_END) - OGG_PAGE_LIMIT))
    tail = stream.read()
    return tail[max(tail.rfind(b"OggS"), 0) :]


def _missing_of_page(page: bytes) -> int:
    """Give how many bytes an Ogg page promises beyond those there are."""
    if not page.startswith(b"OggS"):
        return 0  # a long tail of something else
    if len(page) < 27 or len(page) < 27 + page[26]:
        return 1
    return max(27 + page[26] + sum(page[27 : 27 + page[26]]) - len(page), 0)
