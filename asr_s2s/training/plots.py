"""The pictures of a run: losses, error rates, and where the attention looks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from asr_s2s.pictures import Heard, draw_heard, require_plotting, save
from asr_s2s.training.history import Record

WITHOUT_PICTURES = "train without pictures: training.plots=false"


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
    looked = None if attention is None else attention.float().numpy()
    heard = Heard(features.float().numpy(), frame_shift, labels, looked)
    draw_heard(path, heard, title=title, otherwise=WITHOUT_PICTURES)


def _new_figure() -> tuple[Any, Any]:
    figure_class, _ = require_plotting(otherwise=WITHOUT_PICTURES)
    figure = figure_class(figsize=(7, 4), dpi=80, layout="constrained")
    return figure, figure.subplots()


def _curve(records: Sequence[Record], name: str) -> tuple[list[int], list[float]]:
    points = [(record["step"], record[name]) for record in records if record.get(name) is not None]
    return [step for step, _ in points], [value for _, value in points]


def _finish(figure: Any, axes: Any, path: Path) -> None:
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    save(figure, path)
