"""What a transcript's own evidence says, in sentences, and the status that follows from all of them."""

from typing import TYPE_CHECKING

from asr_s2s.cli.status import FAILED_INPUTS
from asr_s2s.cli.terminal import say
from asr_s2s.errors import listed

if TYPE_CHECKING:
    from asr_s2s.transcripts import Transcript

SAID = {"no_speech": "no speech found; if somebody speaks there, use --no-vad"}  # instead of the name


def warn(name: str, transcript: "Transcript") -> None:
    """Say what was noted and lost while it was read, and name the reasons to doubt it, and where they are."""
    from asr_s2s.audio import described

    for note in transcript.notes:
        say(f"{name}: {note}")
    if transcript.damage:
        say(f"{name}: {listed([described(damage) for damage in transcript.damage])}; the rest was transcribed")
    for flag in transcript.flags:
        places = [
            f"{segment.start:.1f} to {segment.end:.1f} s ({segment.flags[flag]:.2f})"
            for segment in transcript.segments
            if flag in segment.flags
        ]
        say(f"{name}: {SAID.get(flag, flag)}: {listed(places)}")


def final_status(failed: int, damaged: int, total: int) -> int:
    """Count what failed and what is damaged, and give the exit status."""
    if failed:
        say(f"{failed} of {total} inputs failed; the others are complete.")
    if damaged:
        say(f"{damaged} of {total} inputs are damaged; what can be decoded was transcribed.")
    return FAILED_INPUTS if failed or damaged else 0
