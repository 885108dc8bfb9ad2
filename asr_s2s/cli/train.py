"""asr-s2s train: a configuration, or recordings and a model to adapt, to a trained model directory."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Annotated

import typer

from asr_s2s.cli.ending import InterruptedWorkError
from asr_s2s.cli.status import FAILED_INPUTS
from asr_s2s.cli.terminal import output, say
from asr_s2s.cli.together import check_effects
from asr_s2s.limits import MOST_THREADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asr_s2s.manifest import Utterance
    from asr_s2s.model_store.directory import SpeechSystem
    from asr_s2s.training import ExperimentConfig

LANGUAGE_MODEL = "language_model"


def train(
    context: typer.Context,
    config: Annotated[Path | None, typer.Argument(help="Configuration, a YAML file; not with --data.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(help="dotted.key=value, which replaces that of the file.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Recordings to adapt a model to: a folder or a manifest.")] = None,
    target: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Model directory (default: runs/NAME of the configuration or data)."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the last checkpoint.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run or model in the folder.")] = False,
    initial: Annotated[str | None, typer.Option("--from", help="Start from this model's weights.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, max=MOST_THREADS, help="Processor threads.")] = None,
    find_batch: Annotated[bool, typer.Option("--find-batch", help="Find the largest batch that fits.")] = False,
) -> int:
    """Train a recogniser, or a language model (kind: language_model); the output folder is the model directory.

    Recordings to train on that cannot be read are left out and listed (exit status 1).
    """
    from asr_s2s.config import kind_of, read_config
    from asr_s2s.errors import ConfigError, counted
    from asr_s2s.model_store.directory import load_model
    from asr_s2s.training import ExperimentConfig, LanguageExperimentConfig, train_language_model
    from asr_s2s.training import train as run
    from asr_s2s.training.left_out import LEFT_OUT_FILE
    from asr_s2s.training.page import next_commands
    from asr_s2s.training.processes import Processes

    check_effects(context, [(find_batch, ("resume", "target", "threads"), "beside --find-batch, which trains nothing")])
    if resume and overwrite:
        raise ConfigError("--resume goes on with a run, --overwrite begins anew. Give one of them.")
    command = shlex.join(["asr-s2s", *sys.argv[1:]])
    left_out = 0
    if data is not None:
        target = target or Path("runs") / data.stem
        keys = [*([str(config)] if config else []), *(overrides or ())]
        experiment, left_out = _adaptation(
            data, keys, initial=initial, target=target, anew=not resume and not overwrite
        )
    elif config is None:
        raise ConfigError("Nothing to train: give a configuration (conf/*.yaml), or recordings with --data.")
    else:
        target = target or Path("runs") / config.stem
        if kind_of(config) == LANGUAGE_MODEL:
            if initial or find_batch:
                raise ConfigError("--from and --find-batch are for recognisers; data.vocabulary_of names one to help.")
            texts = read_config(config, LanguageExperimentConfig, overrides or ())
            with _kept(target):
                made = train_language_model(
                    texts, output=target, resume=resume, overwrite=overwrite, threads=threads, command=command
                )
            say(f"{target}: done. {made.summary}")
            say(f"Next:\n  asr-s2s transcribe --language-model {shlex.quote(str(target))} FILE")
            return 0
        experiment = read_config(config, ExperimentConfig, overrides or ())
    system = load_model(initial) if initial else None
    if find_batch:
        _find_batch(experiment, system)
        return 0
    with _kept(target):
        result = run(
            experiment,
            output=target,
            resume=resume,
            overwrite=overwrite,
            initial=system,
            threads=threads,
            command=command,
            recognise=recognised,
        )
    if Processes.from_environment().first:
        say(f"{target}: done. {result.summary}")
        if result.left_out:
            many = counted(result.left_out, "recording")
            say(f"Left out of training: {many} that could not be read, listed in {target / LEFT_OUT_FILE}")
        say(f"Next:\n{indent(next_commands(target), '  ')}")
    return FAILED_INPUTS if result.left_out or left_out else 0


@contextmanager
def _kept(target: Path) -> Iterator[None]:
    """Say what an interruption leaves of a run."""
    from asr_s2s.training.checkpoints import latest_checkpoint

    try:
        yield
    except KeyboardInterrupt:
        if latest_checkpoint(target) is None:
            raise
        raise InterruptedWorkError("checkpoint saved, continue with --resume") from None


def _adaptation(
    data: Path, keys: list[str], *, initial: str | None, target: Path, anew: bool
) -> "tuple[ExperimentConfig, int]":
    """Return the configuration that adapts a model to a folder of recordings, or to a manifest, and what is left out.

    anew: nothing that the target folder holds is to be changed
    """
    from asr_s2s.config import read_config
    from asr_s2s.data.corpora import first_messages, left_out_path, measure, read_corpus, write_corpus
    from asr_s2s.errors import ConfigError
    from asr_s2s.lock import held
    from asr_s2s.training import FINETUNE, ExperimentConfig
    from asr_s2s.training.checkpoints import checkpoint_to_resume

    if not initial:
        raise ConfigError("--data adapts a model to recordings: add --from en, or --from and a model directory.")
    if wrong := [key for key in keys if "=" not in key]:
        raise ConfigError(f"--data brings its own configuration: leave '{wrong[0]}' out, or leave --data out.")
    manifest, left_out = data, 0
    if data.is_dir():
        with held(target):
            if anew:
                checkpoint_to_resume(target, resume=False, overwrite=False)
            manifest = target / "recordings.jsonl"
            measured = measure(read_corpus("folder", data), source=data)
            write_corpus(manifest, measured)
        left_out = len(measured.corpus.left_out)
        if left_out:
            say(f"Left out, {left_out} in all; listed in {left_out_path(manifest)}:")
        for item in first_messages(measured.corpus.left_out):
            say(f"  {item}")
    return read_config(FINETUNE, ExperimentConfig, [f"data.train=[{str(manifest)!r}]", *keys]), left_out


def recognised(system: "SpeechSystem", utterances: "Sequence[Utterance]", *, device: str) -> dict[str, str]:
    """Recognise utterances as `asr-s2s transcribe` does, by their ids, without those that cannot be read."""
    from asr_s2s.recognizer import Recognizer
    from asr_s2s.recognizer.in_torch import in_torch
    from asr_s2s.transcripts import Transcript

    recognizer = Recognizer(in_torch(system, device=device))
    texts: dict[str, str] = {}
    for utterance, (_, result) in zip(utterances, recognizer.transcribe_many(utterances), strict=True):
        if isinstance(result, Transcript):
            texts[utterance.id] = result.text
        else:
            say(f"utterance '{utterance.id}': {result}")
    return texts


def _find_batch(experiment: "ExperimentConfig", system: "SpeechSystem | None") -> None:
    """Say how many utterances fit into memory at once, and how to write that into the configuration."""
    from asr_s2s.training import advised, find_batch

    buckets = find_batch(experiment, initial=system)
    output("up to seconds   utterances at once   seconds of audio")
    for bucket in buckets:
        output(f"{bucket.seconds:13.1f}   {bucket.utterances:18d}   {bucket.seconds * bucket.utterances:16.0f}")
    batch_seconds, quadratic_seconds = advised(buckets)
    quadratic = f" data.quadratic_seconds={quadratic_seconds:.0f}" if quadratic_seconds else ""
    output(
        f"\nThe most that fits: data.batch_seconds={batch_seconds:.0f}{quadratic}. Smaller batches often learn better."
    )
