"""What became of the recordings of one command: said as each is done, counted, and summed up at the end."""

from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from asr_s2s.cli.ending import InterruptedWorkError
from asr_s2s.cli.status import FAILED_INPUTS
from asr_s2s.cli.terminal import moment, say
from asr_s2s.errors import counted, listed

if TYPE_CHECKING:
    from asr_s2s.transcripts import Transcript

# a flag in words, with the measured value that is worst
DOUBTS = {
    "low_confidence": "low confidence ({:.2f})",
    "low_coverage": "speech without words ({:.1f} s)",
    "loop": "repeated words ({:.0f} times)",
    "truncated": "cut off at the length limit ({:.0f} tokens)",
    "no_speech": "no speech found ({:.2f}; if there is speech, use --no-vad)",
}
ONE_FILE, ONE_LINE = "file", "utterance"  # what a command counts


class Outcome(AbstractContextManager["Outcome"]):
    """Counts recordings as they are done; what an interruption leaves is said with its count.

    total: of all; each: what one is called; quiet: failures and damage alone are said; hotwords: words to count
    """

    def __init__(self, total: int, *, each: str = ONE_FILE, quiet: bool = False, hotwords: Iterable[str] = ()) -> None:
        from asr_s2s.transcripts import Phrases

        self.quiet, self._total, self._each = quiet, total, each
        self._hotwords, self._found = Phrases(hotwords), Counter[str]()
        self._done = self._failed = self._damaged = self._doubted = self._words = self._files = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            raise InterruptedWorkError(f"{self._done} of {counted(self._total, self._each)} written") from None

    def failed(self, message: str) -> None:
        """Say why a recording has no transcript."""
        say(message)
        self._failed += 1

    def recognised(self, name: str, transcript: "Transcript") -> None:
        """Say what was noted and lost while a recording was read, and where its transcript is doubtful."""
        from asr_s2s.audio import described

        text = transcript.text
        self._found += self._hotwords.count(text)
        if transcript.damage:
            say(f"{name}: {listed([described(damage) for damage in transcript.damage])}; the rest was transcribed")
            self._damaged += 1
        self._doubted += bool(transcript.flags)
        if not self.quiet:
            for line in (*transcript.notes, *doubts(transcript)):
                say(f"{name}: {line}")

    def written(self, transcript: "Transcript", *, files: int = 1) -> None:
        """Count a recording whose transcript is in so many files."""
        self._done += 1
        self._files += files
        self._words += len(transcript.text.split())

    def finish(self, target: Path | None) -> int:
        """Sum up, and give the exit status; target: where transcripts were written, None for standard output."""
        if not self.quiet:
            if target and self._files:
                doubted = f", doubtful places in {counted(self._doubted, self._each)}" if self._doubted else ""
                many = counted(self._files, self._each)
                say(f"{many} written to {target}: {counted(self._words, 'word')}{doubted}")
            if self._hotwords.names:
                say(f"hot words found: {self._hotwords_found()}")
        for count, what in ((self._failed, "failed"), (self._damaged, "damaged; what can be decoded was transcribed")):
            if count:
                of = counted(count, self._each) if count == self._total else f"{count} of {self._total} {self._each}s"
                say(f"{of} {what}")
        return FAILED_INPUTS if self._failed or self._damaged else 0

    def _hotwords_found(self) -> str:
        found = [f"{name} ({self._found[name]})" for name in self._hotwords.names if self._found[name]]
        missing = [name for name in self._hotwords.names if not self._found[name]]
        return (listed(found) or "none") + (f"; not found: {listed(missing)}" if missing and found else "")


def doubts(transcript: "Transcript") -> list[str]:
    """Word each flag with its worst value and the times of its segments: 'low confidence (0.26) at 26:02, 27:51'."""
    lines = []
    for flag, worst in transcript.flags.items():
        places = [moment(segment.start) for segment in transcript.segments if flag in segment.flags]
        lines.append(f"{DOUBTS.get(flag, flag + ' ({:.2f})').format(worst)} at {listed(places)}")
    return lines
