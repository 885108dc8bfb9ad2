"""asr-s2s train: a configuration to a trained model directory."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from asr_s2s.cli.terminal import say


def train(
    config: Annotated[Path, typer.Argument(help="The experiment, a YAML file.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="dotted.key=value, merged into the file.")] = None,
    output: Annotated[Path | None, typer.Option(help="Model directory; default runs/NAME of the config file.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    initial: Annotated[str | None, typer.Option("--from", help="Start from this model's weights.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads.")] = None,
) -> None:
    """Train a model; the best checkpoints' average is the model directory at the end."""
    from asr_s2s.config import read_config
    from asr_s2s.model_store import load_model
    from asr_s2s.training import ExperimentConfig
    from asr_s2s.training import train as run

    experiment = read_config(config, ExperimentConfig, overrides or ())
    target = output or Path("runs") / config.stem
    result = run(
        experiment,
        output=target,
        resume=resume,
        initial=load_model(initial) if initial else None,
        threads=threads,
        command=shlex.join(["asr-s2s", *sys.argv[1:]]),
    )
    say(f"{target}: done. {result.summary}")
