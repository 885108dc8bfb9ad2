"""Ogg's pages: which are whole and in order, and what of a recording is left between those that are not.

RFC 3533, section 6 (the page header and its checksum). Decoders join what is left as if nothing had been between.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from asr_s2s.audio.content import Content

CAPTURE = b"OggS"
HEADER_BYTES = 27
SOUND = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ", b"fLaC")
BEGINS, ENDS = 2, 4  # flags of a page
CHECKSUM = slice(22, 26)
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
SEARCH_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Page:
    """A page: where it lies, what its header says, and whether its checksum fits."""

    start: int
    end: int
    flags: int
    granule: int
    serial: int
    number: int
    is_whole: bool


@dataclass
class Run:
    """Pages without a hole between them, as stretches of the file; there may be a hole before them.

    lead, granule: its first pages, and how many samples of its codec have been played where they end
    """

    spans: list[tuple[int, int]]
    after_hole: bool
    lead: list[tuple[int, int]] = field(default_factory=list)
    granule: int = -1

    def add(self, page: Page) -> None:
        """Add a page; neighbours become one stretch."""
        if self.spans and self.spans[-1][1] == page.start:
            self.spans[-1] = self.spans[-1][0], page.end
        else:
            self.spans.append((page.start, page.end))
        if self.granule < 0:
            self.lead, self.granule = self.spans.copy(), page.granule


@dataclass
class Link:
    """One of the sounds that stand in a row: the pages of its codec's header, and the runs of those that follow.

    is_head_whole: no page of the header is damaged; is_ended: the last page says that it is the last
    is_broken: behind the last page others were lost
    """

    serial: int
    head: bytes = b""
    runs: list[Run] = field(default_factory=list)
    is_head_whole: bool = True
    is_ended: bool = False
    is_broken: bool = False
    _number: int = 0  # and granule: of the last page
    _granule: int = 0

    def add(self, page: Page, content: Content) -> None:
        """Add the next page of this sound; one that stood before is left out."""
        if not self.runs and page.granule in (0, -1):
            self.head += sealed(content.peek(page.start, page.end - page.start))
            self.is_head_whole &= page.is_whole
        elif not page.is_whole:
            self.is_broken = True
            return
        elif self.runs and page.number <= self._number and page.granule <= self._granule:
            return
        else:
            self._extend(page, after_hole=self.is_broken or page.number != self._number + 1)
        self.is_ended = bool(page.flags & ENDS)
        self._number, self._granule = page.number, max(page.granule, self._granule)

    def _extend(self, page: Page, *, after_hole: bool) -> None:
        if after_hole or not self.runs:
            self.runs.append(Run([], after_hole))
        self.runs[-1].add(page)
        self.is_broken = False


@dataclass
class Sounds:
    """What an Ogg file holds: the sounds in a row, how many tracks each has, and how many bytes its last page lacks."""

    links: list[Link] = field(default_factory=list)
    num_tracks: int = 0
    missing: int = 0


def sounds(content: Content, track: int = 1) -> Sounds:
    """Look at every page of a file; of tracks that run beside each other the given one is listed."""
    found = Sounds()
    begun = 0  # sounds that begin together
    is_beginning = False
    for page in _pages(content):
        if page.flags & BEGINS and _begins_sound(content, page):
            begun = begun + 1 if is_beginning else 1
            is_beginning = True
            found.num_tracks = max(found.num_tracks, begun)
            if begun == track:
                found.links.append(Link(page.serial))
        elif page.is_whole and not page.flags & BEGINS:
            is_beginning = False
        if found.links and page.serial == found.links[-1].serial:
            found.links[-1].add(page, content)
        elif found.links and not page.is_whole:  # whose page it was cannot be known
            found.links[-1].is_broken = True
        found.missing = max(found.missing, page.end - content.size)
    return found


def _begins_sound(content: Content, page: Page) -> bool:
    head = content.peek(page.start, HEADER_BYTES + 255 + 8).ljust(HEADER_BYTES, b"\0")
    return head[HEADER_BYTES + head[26] :].startswith(SOUND)


def sealed(page: bytes) -> bytes:
    """Write the checksum that fits its content into a page."""
    cleared = page[: CHECKSUM.start] + bytes(4) + page[CHECKSUM.stop :]
    return page[: CHECKSUM.start] + _checksum(cleared) + page[CHECKSUM.stop :]


def _pages(content: Content) -> Iterator[Page]:
    """List what looks like a page; where one should be and is none, the next is looked for."""
    position = 0
    while (position := _next_capture(content, position)) >= 0:
        head = content.peek(position, HEADER_BYTES + 255)
        num_segments = head[26] if len(head) > 26 else 0
        end = position + HEADER_BYTES + num_segments + sum(head[HEADER_BYTES : HEADER_BYTES + num_segments])
        data = content.peek(position, end - position)
        head = head.ljust(HEADER_BYTES, b"\0")
        is_whole = len(head) >= HEADER_BYTES and len(data) == end - position and sealed(data) == data
        follows = content.peek(end, 4)
        yield Page(
            position,
            end,
            flags=head[5],
            granule=int.from_bytes(head[6:14], "little", signed=True),
            serial=int.from_bytes(head[14:18], "little"),
            number=int.from_bytes(head[18:22], "little"),
            is_whole=is_whole,
        )
        position = end if is_whole or follows == CAPTURE else position + 4


def _next_capture(content: Content, position: int) -> int:
    """Find the next page's first bytes; -1 where there are none."""
    if content.peek(position, len(CAPTURE)) == CAPTURE:
        return position
    while block := content.peek(position, SEARCH_BYTES):
        found = block.find(CAPTURE)
        if found >= 0:
            return position + found
        position += max(len(block) - 3, 1)
    return -1


def _checksum(page: bytes) -> bytes:
    """Return the checksum of RFC 3533, which is zlib's with all bits mirrored, from 0 on and not inverted."""
    mirrored = zlib.crc32(page.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return mirrored.to_bytes(4, "big").translate(MIRRORED)
