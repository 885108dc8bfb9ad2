"""asr-s2s model: describe, average, import, merge, prune, calibrate and export model directories."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asr_s2s.cli.outputs import check_output_folder
from asr_s2s.cli.status import FAILED_INPUTS
from asr_s2s.cli.terminal import output, say

if TYPE_CHECKING:
    from asr_s2s.model_store.directory import SpeechSystem

app = typer.Typer(help="Describe, average, import, merge, prune, calibrate and export models.", no_args_is_help=True)
Storage = Annotated[
    Literal["float32", "float16", "int8", "compact", "small"], typer.Option(help="Number format of the weights.")
]
Graph = Annotated[
    bool, typer.Option("--graph/--no-graph", help="Write the graphs that transcription without torch needs.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the model in the target folder.")]


@contextmanager
def _written(target: Path, *, overwrite: bool) -> Iterator[None]:
    """Keep a folder for the model that is written into it; what cannot be written is refused before the work."""
    from asr_s2s.errors import CheckpointError
    from asr_s2s.lock import held
    from asr_s2s.model_store import refuse_overwriting

    check_output_folder(target)
    with held(target):
        if not overwrite:
            refuse_overwriting(target)
            if (target / "checkpoints").is_dir():
                raise CheckpointError(f"{target}: holds a training run. Name another folder, or add --overwrite.")
        yield


@app.command()
def info(model: Annotated[str, typer.Argument(help="A shipped model by its name, or a model directory.")]) -> None:
    """Describe a model: parts, sizes, vocabulary, decoding defaults."""
    from asr_s2s.model_store.describe import describe

    output(describe(model))


@app.command()
def average(
    models: Annotated[list[Path], typer.Argument(help="Model directories of one architecture.")],
    target: Annotated[Path, typer.Option("--output", "-o", help="The model directory to write.")],
    graph: Graph = True,
    overwrite: Overwrite = False,
) -> None:
    """Average the weights of models of one architecture, for example checkpoints of one run."""
    from asr_s2s.model_store.average import average_models

    with _written(target, overwrite=overwrite):
        system = average_models(models, target)
        _add_graphs(target, system, graph=graph)
    say(f"{target}: the average of {len(models)} models.")


@app.command("import-whisper")
def import_whisper_checkpoint(
    source: Annotated[Path, typer.Argument(help="A Hugging Face folder, or OpenAI's .pt file.")],
    target: Annotated[Path, typer.Argument(help="The model directory to write.")],
    storage: Storage = "float16",
    tokenizer: Annotated[Path | None, typer.Option(help="A tokenizer.json, for a .pt file.")] = None,
    language: Annotated[
        str | None, typer.Option(help="The only language that a multilingual model shall know (default: all).")
    ] = None,
    graph: Graph = True,
    overwrite: Overwrite = False,
) -> None:
    """Turn a Whisper checkpoint into a model directory."""
    from asr_s2s.errors import ConfigError
    from asr_s2s.model_store.whisper import import_whisper
    from asr_s2s.text.languages import language_code

    try:
        code = language_code(language) if language else None
    except ValueError as error:
        raise ConfigError(f"--language: {error}") from error
    with _written(target, overwrite=overwrite):
        system = import_whisper(source, target, storage=storage, tokenizer=tokenizer, language=code)
        _add_graphs(target, system, graph=graph)
    say(f"{target}: imported from {source}. Try: asr-s2s transcribe --model {target} AUDIO")


@app.command("merge-silence")
def merge_model(
    model: Annotated[str, typer.Argument(help="A model that pads to a window, such as an imported Whisper.")],
    target: Annotated[Path, typer.Argument(help="The model directory to write.")],
    frames: Annotated[int, typer.Option(min=1, max=10_000, help="Encoder frames that replace the padding.")] = 96,
    tail_seconds: Annotated[
        float, typer.Option(min=0.1, max=30, help="Seconds of silence kept after each utterance.")
    ] = 1.0,
    storage: Storage = "float16",
    graph: Graph = True,
    overwrite: Overwrite = False,
) -> None:
    """Process only the speech, not 30 seconds of padding: several times faster."""
    from asr_s2s.model_store.merge import merge_silence

    with _written(target, overwrite=overwrite):
        system = merge_silence(model, target, frames=frames, tail_seconds=tail_seconds, storage=storage)
        _add_graphs(target, system, graph=graph)
    say(f"{target}: {frames} frames stand for the silence that {model} pads with; the weights are the same.")


@app.command("prune-vocabulary")
def prune_model(
    model: Annotated[str, typer.Argument(help="A model with byte pairs, such as an imported Whisper.")],
    target: Annotated[Path, typer.Argument(help="The model directory to write.")],
    text: Annotated[list[Path], typer.Option(help="Plain text, a sentence or paragraph per line; may be repeated.")],
    size: Annotated[int, typer.Option(help="Byte pairs to keep, the 256 single bytes among them.")] = 8000,
    storage: Storage = "float16",
    graph: Graph = True,
    overwrite: Overwrite = False,
) -> None:
    """Keep the byte pairs that a large text uses most; every text can still be written."""
    from asr_s2s.errors import ConfigError
    from asr_s2s.inputs import read_text
    from asr_s2s.model_store.prune import prune_vocabulary

    texts = [read_text(file, error=ConfigError, advice="Name a file of plain text.") for file in text]
    lines = (line for each in texts for line in each.splitlines() if line.strip())
    with _written(target, overwrite=overwrite):
        pruning = prune_vocabulary(model, target, lines, size=size, storage=storage)
        _add_graphs(target, pruning.system, graph=graph)
    words = pruning.words
    say(
        f"{target}: {words.vocabulary.size} tokens, {pruning.weights / 1e6:.1f} million weights of "
        f"{pruning.weights_before / 1e6:.1f}. Of the pieces in the text {words.whole:.2%} are kept; "
        f"it has {words.growth - 1:.2%} more tokens."
    )


@app.command("set-characters")
def set_characters(
    model: Annotated[str, typer.Argument(help="en, an imported Whisper, or a model that writes characters already.")],
    target: Annotated[Path, typer.Argument(help="The model directory to write.")],
    manifest: Annotated[list[Path], typer.Option(help="Manifest whose texts have all characters; may be repeated.")],
    storage: Storage = "float32",
    graph: Graph = True,
    overwrite: Overwrite = False,
) -> None:
    """Replace the vocabulary with the characters of some texts; training then teaches them."""
    from asr_s2s.manifest import read_manifest
    from asr_s2s.model_store.spell import spell

    texts = (utterance.text for file in manifest for utterance in read_manifest(file) if utterance.text)
    with _written(target, overwrite=overwrite):
        system = spell(model, target, texts, storage=storage)
        _add_graphs(target, system, graph=graph)
    say(f"{target}: {system.vocabulary.size} tokens, which training teaches: asr-s2s train CONFIG.yaml --from {target}")


@app.command()
def calibrate(
    model: Annotated[Path, typer.Argument(help="A model directory; its config.yaml is updated.")],
    manifest: Annotated[Path, typer.Option(help="Recordings with texts that it was not trained on.")],
) -> int:
    """Calibrate word confidence: the probability that a word is right."""
    from asr_s2s.config import write_config
    from asr_s2s.manifest import read_manifest
    from asr_s2s.model_store import CONFIG_FILE
    from asr_s2s.model_store.directory import load_model
    from asr_s2s.recognizer import Recognizer
    from asr_s2s.recognizer.in_torch import in_torch
    from asr_s2s.scoring.calibration import calibration_error, fit_logistic, judged_words, reliability
    from asr_s2s.transcripts import Transcript

    system = load_model(model)
    ready = in_torch(system).with_search(confidence_slope=1.0, confidence_offset=0.0)
    recognizer = Recognizer(ready)
    utterances = read_manifest(manifest)
    clips = [clip for clip in utterances if clip.text is not None]
    recognised = [(clip, result) for clip, (_, result) in zip(clips, recognizer.transcribe_many(clips), strict=True)]
    pairs = [(clip.text or "", result) for clip, result in recognised if isinstance(result, Transcript)]
    for clip, result in recognised:
        if not isinstance(result, Transcript):
            say(f"{clip.origin}: utterance '{clip.id}': {result}")
    if len(pairs) < len(utterances):
        say(
            f"{manifest}: {len(pairs)} of {len(utterances)} recordings are used: "
            f"{len(utterances) - len(clips)} have no text, {len(clips) - len(pairs)} could not be read."
        )
    probabilities, right = judged_words(pairs)
    curve = fit_logistic(probabilities, right)
    fitted = ready.search.model_copy(update={"confidence_slope": curve.slope, "confidence_offset": curve.offset})
    with _written(model, overwrite=True):
        write_config(model / CONFIG_FILE, system.config.model_copy(update={"search": fitted}))
    before, after = (
        calibration_error(reliability(values, right)) for values in (probabilities, curve(probabilities).tolist())
    )
    say(
        f"{model}: slope {curve.slope:.2f}, offset {curve.offset:+.2f} from {len(right)} words, of which "
        f"{sum(right) / len(right):.1%} are right. Expected calibration error {before:.3f} before, {after:.3f} now."
    )
    return FAILED_INPUTS if len(pairs) < len(clips) else 0


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="A shipped model by its name, or a model directory.")],
    target: Annotated[
        Path | None,
        typer.Argument(help="The model directory to write; without one, --graph makes MODEL's graphs anew."),
    ] = None,
    storage: Storage = "int8",
    card: Annotated[Path | None, typer.Option(help="A model card in Markdown; default: the model's own.")] = None,
    graph: Annotated[
        bool | None,
        typer.Option(
            "--graph/--no-graph", help="Write the graphs that transcription without torch needs.", show_default="graph"
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Export a compact copy for sharing, or make a model's graphs anew."""
    from asr_s2s.errors import ConfigError
    from asr_s2s.inputs import read_text
    from asr_s2s.model_store import model_folder, read_card
    from asr_s2s.model_store.directory import load_model, save_model

    if target is None:
        if not graph:
            raise typer.BadParameter("name the model directory to write, or add --graph.", param_hint="TARGET")
        folder = model_folder(model)
        with _written(folder, overwrite=True):
            _write_graphs(folder)
        return
    text = read_text(card, error=ConfigError, advice="Name a model card in Markdown.") if card else read_card(model)
    with _written(target, overwrite=overwrite):
        system = replace(load_model(model), name=target.name)
        save_model(target, system, card=text, storage=storage)
        _add_graphs(target, system, graph=graph is not False)
    megabytes = sum(path.stat().st_size for path in target.iterdir()) / 1e6
    say(f"{target}: {megabytes:.1f} MB.")


def _add_graphs(folder: Path, system: "SpeechSystem", *, graph: bool) -> None:
    """Write graphs, those of the model that this one was made from where they fit."""
    from asr_s2s.engine.export import add_graphs

    if graph and (notice := add_graphs(folder, system, like=system.folder)):
        say(notice)


def _write_graphs(folder: Path) -> None:
    from asr_s2s.config import kind_of
    from asr_s2s.engine.export import export_graphs, export_language_graphs
    from asr_s2s.model_store import CONFIG_FILE
    from asr_s2s.model_store.directory import load_model
    from asr_s2s.model_store.language import load_language_model

    if kind_of(folder / CONFIG_FILE) == "language_model":
        export_language_graphs(folder, load_language_model(folder))
    else:
        export_graphs(folder, load_model(folder))
    say(f"{folder}: graphs written.")
