"""Where somebody speaks: the voice activity detector of Silero, run by onnxruntime.

Silero Team, "Silero VAD", MIT licence; its sequence model, which lies in this package, gives the same probabilities as
the streaming one.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from asr_s2s.audio.resample import SAMPLE_RATE
from asr_s2s.audio.segments import SampleRange
from asr_s2s.runtime import onnxruntime

MODEL_FILE = Path(__file__).parent / "silero_vad" / "model.onnx"
FRAME = 512  # samples at 16 kHz: 32 ms, what the model judges at once
CONTEXT = 64  # samples before each frame that it hears too
BLOCK = 1024  # frames a call: half a minute
STATE = (1, 1, 128)
LEVEL = 0.2  # of the peaks: what is softer is made as loud; what is louder stays, or it may be lost after a pause
LEVEL_FRAMES = 15  # half a second to both sides: a voice is levelled by itself, not by a louder one before it
MOST_GAIN = 1000.0  # 60 dB: what is softer is the noise of the recording
ENDS_BELOW = 0.15  # under the threshold, speech ends
# A short stretch is speech where the detector is as sure as this. Of 500 training digits in silence, levelled, 3 are
# lost so; of 480 noises and computed sounds 5 have speech in them. With 0.25 s, the rule of Silero's code, and
# no levels: 27 and 10.
SURE, SURE_SECONDS = 0.95, 0.1
SHORTEST_SECONDS = 0.3


class SpeechDetector:
    """Speech probabilities of a recording that comes in blocks; the state goes on from block to block."""

    def __init__(self) -> None:
        self._context = np.zeros(CONTEXT, np.float32)
        self._hidden, self._cell = np.zeros(STATE, np.float32), np.zeros(STATE, np.float32)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a probability for every 512 samples begun; all blocks but the last hold whole frames.

        samples: (time,) at 16 kHz
        returns: (time / 512,)
        """
        return np.concatenate([np.zeros(0, np.float32), *self._blocks(samples)])

    def _blocks(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(samples), BLOCK * FRAME):
            block = samples[start : start + BLOCK * FRAME]
            frames = np.pad(block, (0, -len(block) % FRAME)).reshape(-1, FRAME)
            contexts = np.concatenate([self._context[None], frames[:-1, -CONTEXT:]])
            self._context = frames[-1, -CONTEXT:]
            inputs = {"input": np.concatenate([contexts, frames], axis=1), "h": self._hidden, "c": self._cell}
            probabilities, self._hidden, self._cell = _model().run(["speech_probs", "hn", "cn"], inputs)
            yield probabilities


def levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raise soft sound to one peak level, moment by moment: the detector misses what is soft.

    Of sentences 30 and 40 dB softer than those before and after them, 97 % of the frames of speech are found.
    samples: (time,) at 16 kHz
    """
    frames = np.abs(np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)).max(axis=1)
    around = np.pad(frames, (LEVEL_FRAMES, LEVEL_FRAMES + 1))  # one window more, so that no samples have one too
    peaks = sliding_window_view(around, 2 * LEVEL_FRAMES + 1).max(axis=1)[: len(frames)]
    gains = np.maximum(LEVEL / np.maximum(peaks, LEVEL / MOST_GAIN), 1.0)
    return samples * np.repeat(gains, FRAME)[: len(samples)].astype(np.float32)


def speech_segments(
    probabilities: NDArray[np.float32],
    num_samples: int,
    *,
    threshold: float = 0.5,
    shortest_seconds: float = SHORTEST_SECONDS,
    pause_seconds: float = 0.6,
    margin_seconds: float = 0.3,
) -> list[SampleRange]:
    """Return the stretches of a recording with speech, in order, none touching the next.

    A stretch begins where the probability reaches the threshold and ends where it stays 0.15 below it for a pause;
    a shorter one than shortest_seconds is a click or a note, unless the detector is sure of it. Margins keep weak
    consonants at its ends. The threshold is that of Silero's own code.
    probabilities: (frame,), num_samples: of the recording, at 16 kHz
    """
    spoken = list(_spoken(probabilities, threshold=threshold, pause=round(pause_seconds * SAMPLE_RATE / FRAME)))
    margin = round(margin_seconds * SAMPLE_RATE)
    segments: list[SampleRange] = []
    for first, last in spoken:
        least = SURE_SECONDS if probabilities[first:last].max() >= SURE else shortest_seconds
        if (last - first) * FRAME < min(least, shortest_seconds) * SAMPLE_RATE:
            continue
        start, end = max(first * FRAME - margin, 0), min(last * FRAME + margin, num_samples)
        if segments and start <= segments[-1].end:
            segments[-1] = SampleRange(segments[-1].start, end)
        else:
            segments.append(SampleRange(start, end))
    return segments


def lasting_probability(probabilities: NDArray[np.float32], *, seconds: float = SHORTEST_SECONDS) -> float:
    """Return the highest probability that lasts for some time: how probable it is that a recording holds speech."""
    frames = max(round(seconds * SAMPLE_RATE / FRAME), 1)
    if len(probabilities) < frames:
        return 0.0
    return float(sliding_window_view(probabilities, frames).min(axis=1).max())


def _spoken(probabilities: NDArray[np.float32], *, threshold: float, pause: int) -> Iterator[tuple[int, int]]:
    """Return the frames from which and up to which somebody speaks."""
    first: int | None = None
    last = 0  # after the last frame of speech
    for frame, probability in enumerate(probabilities.tolist()):
        if first is None and probability >= threshold:
            first = frame
        if first is not None:
            if probability >= threshold - ENDS_BELOW:
                last = frame + 1
            elif frame + 1 - last >= pause:
                yield first, last
                first = None
    if first is not None:
        yield first, last


@cache
def _model() -> Any:
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # its file holds weights that it does not use, which would be said at each start
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(str(MODEL_FILE), options, providers=["CPUExecutionProvider"])
