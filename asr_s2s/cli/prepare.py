"""asr-s2s prepare: a corpus as its publisher lays it out to a manifest."""

from pathlib import Path
from typing import Annotated

import typer

from asr_s2s.cli.terminal import say


def prepare(
    corpus: Annotated[str, typer.Argument(help="folder, librispeech, kaldi, lhotse or nemo.")],
    source: Annotated[Path, typer.Argument(help="The corpus, as its publisher lays it out.")],
    manifest: Annotated[Path, typer.Argument(help="The manifest to write, a .jsonl file.")],
) -> None:
    """Read a corpus and write a manifest; every fault is listed at once."""
    from asr_s2s.data.corpora import read_corpus
    from asr_s2s.manifest import write_manifest

    utterances = read_corpus(corpus, source)
    write_manifest(manifest, utterances)
    hours = sum(item.duration or 0.0 for item in utterances) / 3600
    speakers = len({item.speaker for item in utterances if item.speaker})
    say(f"{manifest}: {len(utterances)} utterances, {hours:.2f} hours, {speakers} known speakers.")
