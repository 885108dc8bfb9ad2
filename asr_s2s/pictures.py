"""Pictures of a recording: waveform, spectrogram, attention and words on one time axis.

Drawn with matplotlib's figures directly (no pyplot: no global state, no display) and librosa's waveform.
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

TOKEN_INCHES, WORD_INCHES = 0.16, 0.15  # of a label, so that none covers another


@dataclass(frozen=True)
class RecordingPicture:
    """What is drawn of a recording: what a model gets of it, and where its attention is for each token.

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
    """Return matplotlib's Figure class and librosa.display.

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


def draw_recording(path: Path, picture: RecordingPicture, *, title: str, otherwise: str) -> None:
    """Draw a spectrogram, the waveform above it and the attention below it where they are known."""
    figure_class, display = require_plotting(otherwise=otherwise)
    heights = {"waveform": 1.3, "spectrogram": 1.3, "attention": max(2.2, TOKEN_INCHES * len(picture.labels))}
    if picture.samples is None:
        del heights["waveform"]
    if picture.attention is None:
        del heights["attention"]
    width = max(9.0, 1.2 + WORD_INCHES * len(picture.words))
    figure = figure_class(figsize=(width, 1.2 + sum(heights.values())), dpi=80, layout="constrained")
    drawn = figure.subplots(len(heights), 1, height_ratios=list(heights.values()), sharex=True, squeeze=False)
    axes = dict(zip(heights, drawn[:, 0], strict=True))
    seconds = len(picture.features) * picture.frame_shift
    mel = picture.features.shape[1]
    axes["spectrogram"].imshow(
        picture.features.T, aspect="auto", origin="lower", extent=(0.0, seconds, 0, mel), cmap="magma"
    )
    axes["spectrogram"].set(ylabel="mel channel")
    if picture.samples is not None:
        _draw_waveform(axes["waveform"], display, picture, seconds)
    if picture.attention is not None:
        extent = (0.0, seconds, len(picture.labels) - 0.5, -0.5)
        axes["attention"].imshow(picture.attention, aspect="auto", extent=extent, vmin=0, interpolation="nearest")
        axes["attention"].set_yticks(np.arange(len(picture.labels)), labels=picture.labels, size=8)
        axes["attention"].set(ylabel="token")
    drawn[0, 0].set_title(title)
    drawn[-1, 0].set(xlabel="time, s", xlim=(0.0, seconds))
    drawn[-1, 0].locator_params(axis="x", nbins=int(width * 1.6), steps=[1, 2, 5, 10])
    for one in drawn[:, 0]:
        one.tick_params(axis="x", labelbottom=True, labelsize=8)
    save(figure, path)


def _draw_waveform(axes: Any, display: Any, picture: RecordingPicture, seconds: float) -> None:
    display.waveshow(picture.samples, sr=picture.sample_rate, ax=axes, axis=None, color="0.4")
    axes.xaxis.set_major_locator(type(axes.yaxis.get_major_locator())())  # seconds as they are: waveshow hides them
    axes.set(ylabel="amplitude")
    middles = [(word.start + word.end) / 2 for word in picture.words]
    places = spread_out(middles, distance=seconds / max(len(middles) + 1, axes.figure.get_figwidth() / WORD_INCHES))
    for number, (word, middle, place) in enumerate(zip(picture.words, middles, places, strict=True)):
        axes.axvspan(word.start, word.end, color=f"C{number % 2}", alpha=0.2, linewidth=0)
        axes.annotate(
            word.word,
            (middle, 1),
            (place, 1.12),
            xycoords=("data", "axes fraction"),
            rotation=90,
            size=8,
            ha="center",
            va="bottom",
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": "0.5", "shrinkA": 1, "shrinkB": 0},
        )


def spread_out(places: Sequence[float], *, distance: float) -> list[float]:
    """Move places in rising order as little as needed to lie a distance apart: each crowd around its own middle."""
    crowds: list[tuple[float, int]] = []  # the middle of each, and how many it has
    for place in places:
        crowd = (place, 1)
        while crowds and crowd[0] - crowds[-1][0] < distance * (crowd[1] + crowds[-1][1]) / 2:
            middle, count = crowds.pop()
            total = count + crowd[1]
            crowd = (middle * count + crowd[0] * crowd[1]) / total, total
        crowds.append(crowd)
    return [middle + distance * (number - (count - 1) / 2) for middle, count in crowds for number in range(count)]


def save(figure: Any, path: Path) -> None:
    """Write a figure in the format of the path's suffix, whole or not at all."""
    with atomic_write(path) as temporary:
        figure.savefig(temporary)
