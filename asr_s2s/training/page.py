"""report.html: a run on one page that needs nothing beside itself: curves, attention over the epochs, sample texts."""

import base64
import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path

from asr_s2s.files import write_text
from asr_s2s.training.history import Record, read_history

ATTENTIONS = 8  # pictures from the first evaluation to the last
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222;
  overflow-wrap: anywhere; }
img { max-width: 100%; } figure { margin: 0 0 1rem; } figcaption { color: #666; }
pre { overflow-x: auto; background: #f5f5f5; padding: .5rem .8rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { text-align: right; padding: .2rem .6rem; }
.alarm { border-left: .3rem solid #b26a00; padding-left: .8rem; }
td.text, th.text { text-align: left; vertical-align: top; width: 50%; } tr:nth-child(even) { background: #f5f5f5; }
"""
COLUMNS = {
    "epoch": "{:d}",
    "dev_cross_entropy_loss": "{:.3f}",
    "accuracy": "{:.1%}",
    "wer": "{:.2%}",
    "cer": "{:.2%}",
    "diagonality": "{:.2f}",
    "sharpness": "{:.2f}",
    "coverage": "{:.2f}",
    "idle": "{:.1%}",
}
TITLES = {"dev_cross_entropy_loss": "cross entropy", "wer": "WER", "cer": "CER", "idle": "waiting for data"}


def attention_picture(folder: Path, step: int) -> Path:
    """Return the path of the picture of the attention at a step."""
    return folder / "pictures" / f"attention-{step:08d}.png"


def write_page(folder: Path, *, summary: Sequence[str] = ()) -> None:
    """Write the page of a run from what lies in its folder.

    summary: lines that say how it ended
    """
    records = read_history(folder / "history.jsonl")
    evaluations = [record for record in records if record["event"] == "evaluation"]
    alarms = [f"Epoch {record['epoch']}: {record['message']}" for record in records if record["event"] == "alarm"]
    curves = [_figure(folder / name, "") for name in ("loss.png", "error_rate.png")]
    attention = [
        _figure(attention_picture(folder, record["step"]), f"after epoch {record['epoch']}")
        for record in _spread(evaluations, ATTENTIONS)
    ]
    title = escape(folder.name)
    parts = [
        f"<h1>{title}</h1>",
        *(f"<p>{escape(line)}</p>" for line in summary),
        *(f'<p class="alarm">{escape(line)}</p>' for line in alarms),
        f"<pre>{escape(next_commands(folder))}</pre>" if summary else "",
        "<h2>Curves</h2>",
        *curves,
        "<h2>Evaluations on the development set</h2>",
        _table(evaluations),
        "<h2>Sample transcripts</h2>",
        *(_samples(record, shown=record is evaluations[-1]) for record in reversed(evaluations)),
        "<h2>Attention</h2>",
        *attention,
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f"<title>{title}</title><style>{STYLE}</style>"
    page = f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'
    write_text(folder / "report.html", page)


def next_commands(folder: Path) -> str:
    """Word what a new model is for."""
    model = shlex.quote(str(folder))
    return (
        f"asr-s2s transcribe --model {model} FILE\n"
        f"asr-s2s transcribe --model {model} --manifest TEST.jsonl --output RECOGNISED.jsonl\n"
        "asr-s2s score RECOGNISED.jsonl"
    )


def _figure(path: Path, caption: str) -> str:
    """Put a picture into the page itself; nothing where it was not drawn."""
    if not path.exists():
        return ""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<figure><img alt="" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def _table(evaluations: Sequence[Record]) -> str:
    shown = {
        name: form for name, form in COLUMNS.items() if any(record.get(name) is not None for record in evaluations)
    }
    heads = "".join(f"<th>{TITLES.get(name, name.replace('_', ' '))}</th>" for name in shown)
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{'' if record.get(name) is None else form.format(record[name])}</td>" for name, form in shown.items()
        )
        + "</tr>"
        for record in evaluations
    )
    return f'<div class="scroll"><table><tr>{heads}</tr>{rows}</table></div>'


def _samples(record: Record, *, shown: bool) -> str:
    rows = "".join(
        f'<tr><td class="text">{escape(one["reference"])}</td><td class="text">{escape(one["hypothesis"])}</td></tr>'
        for one in record.get("samples", ())
    )
    head = '<tr><th class="text">reference</th><th class="text">hypothesis</th></tr>'
    start = "<details open>" if shown else "<details>"
    return f"{start}<summary>epoch {record['epoch']}</summary><table>{head}{rows}</table></details>"


def _spread(records: Sequence[Record], count: int) -> list[Record]:
    """Pick some records evenly, the first and the last among them."""
    if len(records) <= count:
        return list(records)
    return [records[round(place * (len(records) - 1) / (count - 1))] for place in range(count)]
