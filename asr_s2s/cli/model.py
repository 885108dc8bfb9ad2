"""asr-s2s model: look at, average and import model directories."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from asr_s2s.cli.terminal import output, say

app = typer.Typer(help="Look at, average and import models.", no_args_is_help=True)


@app.command()
def info(model: Annotated[str, typer.Argument(help="A shipped model by its name, or a model directory.")]) -> None:
    """Say what a model is made of: parts, sizes, vocabulary, decoding defaults."""
    from asr_s2s.model_store import describe

    output(describe(model))


@app.command()
def average(
    models: Annotated[list[Path], typer.Argument(help="Model directories of one architecture.")],
    target: Annotated[Path, typer.Option("--output", help="The model directory to write.")],
) -> None:
    """Average the weights of models of one architecture, checkpoints of one training say."""
    from asr_s2s.model_store import average_models

    average_models(models, target)
    say(f"{target}: the average of {len(models)} models.")


@app.command("import-whisper")
def import_whisper_checkpoint(
    source: Annotated[Path, typer.Argument(help="A Hugging Face folder, or OpenAI's .pt file.")],
    target: Annotated[Path, typer.Argument(help="The model directory to write.")],
    storage: Annotated[Literal["float32", "float16", "int8"], typer.Option(help="How weights are kept.")] = "float16",
    tokenizer: Annotated[Path | None, typer.Option(help="A tokenizer.json, for a .pt file.")] = None,
    language: Annotated[str, typer.Option(help="Language of a multilingual model.")] = "en",
) -> None:
    """Turn a Whisper checkpoint into a model directory."""
    from asr_s2s.model_store import import_whisper

    import_whisper(source, target, storage=storage, tokenizer=tokenizer, language=language)
    say(f"{target}: imported from {source}. Try: asr-s2s transcribe --model {target} AUDIO")
