"""asr-s2s score: references and hypotheses to a word error rate report."""

from pathlib import Path
from typing import Annotated

import typer

from asr_s2s.cli.terminal import output
from asr_s2s.errors import ConfigError


def score(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="[REFERENCE] HYPOTHESIS",
            help="A manifest with text and pred_text; or two files: manifests, Kaldi text, trn or plain lines.",
        ),
    ],
    normalizer: Annotated[str, typer.Option(help="none, basic or whisper-english.")] = "basic",
    group_by: Annotated[str | None, typer.Option(help="A manifest field, such as speaker.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the report as JSON.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write the report as one page to look at and listen to.")
    ] = None,
    embed_audio: Annotated[bool, typer.Option(help="Put the recordings into the page, not links to them.")] = False,
) -> None:
    """Report word and character error rates, raw and normalised, with the errors behind them."""
    from asr_s2s.files import write_text
    from asr_s2s.scoring import score_files, to_json, to_text

    if len(files) > 2:
        raise ConfigError(f"{len(files)} files were given. Give one manifest, or REFERENCE and HYPOTHESIS.")
    reference = files[0] if len(files) == 2 else None
    report = score_files(reference, files[-1], normalizer=normalizer, group_by=group_by)
    output(to_text(report))
    if json:
        write_text(json, to_json(report))
    if html:
        from asr_s2s.scoring.page import make_page, read_recordings
        from asr_s2s.text.normalizers import normalizer as find_normalizer

        manifests = [read_recordings(file) for file in (reference or files[-1], files[-1])]
        used = find_normalizer(normalizer)
        write_text(html, make_page([report], used, manifests=manifests, folder=html.parent, embed_audio=embed_audio))
