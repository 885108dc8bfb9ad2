"""The pictures of a run: losses, error rates, and attention."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from asr_s2s.pictures import RecordingPicture, draw_recording, require_plotting, save, spread_out
from asr_s2s.training.history import Record

WITHOUT_PICTURES = "train without pictures: training.plots=false"


def draw_losses(path: Path, *, train: Sequence[Record], evaluations: Sequence[Record]) -> None:
    """Draw each loss over the steps: thin as trained, thick on the development set, with its last value."""
    figure, axes = _new_figure()
    losses = sorted({key for record in train for key in record if key.endswith("_loss")})
    curves = []
    for name in losses:
        line = axes.plot(*_curve(train, name), linewidth=0.7, alpha=0.6)[0]
        steps, values = _curve(evaluations, f"dev_{name}")
        label = name.removesuffix("_loss").replace("_", " ")
        curves += axes.plot(steps, values, color=line.get_color(), marker=".", label=label)
    axes.set(title="thin: training, dots: development set", xlabel="step", ylabel="loss per token", yscale="log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    _write_last_values(axes, curves, "{:.3g}")
    _finish(figure, axes, path)


def draw_error_rates(path: Path, *, evaluations: Sequence[Record]) -> None:
    """Draw the free-running word and character error rate of the development set, with the last and lowest values."""
    figure, axes = _new_figure()
    curves = []
    for name, label in (("wer", "words"), ("cer", "characters")):
        steps, values = _curve(evaluations, name)
        rates = [100 * value for value in values]
        best = f", lowest {min(rates):.1f} % at step {steps[rates.index(min(rates))]:,}" if rates else ""
        curves += axes.plot(steps, rates, marker=".", label=f"{label}{best}")
    axes.set(xlabel="step", ylabel="development set: errors, %", ylim=(0, max(1.0, axes.get_ylim()[1])))
    _write_last_values(axes, curves, "{:.1f} %")
    _finish(figure, axes, path)


def _write_last_values(axes: Any, curves: Sequence[Any], form: str) -> None:
    """Write the last value of each curve at the right edge, none upon another."""

    def height(line: Any) -> float:
        place = axes.transAxes.inverted().transform(axes.transData.transform(line.get_xydata()[-1]))
        return float(place[1])

    drawn = sorted((line for line in curves if len(line.get_xydata())), key=height)
    for line, place in zip(drawn, spread_out([*map(height, drawn)], distance=0.06), strict=True):
        text = form.format(line.get_ydata()[-1])
        axes.text(1.01, place, text, transform=axes.transAxes, color=line.get_color(), size=9, va="center")


def draw_attention(
    path: Path, *, attention: Tensor | None, features: Tensor, labels: Sequence[str], frame_shift: float, title: str
) -> None:
    """Draw a spectrogram and, below it on the same time axis, the attention of each token on each frame.

    attention: (token, encoder time), or None for a decoder without attention
    features: (time, mel), the log-mel values as the model sees them
    labels: one a token
    frame_shift: seconds from one feature frame to the next
    """
    weights = None if attention is None else attention.float().numpy()
    picture = RecordingPicture(features.float().numpy(), frame_shift, labels, weights)
    draw_recording(path, picture, title=title, otherwise=WITHOUT_PICTURES)


def _new_figure() -> tuple[Any, Any]:
    figure_class, _ = require_plotting(otherwise=WITHOUT_PICTURES)
    figure = figure_class(figsize=(7, 4), dpi=80, layout="constrained")
    return figure, figure.subplots()


def _curve(records: Sequence[Record], name: str) -> tuple[list[int], list[float]]:
    points = [(record["step"], record[name]) for record in records if record.get(name) is not None]
    return [step for step, _ in points], [value for _, value in points]


def _finish(figure: Any, axes: Any, path: Path) -> None:
    axes.grid(alpha=0.3)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    save(figure, path)
