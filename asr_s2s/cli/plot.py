"""asr-s2s transcribe --plot: a picture of each piece of a transcript."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asr_s2s.recognizer import AudioSource, Recognizer
    from asr_s2s.transcripts import Transcript

OTHERWISE = "leave --plot out"


def draw_segments(
    recognizer: "Recognizer", source: "AudioSource", transcript: "Transcript", target: Callable[[str], Path]
) -> None:
    """Draw each piece that has a text; target gives the path for a suffix."""
    import numpy as np

    from asr_s2s.audio import SAMPLE_RATE
    from asr_s2s.engine import FRAME_SECONDS
    from asr_s2s.pictures import RecordingPicture, draw_recording

    spoken = [segment for segment in transcript.segments if segment.text]
    for number, segment in enumerate(spoken, start=1):
        part = replace(source, offset=segment.start, duration=segment.end - segment.start)
        samples = np.concatenate(list(part.blocks()))
        features, labels, attention = recognizer.features_and_attention(
            samples, segment.text, language=segment.language
        )
        picture = RecordingPicture(
            features=features,
            frame_shift=FRAME_SECONDS,
            labels=labels,
            attention=attention,
            samples=samples,
            sample_rate=SAMPLE_RATE,
            words=[
                replace(word, start=word.start - segment.start, end=word.end - segment.start) for word in segment.words
            ],
        )
        title = f"{source.name}, {segment.start:.2f} to {segment.end:.2f} s"
        path = target(".png" if len(spoken) == 1 else f".{number:03d}.png")
        draw_recording(path, picture, title="" if segment.words else title, otherwise=OTHERWISE)
