"""asr-s2s train: a configuration to a trained model directory."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from asr_s2s.cli.terminal import say

LANGUAGE_MODEL = "language_model"


def train(
    config: Annotated[Path, typer.Argument(help="The experiment, a YAML file.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="dotted.key=value, merged into the file.")] = None,
    output: Annotated[Path | None, typer.Option(help="Model directory; default runs/NAME of the config file.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    initial: Annotated[str | None, typer.Option("--from", help="Start from this model's weights.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads.")] = None,
) -> None:
    """Train a recogniser, or a language model (kind: language_model); the output folder is the model directory."""
    from asr_s2s.config import kind_of, read_config
    from asr_s2s.errors import ConfigError
    from asr_s2s.model_store import load_model
    from asr_s2s.training import ExperimentConfig, LanguageExperimentConfig, train_language_model
    from asr_s2s.training import train as run
    from asr_s2s.training.processes import Processes

    target = output or Path("runs") / config.stem
    command = shlex.join(["asr-s2s", *sys.argv[1:]])
    if kind_of(config) == LANGUAGE_MODEL:
        if initial:
            raise ConfigError("--from starts a recogniser from another; data.vocabulary_of names the one to help.")
        texts = read_config(config, LanguageExperimentConfig, overrides or ())
        made = train_language_model(texts, output=target, resume=resume, threads=threads, command=command)
        say(f"{target}: done. {made.summary}")
        return
    experiment = read_config(config, ExperimentConfig, overrides or ())
    result = run(
        experiment,
        output=target,
        resume=resume,
        initial=load_model(initial) if initial else None,
        threads=threads,
        command=command,
    )
    if Processes.from_environment().first:
        say(f"{target}: done. {result.summary}")
