"""A check as one HTML page, with a player beside each suspicious utterance; the sound stays where it is."""

from importlib import resources
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from asr_s2s.audio import Levels
from asr_s2s.checking.finding import CheckedUtterance
from asr_s2s.checking.report import LENGTHS, CheckReport
from asr_s2s.errors import MissingExtraError
from asr_s2s.manifest import relative_path

TEMPLATE = "page.html.jinja"


def to_html(report: CheckReport, *, folder: Path) -> str:
    """Return a page that stands in a folder: it needs no network, and links the sound relative to itself.

    Raises MissingExtraError where jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MissingExtraError("HTML pages need jinja2: pip install 'asr-s2s[html]'") from error
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resources.files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8"))
    players = [_player(suspect.checked, folder) for suspect in report.suspects]
    return template.render(report=report, rows=list(zip(report.suspects, players, strict=True)), lengths=length_names())


def length_names() -> list[str]:
    """Name the columns of the histogram of lengths: "0-1 s", ... "30- s"."""
    return [f"{low:.0f}-{'' if high == LENGTHS[-1] else f'{high:.0f}'} s" for low, high in pairwise(LENGTHS)]


def _player(checked: CheckedUtterance, folder: Path) -> str | None:
    """Return the address of a piece of sound (W3C media fragments); None for what cannot be played."""
    if not isinstance(checked.sound, Levels):
        return None
    address = quote(relative_path(checked.utterance.audio_path, folder))
    start = checked.utterance.offset
    whole = not start and checked.utterance.duration is None
    return address if whole else f"{address}#t={start:.3f},{start + checked.sound.seconds:.3f}"
