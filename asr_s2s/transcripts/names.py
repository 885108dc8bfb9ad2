"""What a recording is called in files that name it in a column: no white space, never empty."""

import re
from pathlib import Path

from asr_s2s.transcripts.transcript import Transcript

UNNAMED = "audio"
CHANNEL = "1"
SPEAKER = "unknown"


def recording_name(transcript: Transcript) -> str:
    """Give the audio file's name without its suffix, white space and brackets as underscores."""
    stem = Path(transcript.audio_path).stem if transcript.audio_path else ""
    return re.sub(r"[\s()]+", "_", stem) or UNNAMED
