"""asr-s2s transcribe: audio files to text."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_s2s.cli.terminal import output, say
from asr_s2s.errors import ConfigError

if TYPE_CHECKING:
    from asr_s2s.manifest import Utterance
    from asr_s2s.recognizer import Recognizer, Source

STANDARD_INPUT = "-"
FAILED_INPUTS = 1


def transcribe(
    audio: Annotated[list[str] | None, typer.Argument(help="Audio or video files; '-' reads standard input.")] = None,
    model: Annotated[str, typer.Option(help="A shipped model by its name, or a model directory.")] = "en",
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="txt, json, jsonl, srt, vtt, tsv, ctm, stm, trn, textgrid, seglst or all."),
    ] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Folder for the files; beside no option: the screen.")] = None,
    manifest: Annotated[Path | None, typer.Option(help="Transcribe the utterances of a manifest.")] = None,
    manifest_output: Annotated[
        Path | None, typer.Option("--output", help="Where the manifest with pred_text goes.")
    ] = None,
    beam: Annotated[int | None, typer.Option(min=1, help="Hypotheses kept by the search; 1 is greedy.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads.")] = None,
    vad: Annotated[bool, typer.Option(help="Transcribe only where somebody speaks; --no-vad for cut material.")] = True,
    channel: Annotated[str, typer.Option(help="mix, or the number of one channel, counted from 1.")] = "mix",
) -> int:
    """Transcribe audio files, or the utterances of a manifest.

    One file and no format: the text on standard output and nothing else there.
    """
    if bool(audio) == bool(manifest):
        raise ConfigError("give audio files, or --manifest IN.jsonl with --output OUT.jsonl: one of the two.")
    if bool(manifest) != bool(manifest_output):
        raise ConfigError("--manifest IN.jsonl and --output OUT.jsonl go together.")
    chosen = _formats(formats)
    channel_number = _channel(channel)
    import torch

    from asr_s2s.recognizer import load

    if threads:
        torch.set_num_threads(threads)
    if manifest and manifest_output:
        from asr_s2s.manifest import read_manifest

        utterances = read_manifest(manifest)
        recognizer = load(model, beam=beam, device=device, precision=precision, find_speech=vad)
        return _transcribe_manifest(recognizer, utterances, manifest_output, channel=channel_number)
    names = audio or []
    recognizer = load(model, beam=beam, device=device, precision=precision, find_speech=vad)
    return _transcribe_files(recognizer, names, chosen, output_dir, channel=channel_number)


def _transcribe_files(
    recognizer: "Recognizer", names: list[str], formats: list[str], output_dir: Path | None, *, channel: int | None
) -> int:
    """Print or write each transcript as soon as it is there; count what failed."""
    from asr_s2s.transcripts import FORMATS, Transcript

    failed = 0
    titled = len(names) > 1 and not output_dir
    targets = _targets(names, output_dir) if output_dir else {}
    for source, result in recognizer.transcribe_many(_sources(names), channel=channel):
        if not isinstance(result, Transcript):
            say(str(result))
            failed += 1
            continue
        _warn(source.name, result)
        for name in formats or ["txt"]:
            text = FORMATS[name].write(result)
            if output_dir:
                from asr_s2s.files import write_text

                write_text(targets[source.name].with_suffix(FORMATS[name].suffix), text)
            elif titled and name == "txt":
                output(f"{source.name}: {' '.join(text.split())}")
            else:
                output(text)
    return _status(failed, len(names))


def _transcribe_manifest(
    recognizer: "Recognizer", utterances: "list[Utterance]", target: Path, *, channel: int | None
) -> int:
    """Copy each line and add pred_text with its evidence; a line whose audio failed is copied without it."""
    from dataclasses import replace

    from asr_s2s.manifest import write_manifest
    from asr_s2s.recognizer import Source
    from asr_s2s.transcripts import Transcript
    from asr_s2s.transcripts.jsonl import manifest_fields

    sources = [
        Source(name=item.id, path=item.audio_path, offset=item.offset, duration=item.duration) for item in utterances
    ]
    written, failed = [], 0
    results = recognizer.transcribe_many(sources, channel=channel)
    for utterance, (_, result) in zip(utterances, results, strict=True):
        if isinstance(result, Transcript):
            _warn(utterance.id, result)
            fields = manifest_fields(result)
            evidence = {name: value for name, value in fields.items() if name in ("confidence", "flags", "model")}
            written.append(replace(utterance, pred_text=result.text, extra=dict(utterance.extra) | evidence))
        else:
            say(f"{utterance.origin}: utterance '{utterance.id}': {result}")
            written.append(utterance)
            failed += 1
    write_manifest(target, written)
    return _status(failed, len(utterances))


def _sources(names: list[str]) -> "Iterator[Source]":
    from asr_s2s.recognizer import Source

    for name in names:
        if name == STANDARD_INPUT:
            yield Source(name="standard input", data=sys.stdin.buffer.read())
        else:
            yield Source(name=name, path=Path(name))


def _targets(names: list[str], folder: Path) -> dict[str, Path]:
    """Give each input its output path without a suffix; two inputs of one name would overwrite each other."""
    targets: dict[str, Path] = {}
    taken: dict[Path, str] = {}
    for name in names:
        shown = "standard input" if name == STANDARD_INPUT else name
        # the dot keeps with_suffix from cutting names such as 'talk.v2'
        target = folder / f"{'stdin' if name == STANDARD_INPUT else Path(name).stem}.x"
        if target in taken and taken[target] != shown:
            raise ConfigError(
                f"{taken[target]} and {shown} would both be written as {target.stem} in {folder}. "
                "Rename one, or use two output folders."
            )
        targets[shown] = target
        taken[target] = shown
    return targets


def _formats(formats: list[str] | None) -> list[str]:
    from asr_s2s.transcripts import FORMATS

    chosen: list[str] = []
    for name in formats or []:
        if name == "all":
            chosen.extend(FORMATS)
        elif name in FORMATS:
            chosen.append(name)
        else:
            raise ConfigError(f"--format {name}: unknown. Choose from {', '.join(FORMATS)}, all.")
    return list(dict.fromkeys(chosen))


def _channel(channel: str) -> int | None:
    if channel == "mix":
        return None
    if channel.isdigit() and int(channel) > 0:
        return int(channel)
    raise ConfigError(f"--channel {channel}: give 'mix' or a channel's number, counted from 1.")


def _warn(name: str, transcript: object) -> None:
    flags = getattr(transcript, "flags", {})
    if flags:
        shown = ", ".join(f"{flag} ({value:.2f})" for flag, value in flags.items())
        say(f"{name}: look at this transcript again: {shown}")


def _status(failed: int, total: int) -> int:
    if failed:
        say(f"{failed} of {total} inputs failed; the others are complete.")
        return FAILED_INPUTS
    return 0
