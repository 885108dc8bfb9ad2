"""asr-s2s prepare: a corpus as its publisher lays it out to manifests."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_s2s.cli.options import Quiet
from asr_s2s.cli.status import FAILED_INPUTS
from asr_s2s.cli.terminal import Progress, say, show

if TYPE_CHECKING:
    from rich.table import Table

    from asr_s2s.data.corpora import Corpus

MANIFEST = ".jsonl"
NAMES = (
    "librispeech, common-voice, tedlium, an4, ljspeech, speech-commands, yesno, voxforge, kaldi, "
    "folder (x.wav, x.txt), transcripts (x.wav, x.srt, .vtt, .TextGrid or .json), csv, nemo, "
    "lhotse (its manifests), lhotse:NAME (its recipe)"
)


def prepare(
    corpus: Annotated[str, typer.Argument(help=NAMES)],
    source: Annotated[Path, typer.Argument(help="The corpus, as its publisher lays it out.")],
    target: Annotated[Path, typer.Argument(help="A folder, which gets a manifest of each part; or a .jsonl file.")],
    part: Annotated[list[str] | None, typer.Option(help="Only this part, such as dev-clean; may be repeated.")] = None,
    checksums: Annotated[bool, typer.Option(help="Write the SHA-256 of each audio file.")] = True,
    quiet: Quiet = False,
) -> int:
    """Read a corpus and write manifests; what cannot be used is left out and listed (exit status 1)."""
    from asr_s2s.data.corpora import audio_paths, first_messages, left_out_path, measure, read_corpus, write_corpus
    from asr_s2s.lock import LOCK_FILE, held

    found = read_corpus(corpus, source)
    if part:
        found = found.chosen(part, source=source)
    one_file = target.suffix == MANIFEST
    folder, lock = (target.parent, f".{target.name}{LOCK_FILE}") if one_file else (target, LOCK_FILE)
    with held(folder, name=lock), Progress(len(audio_paths(found)), shown=not quiet) as progress:
        measured = measure(found, source=source, checksums=checksums, on_file=progress.done)
        manifests = write_corpus(target, measured)
    if not quiet:
        show(_table(measured.corpus, manifests))
    left_out = measured.corpus.left_out
    if not left_out:
        return 0
    causes = ", ".join(f"{count} {cause}" for cause, count in Counter(item.cause for item in left_out).most_common())
    say(f"Left out, {len(left_out)} in all: {causes}; listed in {left_out_path(target)}:")
    for line in first_messages(left_out):
        say(f"  {line}")
    return FAILED_INPUTS


def _table(corpus: "Corpus", manifests: dict[str, Path]) -> "Table":
    from rich.table import Column, Table

    table = Table("part", "hours", "utterances", "speakers", Column("manifest", overflow="fold"), box=None)
    for column in table.columns[1:4]:
        column.justify = "right"
    for name, manifest in manifests.items():
        utterances = corpus.parts[name].values()
        hours = sum(item.duration or 0.0 for item in utterances) / 3600
        speakers = {item.speaker for item in utterances if item.speaker}
        table.add_row(name, f"{hours:.2f}", f"{len(utterances):,}", f"{len(speakers):,}", str(manifest))
    return table
