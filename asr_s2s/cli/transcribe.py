"""asr-s2s transcribe: audio files to text."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from asr_s2s.cli.evidence import final_status, warn
from asr_s2s.cli.inputs import EACH, MIX, Input, check_channel, check_targets, named_inputs, with_channel
from asr_s2s.cli.outputs import check_outputs
from asr_s2s.cli.terminal import Progress, output, say
from asr_s2s.cli.together import check_effects
from asr_s2s.cli.writer import CAPTIONS, Writer, chosen_formats, write_texts
from asr_s2s.errors import ConfigError
from asr_s2s.files import is_file
from asr_s2s.limits import MOST_JOBS, MOST_THREADS

if TYPE_CHECKING:
    from asr_s2s.manifest import Utterance
    from asr_s2s.recognizer import Source, Transcriber
    from asr_s2s.transcripts import Transcript

SAVE_SECONDS = 60.0


def transcribe(
    context: typer.Context,
    audio: Annotated[list[str] | None, typer.Argument(help="Audio or video files, folders, or '-'.")] = None,
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
    runtime: Annotated[
        Literal["auto", "onnx", "torch"], typer.Option(help="What computes: onnx, which needs no torch, or torch.")
    ] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, bfloat16 (torch) or int8 (onnx).")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, max=MOST_THREADS, help="Processor threads.")] = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=MOST_JOBS, help="Processes, each with a model and its share of the threads.")
    ] = 1,
    where: Annotated[
        Literal["local", "ray"], typer.Option(help="Where --jobs run: here, or on the workers of a Ray cluster.")
    ] = "local",
    max_line_width: Annotated[int, typer.Option(min=1, help="Characters a line of srt and vtt captions.")] = 42,
    max_line_count: Annotated[int, typer.Option(min=1, help="Lines a caption.")] = 2,
    highlight_words: Annotated[
        bool, typer.Option("--highlight-words", help="Let players of vtt captions show which words were said.")
    ] = False,
    plot: Annotated[
        bool, typer.Option("--plot", help="Also draw waveform, spectrogram, attention and words into --output-dir.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Leave out what an earlier run has written.")] = False,
    vad: Annotated[bool, typer.Option(help="Transcribe only where somebody speaks; --no-vad for cut material.")] = True,
    hotwords: Annotated[Path | None, typer.Option(help="A file of words to expect, one a line.")] = None,
    language_model: Annotated[
        Path | None, typer.Option(help="A language model of the same vocabulary, or a word n-gram (ARPA).")
    ] = None,
    channel: Annotated[str, typer.Option(help="mix, each, or the number of one, counted from 1.")] = "mix",
    track: Annotated[
        int | None, typer.Option(min=1, help="Sound track, counted from 1 (default: the best that is not silent).")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse damaged files; by default what can be decoded is transcribed.")
    ] = False,
) -> int:
    """Transcribe audio files, or the utterances of a manifest.

    One file and no format: the text on standard output and nothing else there.
    """
    if bool(audio) == bool(manifest):
        raise ConfigError("give audio files, or --manifest IN.jsonl with --output OUT.jsonl: one of the two.")
    if bool(manifest) != bool(manifest_output):
        raise ConfigError("--manifest IN.jsonl and --output OUT.jsonl go together.")
    chosen = chosen_formats(formats)
    _check_effects(context, chosen, manifest=manifest is not None, folder=output_dir is not None)
    if plot:
        _check_plot(output_dir, is_here=jobs == 1 and where == "local")
    if manifest and channel == EACH:
        raise ConfigError("--channel each: a manifest has one text a line. Name files, or one channel.")
    check_channel(channel)
    check_outputs([manifest_output], [manifest] if manifest else [])
    from asr_s2s.recognizer import Source, read_hotwords
    from asr_s2s.recognizer.given import source_of
    from asr_s2s.transcripts import FORMATS, CaptionShape

    inputs = with_channel(named_inputs(audio or []), channel)
    if output_dir:
        check_targets(inputs, output_dir, [FORMATS[name].suffix for name in chosen])
        inputs = _missing(inputs, chosen, output_dir) if resume else inputs
    recognizer = _recognizer(
        model,
        jobs=jobs,
        where=where,
        threads=threads,
        runtime=runtime,
        beam=beam,
        device=device,
        precision=precision,
        find_speech=vad,
        hotwords=read_hotwords(hotwords) if hotwords else [],
        language_model=language_model,
    )
    if manifest and manifest_output:
        number = None if channel == MIX else int(channel)
        given = partial(source_of, channel=number, track=track, strict=strict)
        return _transcribe_manifest(recognizer, manifest, manifest_output, given, resume=resume)
    shape = CaptionShape(max_line_width=max_line_width, max_line_count=max_line_count)
    writer = Writer(chosen, shape, highlight_words=highlight_words)
    sources = (
        Source(one.name, one.path, stream=one.stream(), channel=one.channel, track=track, strict=strict)
        for one in inputs
    )
    return _transcribe_files(recognizer, inputs, sources, writer, output_dir, plot=plot)


def _check_effects(context: typer.Context, chosen: list[str], *, manifest: bool, folder: bool) -> None:
    """Raise ConfigError for options that this call would not use."""
    shapes, captions = ("max_line_width", "max_line_count"), set(chosen) & set(CAPTIONS)
    check_effects(
        context,
        [
            (manifest, ("formats", "output_dir", "plot", *shapes, "highlight_words"), "beside --manifest"),
            (not captions, shapes, "without --format srt or vtt"),
            ("vtt" not in chosen, ("highlight_words",), "without --format vtt"),
            (not manifest and not folder, ("resume",), "without --output-dir or --manifest"),
        ],
    )


def _recognizer(model: str, *, jobs: int, where: str, threads: int | None, **options: Any) -> "Transcriber":
    """Load the model here, or in each of several processes or workers of a cluster."""
    from asr_s2s.recognizer import Workers, load

    if where == "ray":
        from asr_s2s.recognizer.on_ray import RayWorkers

        return RayWorkers(jobs, model, threads=threads, **options)
    if jobs > 1:
        return Workers(jobs, model, threads=threads, **options)
    return load(model, threads=threads, **options)


def _check_plot(output_dir: Path | None, *, is_here: bool) -> None:
    """Raise ConfigError, or MissingExtraError, before any work if pictures could not be drawn."""
    from asr_s2s.cli.plot import OTHERWISE
    from asr_s2s.pictures import require_plotting

    if not is_here:
        raise ConfigError("--plot draws with the model at hand. Leave --jobs and --where out.")
    if output_dir is None:
        raise ConfigError("--plot draws a file for each piece. Name their folder with --output-dir.")
    require_plotting(otherwise=OTHERWISE)


def _missing(inputs: list[Input], formats: list[str], output_dir: Path) -> list[Input]:
    """Leave out the inputs whose transcripts are all there."""
    from asr_s2s.transcripts import FORMATS

    missing = [
        one for one in inputs if not all(is_file(one.target(output_dir, FORMATS[name].suffix)) for name in formats)
    ]
    if len(missing) < len(inputs):
        say(f"{len(inputs) - len(missing)} of {len(inputs)} are done already.")
    return missing


def _transcribe_files(
    recognizer: "Transcriber",
    inputs: list[Input],
    sources: Iterable["Source"],
    writer: "Writer",
    output_dir: Path | None,
    *,
    plot: bool,
) -> int:
    """Print or write each transcript as soon as it is there; count what failed."""
    from asr_s2s.cli.plot import draw_segments
    from asr_s2s.errors import AudioError, TranscriptError
    from asr_s2s.recognizer import Recognizer
    from asr_s2s.transcripts import Transcript

    failed = damaged = 0
    by_name = {one.name: one for one in inputs}
    with Progress(len(inputs), shown=output_dir is not None) as progress:
        for source, result in recognizer.transcribe_many(sources, in_order=output_dir is None):
            one = by_name[source.name]
            progress.done(result.duration if isinstance(result, Transcript) else 0.0)
            if not isinstance(result, Transcript):
                say(str(result))
                failed += 1
                continue
            warn(one.name, result)
            damaged += bool(result.damage)
            try:
                texts = writer.texts(result)
                if output_dir:
                    write_texts(one, texts, output_dir)
                if plot and output_dir and isinstance(recognizer, Recognizer):
                    draw_segments(recognizer, source, result, partial(one.target, output_dir))
            except (AudioError, TranscriptError) as error:
                say(f"{one.name}: {error}")
                failed += 1
                continue
            for name, text in {} if output_dir else texts.items():
                is_line = len(inputs) > 1 and name == "txt"
                output(f"{one.name}: {' '.join(text.split())}" if is_line else text)
    return final_status(failed, damaged, len(inputs))


def _transcribe_manifest(
    recognizer: "Transcriber", manifest: Path, target: Path, given: "Callable[[Utterance], Source]", *, resume: bool
) -> int:
    """Copy each line and add pred_text with its evidence; a line whose audio failed is copied without it.

    What is finished is written every so often, and when the work is broken off.
    """
    from asr_s2s.manifest import read_manifest, read_usable_lines, write_manifest
    from asr_s2s.transcripts import Transcript

    utterances, faults = read_usable_lines(manifest)
    for line, found in faults.items():
        say(f"{manifest}:{line}: {' '.join(found)}")
    done = {item.id: item for item in read_manifest(target)} if resume and target.exists() else {}
    written = {item.id: done.get(item.id, item) for item in utterances}
    todo = [item for item in utterances if written[item.id].pred_text is None]
    failed, damaged, saved = len(faults), 0, time.monotonic()
    by_id = {item.id: item for item in todo}
    with Progress(len(todo), shown=True) as progress:
        try:
            for source, result in recognizer.transcribe_many(map(given, todo), in_order=False):
                utterance = by_id[source.name]
                progress.done(result.duration if isinstance(result, Transcript) else 0.0)
                if isinstance(result, Transcript):
                    warn(utterance.id, result)
                    damaged += bool(result.damage)
                    written[utterance.id] = _recognised(utterance, result)
                else:
                    say(f"{utterance.origin}: utterance '{utterance.id}': {result}")
                    failed += 1
                if time.monotonic() - saved > SAVE_SECONDS:
                    write_manifest(target, written.values())
                    saved = time.monotonic()
        finally:
            write_manifest(target, written.values())
    return final_status(failed, damaged, len(utterances) + len(faults))


def _recognised(utterance: "Utterance", transcript: "Transcript") -> "Utterance":
    """Add what was recognised; words that the line has already are the truth, and stay."""
    from dataclasses import replace

    from asr_s2s.transcripts.jsonl import manifest_fields, segment_fields

    fields = manifest_fields(transcript)
    kept = ("confidence", "flags", "model", "time_source", "damage", "notes")
    evidence = {name: value for name, value in fields.items() if name in kept}
    if utterance.words is None:
        utterance = replace(utterance, words=transcript.words or None)
    elif "words" in fields:
        evidence["pred_words"] = fields["words"]
    if len(transcript.segments) > 1:  # which of them are flagged, `score` asks
        evidence["segments"] = segment_fields(transcript)
    earlier = ("segments", "damage", "notes")
    extra = {name: value for name, value in utterance.extra.items() if name not in earlier}
    return replace(utterance, pred_text=transcript.text, extra=extra | evidence)
