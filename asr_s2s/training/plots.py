"""The pictures of a run: losses, error rates, and where the attention looks.

Drawn with matplotlib's figures directly (no pyplot: no global state, no display) and librosa's axes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from asr_s2s.errors import MissingExtraError
from asr_s2s.files import atomic_write
from asr_s2s.training.history import Record


def require_plotting() -> tuple[Any, Any]:
    """Give matplotlib's Figure class and librosa.display.

    Raises MissingExtraError before hours of training, not after the first epoch.
    """
    try:
        import librosa.display  # noqa: PLC0415 - an optional dependency
        from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise MissingExtraError(
            f"The pictures of a training run need {error.name}. Install it: pip install 'asr-s2s[train]', "
            "or train without pictures: training.plots=false."
        ) from error
    return Figure, librosa.display


def draw_losses(path: Path, *, train: Sequence[Record], evaluations: Sequence[Record]) -> None:
    """Draw each loss over the steps: thin as trained, thick on the development set."""
    figure, axes = _new_figure()
    losses = sorted({key for record in train for key in record if key.endswith("_loss")})
    for name in losses:
        line = axes.plot(*_curve(train, name), linewidth=0.7, alpha=0.6)[0]
        steps, values = _curve(evaluations, f"dev_{name}")
        label = name.removesuffix("_loss").replace("_", " ")
        axes.plot(steps, values, color=line.get_color(), marker=".", label=label)
    axes.set(title="thin: training, dots: development set", xlabel="step", ylabel="loss per token", yscale="log")
    _finish(figure, axes, path)


def draw_error_rates(path: Path, *, evaluations: Sequence[Record]) -> None:
    """Draw the free-running word and character error rate of the development set over the steps."""
    figure, axes = _new_figure()
    for name, label in (("wer", "words"), ("cer", "characters")):
        steps, values = _curve(evaluations, name)
        axes.plot(steps, [100 * value for value in values], marker=".", label=label)
    axes.set(xlabel="step", ylabel="development set: errors, %", ylim=(0, None))
    _finish(figure, axes, path)


def draw_attention(
    path: Path, *, attention: Tensor | None, features: Tensor, labels: Sequence[str], frame_shift: float, title: str
) -> None:
    """Draw a spectrogram and, below it on the same time axis, how much each token looks at each frame.

    attention: (token, encoder time), or None for a decoder without attention
    features: (time, mel), the log-mel values as the model sees them
    labels: one a token
    frame_shift: seconds from one feature frame to the next
    """
    figure_class, display = require_plotting()
    figure = figure_class(figsize=(9, 6), dpi=80, layout="constrained")
    seconds = features.shape[0] * frame_shift
    if attention is None:
        spectrogram_axes = figure.subplots()
    else:
        spectrogram_axes, attention_axes = figure.subplots(2, 1, height_ratios=(1, 2), sharex=True)
        extent = (0.0, seconds, len(labels) - 0.5, -0.5)
        attention_axes.imshow(attention.float().numpy(), aspect="auto", extent=extent, vmin=0, interpolation="nearest")
        attention_axes.set(xlabel="time, s", ylabel="token", yticks=np.arange(len(labels)), yticklabels=labels)
    times = np.arange(features.shape[0] + 1) * frame_shift
    mel = np.arange(features.shape[1] + 1)
    values = features.float().numpy().T
    display.specshow(values, x_coords=times, y_coords=mel, x_axis="s", ax=spectrogram_axes, cmap="magma")
    spectrogram_axes.set(xlabel="time, s" if attention is None else "", ylabel="mel channel", title=title)
    _save(figure, path)


def _new_figure() -> tuple[Any, Any]:
    figure_class, _ = require_plotting()
    figure = figure_class(figsize=(7, 4), dpi=80, layout="constrained")
    return figure, figure.subplots()


def _curve(records: Sequence[Record], name: str) -> tuple[list[int], list[float]]:
    points = [(record["step"], record[name]) for record in records if record.get(name) is not None]
    return [step for step, _ in points], [value for _, value in points]


def _finish(figure: Any, axes: Any, path: Path) -> None:
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    with atomic_write(path) as temporary:
        figure.savefig(temporary)
