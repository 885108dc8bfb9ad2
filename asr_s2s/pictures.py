"""Pictures of a recording: waveform, spectrogram, where the attention looks, and the words, on one time axis.

Drawn with matplotlib's figures directly (no pyplot: no global state, no display) and librosa's axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr_s2s.errors import MissingExtraError
from asr_s2s.files import atomic_write
from asr_s2s.manifest import Word


@dataclass(frozen=True)
class Heard:
    """What a model heard of a recording, and what it looked at for each token.

    features: (time, mel), the log-mel values as the model sees them; frame_shift: seconds from one to the next
    labels: one a token; attention: (token, encoder time), or None for a decoder without attention
    samples: (time,) of the recording, at sample_rate; None leaves the waveform out
    words: with times that count from the recording's first sample
    """

    features: NDArray[np.float32]
    frame_shift: float
    labels: Sequence[str]
    attention: NDArray[np.float32] | None
    samples: NDArray[np.float32] | None = None
    sample_rate: int = 16_000
    words: Sequence[Word] = field(default=())


def require_plotting(*, otherwise: str) -> tuple[Any, Any]:
    """Give matplotlib's Figure class and librosa.display.

    otherwise: what the user may do without them
    Raises MissingExtraError before hours of work, not after.
    """
    try:
        import librosa.display  # noqa: PLC0415 - an optional dependency
        from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise MissingExtraError(
            f"Pictures need {error.name}. Install it: pip install 'asr-s2s[plot]', or {otherwise}."
        ) from error
    return Figure, librosa.display


def draw_heard(path: Path, heard: Heard, *, title: str, otherwise: str) -> None:
    """Draw a spectrogram, the waveform above it and the attention below it where they are known."""
    figure_class, display = require_plotting(otherwise=otherwise)
    heights = {"waveform": 1.0, "spectrogram": 1.0, "attention": 2.0}
    if heard.samples is None:
        del heights["waveform"]
    if heard.attention is None:
        del heights["attention"]
    tall = max(6.0, 3.5 + 0.14 * len(heard.labels))  # inches: a token a line
    figure = figure_class(figsize=(9, tall), dpi=80, layout="constrained")
    drawn = figure.subplots(len(heights), 1, height_ratios=list(heights.values()), sharex=True, squeeze=False)
    axes = dict(zip(heights, drawn[:, 0], strict=True))
    times = np.arange(len(heard.features) + 1) * heard.frame_shift
    mel = np.arange(heard.features.shape[1] + 1)
    display.specshow(heard.features.T, x_coords=times, y_coords=mel, x_axis="s", ax=axes["spectrogram"], cmap="magma")
    axes["spectrogram"].set(xlabel="", ylabel="mel channel")
    if heard.samples is not None:
        _draw_waveform(axes["waveform"], display, heard)
    if heard.attention is not None:
        extent = (0.0, times[-1], len(heard.labels) - 0.5, -0.5)
        axes["attention"].imshow(heard.attention, aspect="auto", extent=extent, vmin=0, interpolation="nearest")
        axes["attention"].set(ylabel="token", yticks=np.arange(len(heard.labels)), yticklabels=heard.labels)
    drawn[0, 0].set_title(title)
    drawn[-1, 0].set_xlabel("time, s")
    save(figure, path)


def _draw_waveform(axes: Any, display: Any, heard: Heard) -> None:
    display.waveshow(heard.samples, sr=heard.sample_rate, ax=axes, axis=None, color="0.4")
    axes.set(ylabel="amplitude")
    for number, word in enumerate(heard.words):
        axes.axvspan(word.start, word.end, color=f"C{number % 2}", alpha=0.2, linewidth=0)
        place = (word.start + word.end) / 2
        axes.annotate(word.word, (place, 1), xycoords=("data", "axes fraction"), rotation=60, size=8, va="bottom")


def save(figure: Any, path: Path) -> None:
    """Write a figure in the format of the path's suffix, whole or not at all."""
    with atomic_write(path) as temporary:
        figure.savefig(temporary)
