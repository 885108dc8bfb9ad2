"""asr-s2s transcribe: audio files to text."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from asr_s2s.cli.dialogues import Dialogues
from asr_s2s.cli.evidence import Outcome
from asr_s2s.cli.inputs import EACH, MIX, Input, check_channel, check_targets, named_inputs, with_channel
from asr_s2s.cli.options import Quiet
from asr_s2s.cli.outputs import check_outputs
from asr_s2s.cli.terminal import say
from asr_s2s.cli.together import check_effects
from asr_s2s.cli.transcribe_files import transcribe_files
from asr_s2s.cli.transcribe_manifest import transcribe_manifest
from asr_s2s.cli.writer import Writer, chosen_formats
from asr_s2s.errors import ConfigError
from asr_s2s.files import is_file, is_folder
from asr_s2s.limits import MOST_JOBS, MOST_THREADS

if TYPE_CHECKING:
    from asr_s2s.recognizer import Transcriber


def transcribe(
    context: typer.Context,
    audio: Annotated[list[str] | None, typer.Argument(help="Audio or video files, folders, or '-'.")] = None,
    model: Annotated[
        str,
        typer.Option("--model", "-m", help="A shipped model (en: English; multi: 99 languages), or a model directory."),
    ] = "en",
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            help="txt, json, jsonl, srt, vtt, tsv, ctm, stm, trn, textgrid, seglst, html or all; several: srt,vtt.",
        ),
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", help="Output folder (default: standard output).")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="Transcribe the utterances of a manifest.")] = None,
    manifest_output: Annotated[
        Path | None, typer.Option("--output", help="Manifest to write, with pred_text (with --manifest).")
    ] = None,
    output_path: Annotated[
        Path | None, typer.Option("-o", help="Short for --output-dir, or with --manifest for --output.")
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
    max_line_width: Annotated[int, typer.Option(min=1, help="Maximum columns per line of srt and vtt captions.")] = 42,
    max_line_count: Annotated[int, typer.Option(min=1, help="Maximum lines per caption.")] = 2,
    highlight_words: Annotated[
        bool, typer.Option("--highlight-words", help="Highlight each word as it is spoken (vtt).")
    ] = False,
    embed_audio: Annotated[
        bool, typer.Option("--embed-audio", help="Put the recording into the html page, instead of a link to it.")
    ] = False,
    plot: Annotated[
        bool, typer.Option("--plot", help="Also draw waveform, spectrogram, attention and words into --output-dir.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Leave out what an earlier run has written.")] = False,
    vad: Annotated[bool, typer.Option(help="Voice activity detection; disable for pre-segmented audio.")] = True,
    hotword: Annotated[list[str] | None, typer.Option(help="A word or phrase to expect; may be repeated.")] = None,
    hotwords: Annotated[Path | None, typer.Option(help="A file of words or phrases to expect, one per line.")] = None,
    language: Annotated[
        str,
        typer.Option(
            help="Language spoken, as a code or name; auto (detect, once per recording), each (per piece) or manifest."
        ),
    ] = "auto",
    task: Annotated[
        Literal["transcribe", "translate"], typer.Option(help="Transcribe, or translate into English (multi).")
    ] = "transcribe",
    prompt: Annotated[
        str | None, typer.Option(help="Text said before, or names to expect (multi): it precedes each piece.")
    ] = None,
    language_model: Annotated[
        Path | None, typer.Option(help="A language model of the same vocabulary, or a word n-gram (ARPA).")
    ] = None,
    channel: Annotated[str, typer.Option(help="mix, each, or the number of one, counted from 1.")] = MIX,
    dialogue: Annotated[
        bool, typer.Option("--dialogue", help="Join the channels to one transcript, with the speakers' names.")
    ] = False,
    channel_names: Annotated[
        str | None, typer.Option(help="Speakers of the channels, such as agent,caller (default: channel 1, ...).")
    ] = None,
    track: Annotated[
        int | None, typer.Option(min=1, help="Sound track, counted from 1 (default: the best that is not silent).")
    ] = None,
    live_text: Annotated[
        bool, typer.Option("--live-text", help="Show each segment on the terminal as soon as it is recognised.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse damaged files; by default what can be decoded is transcribed.")
    ] = False,
    quiet: Quiet = False,
) -> int:
    """Transcribe audio files, or the utterances of a manifest.

    One file and no format: the text on standard output and nothing else there.
    """
    output_dir, manifest_output = _outputs(output_path, output_dir, manifest_output, manifest)
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
    if language == "manifest" and not manifest:
        raise ConfigError("--language manifest takes the language of each line. Name the lines with --manifest.")
    check_channel(channel)
    check_outputs([manifest_output], [manifest] if manifest else [])
    from asr_s2s.recognizer import AudioSource, read_hotwords
    from asr_s2s.recognizer.audio_input import source_of
    from asr_s2s.transcripts import FORMATS, CaptionShape

    names = [name.strip() for name in channel_names.split(",")] if channel_names else []
    inputs = with_channel(named_inputs(audio or [], quiet=quiet), EACH if dialogue else channel, names=names)
    if output_dir:
        by_target = dict.fromkeys(each for one in inputs for each in _written(one, dialogue=dialogue, channel=channel))
        check_targets(list(by_target), output_dir, [FORMATS[name].suffix for name in chosen])
        if resume:
            inputs = _missing(inputs, partial(_written, dialogue=dialogue, channel=channel), chosen, output_dir)
    words = [*(hotword or []), *(read_hotwords(hotwords) if hotwords else [])]
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
        hotwords=words,
        language=language,
        task=task,
        prompt=prompt,
        language_model=language_model,
    )
    if manifest and manifest_output:
        number = None if channel == MIX else int(channel)
        given = partial(source_of, channel=number, track=track, strict=strict)
        return transcribe_manifest(
            recognizer,
            manifest,
            manifest_output,
            given,
            resume=resume,
            live_text=live_text,
            quiet=quiet,
            hotwords=words,
        )
    shape = CaptionShape(max_line_width=max_line_width, max_line_count=max_line_count)
    writer = Writer(chosen, shape, highlight_words=highlight_words, embed_audio=embed_audio)
    sources = (
        AudioSource(
            one.name,
            one.path,
            stream=one.stream(),
            channel=one.channel,
            track=track,
            strict=strict,
            may_be_silent=one.whole is not None,
        )
        for one in inputs
    )
    dialogues = Dialogues(inputs, separate=channel == EACH) if dialogue else None
    outcome = Outcome(len(inputs), quiet=quiet, hotwords=words)
    return transcribe_files(
        recognizer, inputs, sources, writer, output_dir, outcome, dialogues, plot=plot, live_text=live_text
    )


def _outputs(
    short: Path | None, folder: Path | None, file: Path | None, manifest: Path | None
) -> tuple[Path | None, Path | None]:
    """Return the folder and the manifest to write, of which -o names the one that fits."""
    from asr_s2s.transcripts import FORMATS

    if short and (file if manifest else folder):
        raise ConfigError(f"-o is short for {'--output' if manifest else '--output-dir'}. Give one of them.")
    folder, file = (folder, short or file) if manifest else (short or folder, file)
    suffixes = tuple(one.suffix.lower() for one in FORMATS.values())
    if folder and folder.name.lower().endswith(suffixes) and not is_folder(folder):
        raise ConfigError(f"{folder}: looks like a file, and -o names a folder. For one file: --format ... > {folder}")
    return folder, file


def _check_effects(context: typer.Context, chosen: list[str], *, manifest: bool, folder: bool) -> None:
    """Raise ConfigError for options that this call would not use."""
    from asr_s2s.transcripts import CAPTIONS

    shapes, captions = ("max_line_width", "max_line_count"), set(chosen) & set(CAPTIONS)
    dialogue, channel = context.params["dialogue"], context.params["channel"]
    of_files = ("formats", "output_dir", "plot", *shapes, "highlight_words", "embed_audio", "dialogue", "channel_names")
    check_effects(
        context,
        [
            (manifest, of_files, "beside --manifest"),
            (not captions, shapes, "without --format srt or vtt"),
            ("vtt" not in chosen, ("highlight_words",), "without --format vtt"),
            ("html" not in chosen, ("embed_audio",), "without --format html"),
            (not manifest and not folder, ("resume", "live_text"), "without --output-dir or --manifest"),
            (context.params["quiet"], ("live_text",), "beside --quiet"),
            (dialogue and channel != EACH, ("channel",), "beside --dialogue, which takes every channel"),
            (not dialogue and channel != EACH, ("channel_names",), "without --dialogue or --channel each"),
        ],
    )


def _written(one: Input, *, dialogue: bool, channel: str) -> list[Input]:
    """List what is written of an input: its own transcript, the dialogue that it is part of, or both."""
    if one.whole is None or not dialogue:
        return [one]
    return [one, one.whole] if channel == EACH else [one.whole]


def _recognizer(model: str, *, jobs: int, where: str, threads: int | None, **options: Any) -> "Transcriber":
    """Load the model here, or in each of several processes or workers of a cluster."""
    from asr_s2s.memory import keep_large_blocks
    from asr_s2s.recognizer import Workers, load

    keep_large_blocks()
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


def _missing(
    inputs: list[Input], written: Callable[[Input], list[Input]], formats: list[str], output_dir: Path
) -> list[Input]:
    """Leave out the inputs whose transcripts are all there."""
    from asr_s2s.transcripts import FORMATS

    suffixes = [FORMATS[name].suffix for name in formats]
    missing = [
        one
        for one in inputs
        if not all(is_file(each.target(output_dir, suffix)) for each in written(one) for suffix in suffixes)
    ]
    whole = {one.whole for one in missing if one.whole in written(one)}  # a dialogue needs all channels
    missing = [one for one in inputs if one in missing or one.whole in whole]
    if len(missing) < len(inputs):
        say(f"{len(inputs) - len(missing)} of {len(inputs)} are done already.")
    return missing
