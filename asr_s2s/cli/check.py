"""asr-s2s check: what is suspicious about sets of recordings, before any training."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_s2s.cli.options import Quiet
from asr_s2s.cli.outputs import check_outputs
from asr_s2s.cli.status import CHECK_FAILED, FAILED_INPUTS
from asr_s2s.cli.terminal import Progress, say, show
from asr_s2s.errors import counted
from asr_s2s.limits import MOST_JOBS

if TYPE_CHECKING:
    from asr_s2s.checking import CheckedUtterance, CheckReport, Finding
    from asr_s2s.manifest import Utterance
    from asr_s2s.model_store.directory import SpeechSystem

BAR = 20  # characters
BROKEN_SHOWN = 20  # lines: a terminal's screen


def check(
    manifests: Annotated[list[Path], typer.Argument(help="Manifests; several are compared: training, test.")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="Also find transcripts that do not match the audio: a model's name or folder."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Number of findings to show, worst first.")] = 20,
    target: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write a manifest of what nothing was found in; of several manifests, a folder. What is left out is "
            "written beside it with the reasons.",
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write all findings as JSON.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write all findings as a page with players.")] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=MOST_JOBS, help="Processes that read audio (default: one per core).")
    ] = None,
    quiet: Quiet = False,
) -> int:
    """Look for what spoils training: broken, silent, clipped or doubled audio, wrong texts, sets that share speakers.

    Exit status: 0 nothing found, 4 faults found, 1 a manifest or some of its lines could not be read.
    """
    from asr_s2s.checking import CheckedUtterance, measure_sounds, report_of, to_html, to_json
    from asr_s2s.files import write_text

    manifests = list(dict.fromkeys(manifests))
    cleaned = _cleaned_paths(manifests, target) if target else {}
    check_outputs([json, html, *cleaned.values(), *map(_left_out_path, cleaned.values())], manifests)
    system = _loaded(model) if model else None
    named, broken = _read(manifests)
    utterances = [utterance for _, utterance in named]
    with Progress(len(utterances), shown=not quiet) as progress:
        sounds = measure_sounds(
            utterances, jobs=jobs or os.cpu_count() or 1, on_done=lambda count: progress.done(count=count)
        )
    checked = [CheckedUtterance(name, utterance, sound) for (name, utterance), sound in zip(named, sounds, strict=True)]
    report = report_of(checked, broken=broken, by_model=_judged(checked, system, quiet=quiet) if system else ())
    _show(report, limit=limit)
    if json:
        write_text(json, to_json(report))
    if html:
        write_text(html, to_html(report, folder=html.parent))
    for name, path in cleaned.items():
        _write_cleaned(path, [one for one in checked if one.manifest == str(name)], report)
    if report.broken:
        return FAILED_INPUTS
    return CHECK_FAILED if report.suspects or report.leaks else 0


def _cleaned_paths(manifests: list[Path], target: Path) -> dict[Path, Path]:
    """Name the cleaned manifest of each: the target, or a file in the target folder for each of several."""
    from asr_s2s.scoring import system_names

    if len(manifests) == 1:
        return {manifests[0]: target}
    names = system_names(manifests)
    return {path: target / f"{name}.jsonl" for path, name in zip(manifests, names, strict=True)}


def _left_out_path(path: Path) -> Path:
    return path.with_suffix(f".left_out{path.suffix}")


def _write_cleaned(path: Path, checked: "list[CheckedUtterance]", report: "CheckReport") -> None:
    """Write the utterances of a set in which nothing was found, and the others with the reasons."""
    from dataclasses import replace

    from asr_s2s.manifest import write_manifest

    reasons = {
        (suspect.checked.manifest, suspect.checked.utterance.id): [
            f"{finding.kind}: {finding.message}" for finding in suspect.findings
        ]
        for suspect in report.suspects
    }
    kept, left_out = [], []
    for one in checked:
        if found := reasons.get((one.manifest, one.utterance.id)):
            left_out.append(replace(one.utterance, extra={**one.utterance.extra, "reason": "; ".join(found)}))
        else:
            kept.append(one.utterance)
    write_manifest(_left_out_path(path), left_out)
    write_manifest(path, kept)
    say(f"{path}: {counted(len(kept), 'utterance')}; {len(left_out):,} left out, listed in {_left_out_path(path)}")


def _read(manifests: list[Path]) -> "tuple[list[tuple[str, Utterance]], list[str]]":
    """Return the usable lines of all manifests, each with its manifest's name, and what is wrong with the others."""
    from asr_s2s.errors import ManifestError
    from asr_s2s.manifest import read_usable_lines

    named: list[tuple[str, Utterance]] = []
    broken: list[str] = []
    for path in manifests:
        if path.is_dir():
            broken.append(f"{path}: is a folder. Write a manifest of it: asr-s2s prepare folder {path} FILE.jsonl")
            continue
        try:
            utterances, faults = read_usable_lines(path)
        except ManifestError as error:
            broken.append(str(error))
            continue
        named += [(str(path), utterance) for utterance in utterances]
        messages = [f"{path}:{number}: {' '.join(found)}" for number, found in faults.items()]
        if not utterances and faults:
            count = counted(len(faults), "line")
            messages = [f"{path}: is no manifest: none of {count} can be used. The first: {messages[0]}"]
        broken += messages
        if not utterances and not faults:
            broken.append(f"{path}: holds no line. Name another manifest.")
    return named, broken


def _loaded(model: str) -> "SpeechSystem":
    import torch

    from asr_s2s.model_store.directory import load_model

    system = load_model(model)
    system.model.to("cuda" if torch.cuda.is_available() else "cpu")
    return system


def _judged(
    checked: "list[CheckedUtterance]", system: "SpeechSystem", *, quiet: bool
) -> "Iterator[tuple[int, Finding]]":
    from asr_s2s.checking.mislabelled import mislabelled

    judged: list[float] = []  # seconds of each
    with Progress(len(checked), shown=not quiet) as progress:

        def done(seconds: float) -> None:
            judged.append(seconds)
            progress.done(seconds)

        yield from mislabelled(checked, system, on_done=done)
    if len(judged) < len(checked) and not quiet:
        say(
            f"The model compared {len(judged)} of {len(checked)} texts with their audio. The others have no audio or "
            "no words, are longer than a minute, or have characters that the model does not know."
        )


def _show(report: "CheckReport", *, limit: int) -> None:
    """Show the sets, what they share, and the worst utterances."""
    from rich.markup import escape
    from rich.table import Table

    from asr_s2s.checking import length_names

    sets = Table("set", "utterances", "hours", "speakers", "rates", box=None)
    lengths = Table("seconds", *(escape(each.name) for each in report.sets), box=None)
    for each in report.sets:
        rates = ", ".join(f"{rate} Hz" for rate in each.rates)
        sets.add_row(escape(each.name), f"{each.utterances:,}", f"{each.hours:.2f}", f"{each.speakers:,}", rates)
    for row, name in enumerate(length_names()):
        counts = [each.lengths[row] for each in report.sets]
        if any(counts):
            lengths.add_row(
                name, *(_bar(count, max(each.lengths)) for count, each in zip(counts, report.sets, strict=True))
            )
    if report.sets:
        show(sets, result=True)
        show(lengths, result=True)
    for leak in report.leaks:
        some = "; ".join(leak.shared[:3]) + ("; ..." if len(leak.shared) > 3 else "")
        what = counted(len(leak.shared), leak.kind.removesuffix("s"))
        told = f"{leak.first} and {leak.second} share {what} ({counted(leak.utterances, 'utterance')} of the second)"
        show(escape(f"{told}: {some}"), result=True)
    if report.suspects:
        kinds = ", ".join(f"{count} {kind}" for kind, count in report.kinds.items())
        show(escape(f"\nSuspicious utterances: {len(report.suspects)} ({kinds}), worst first:"), result=True)
    elif report.sets and not report.leaks:
        show("\nNothing suspicious was found.", result=True)
    for number, suspect in enumerate(report.suspects[:limit], start=1):
        said = "; ".join(f"{finding.kind}: {finding.message}" for finding in suspect.findings)
        text = f" '{suspect.checked.text}'" if suspect.checked.text else ""
        show(escape(f"{number:3} {suspect.checked.utterance.id}{text}\n    {said}"), result=True)
    if len(report.suspects) > limit:
        show(f"and {len(report.suspects) - limit} more (--limit, --json, --html)", result=True)
    for message in report.broken[:BROKEN_SHOWN]:
        say(message)
    if len(report.broken) > BROKEN_SHOWN:
        say(f"and {len(report.broken) - BROKEN_SHOWN:,} more lines that cannot be used (--json, --html)")


def _bar(count: int, most: int) -> str:
    return f"{'█' * round(BAR * count / max(most, 1)):{BAR}} {count:,}"
