"""The dialogues of recordings whose channels are transcribed one by one."""

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from asr_s2s.cli.inputs import Input

if TYPE_CHECKING:
    from asr_s2s.transcripts import Transcript


class Dialogues:
    """Gathers the transcripts of a recording's channels until all are there.

    separate: whether each channel's transcript is written too
    """

    def __init__(self, inputs: list[Input], *, separate: bool) -> None:
        self._separate = separate
        self._missing = Counter(one.whole for one in inputs)
        self._found: defaultdict[Input, list[Transcript]] = defaultdict(list)

    def add(self, one: Input, transcript: "Transcript") -> "list[tuple[Input, Transcript]]":
        """Take the transcript of a channel; give what can be written: it, and the dialogue with the last of them."""
        from asr_s2s.transcripts import dialogue

        written = [(one, transcript)] if self._separate or one.whole is None else []
        if one.whole is not None:
            found = self._found[one.whole]
            found.append(transcript)
            if len(found) == self._missing[one.whole]:
                written.append((one.whole, dialogue(self._found.pop(one.whole))))
        return written
