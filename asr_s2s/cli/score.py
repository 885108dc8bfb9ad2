"""asr-s2s score: references and hypotheses to a word error rate report."""

import math
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asr_s2s.cli.outputs import check_outputs
from asr_s2s.cli.status import CHECK_FAILED
from asr_s2s.cli.terminal import output, say
from asr_s2s.cli.together import check_effects
from asr_s2s.errors import ConfigError

if TYPE_CHECKING:
    from asr_s2s.scoring import Comparison, Report

Missing = Literal["deletions", "skip"]
Costs = Literal["unit", "sclite"]
Format = Literal["manifest", "kaldi", "trn", "stm", "ctm", "seglst", "transcript", "columns", "lines", "text"]


def score(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[REFERENCE] HYPOTHESIS...",
            help="One manifest or table with both sides; or the reference, then one hypothesis or several: manifest, "
            "Kaldi text, trn, stm, ctm, SegLST, csv, tsv, srt, vtt, TextGrid, json, plain text, or folders with a file "
            "for each recording; '-' reads standard input.",
        ),
    ] = None,
    normalizer: Annotated[
        str,
        typer.Option(help="none, basic, whisper-english, whisper-basic, or a file of rules: .yaml, or sclite's .glm."),
    ] = "basic",
    group_by: Annotated[
        list[str] | None,
        typer.Option(help="Fields of the manifest, as speaker,language; also duration, speed, snr, flags."),
    ] = None,
    missing: Annotated[
        Missing, typer.Option(help="How to count missing hypotheses: deletions, or skip to leave them out.")
    ] = "deletions",
    costs: Annotated[
        Costs, typer.Option(help="Edit costs for the alignment: unit, or sclite (substitution 4, others 3).")
    ] = "unit",
    source_format: Annotated[
        Format | None, typer.Option("--format", "-f", help="Input format of all files, if it cannot be detected.")
    ] = None,
    keywords: Annotated[
        Path | None, typer.Option(help="File with one word or phrase per line: recall and precision of each.")
    ] = None,
    bleu: Annotated[bool, typer.Option(help="For translations: BLEU and chrF by sacrebleu.")] = False,
    cpwer: Annotated[bool, typer.Option(help="For meetings (stm, SegLST): cpWER by meeteval.")] = False,
    json: Annotated[Path | None, typer.Option(help="Also write the report as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write the rates of systems and groups as CSV.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Also write the rates as a Markdown table.")] = None,
    latex: Annotated[Path | None, typer.Option(help="Also write the rates as a LaTeX table.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write an interactive HTML page with audio players.")] = None,
    embed_audio: Annotated[
        bool, typer.Option("--embed-audio", help="Embed the audio in the HTML page instead of linking to it.")
    ] = False,
    fail_above: Annotated[
        float | None, typer.Option(min=0, help="Exit with status 4 if a normalised WER is above this percentage.")
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(help="Recompute a JSON report and list differences; takes no other arguments.")
    ] = None,
) -> int:
    """Report word and character error rates, raw and normalised, with the errors behind them.

    Several hypotheses are compared: one row each, and the difference of every two with its significance.
    """
    others = [name for name in context.params if name not in ("files", "verify")]
    check_effects(context, [(verify is not None, others, "beside --verify, which takes all from the report")])
    if verify:
        return _verified(verify, files or [])
    from asr_s2s.scoring import ScoreOptions, compare, system_names, to_csv, to_json, to_latex, to_markdown
    from asr_s2s.scoring import score as score_texts

    if not files:
        raise ConfigError("no files were given. Give one manifest, or REFERENCE and one HYPOTHESIS or several.")
    if fail_above is not None and not math.isfinite(fail_above):
        raise ConfigError(f"--fail-above {fail_above:g}: is no percentage. Give a number such as 12.5.")
    if embed_audio and not html:
        raise ConfigError("--embed-audio puts recordings into the page. Name the page with --html, or leave it out.")
    options = ScoreOptions(
        normalizer=normalizer,
        group_by=[name for names in group_by or [] for name in names.split(",") if name],
        missing=missing,
        costs=costs,
        keywords=keywords or (),
        keep_utterances=html is not None,
        bleu=bleu,
        cpwer=cpwer,
        source_format=source_format,
        command=shlex.join(["asr-s2s", *sys.argv[1:]]),
    )
    views: list[tuple[Path | None, Callable[..., str]]] = [
        (json, to_json),
        (csv, to_csv),
        (markdown, to_markdown),
        (latex, to_latex),
        (html, partial(_page, folder=(html or Path()).parent, embed_audio=embed_audio)),
    ]
    check_outputs([path for path, _ in views], files)
    result: Report | Comparison
    if len(files) <= 2:
        result = score_texts(*files, **asdict(options))
    else:
        systems = dict(zip(system_names(files[1:]), files[1:], strict=True))
        result = compare(files[0], systems, **asdict(options))
    _show(result)
    _write(result, views)
    return _above(result, fail_above)


def _show(result: "Report | Comparison") -> None:
    """Write the report, in colours on a terminal."""
    from asr_s2s.scoring import to_text

    if sys.stdout.isatty():
        from asr_s2s.cli.colours import show

        show(to_text(result))
    else:
        output(to_text(result))


def _page(result: "Report | Comparison", *, folder: Path, embed_audio: bool) -> str:
    from asr_s2s.scoring.page import to_html

    return to_html(result, folder=folder, embed_audio=embed_audio)


def _write(result: "Report | Comparison", views: list[tuple[Path | None, Callable[..., str]]]) -> None:
    from asr_s2s.files import write_text

    for path, view in views:
        if path:
            write_text(path, view(result))


def _above(result: "Report | Comparison", threshold: float | None) -> int:
    from asr_s2s.scoring import percent
    from asr_s2s.scoring.tables import reports_of

    status = 0
    for report in reports_of(result):
        rate = report.normalised.words.rate
        if threshold is None or (rate is not None and 100 * rate <= threshold):
            continue
        found = f"WER {percent(rate)} is above {threshold:g} %" if rate is not None else "no words to score against"
        say(f"{report.system}: {found}.")
        status = CHECK_FAILED
    return status


def _verified(path: Path, files: list[Path]) -> int:
    from asr_s2s.scoring import verify

    if files:
        raise ConfigError("--verify takes the files from the report. Leave out the others.")
    differing = verify(path)
    output("\n".join(differing) if differing else f"{path}: every number comes out again.")
    return CHECK_FAILED if differing else 0
