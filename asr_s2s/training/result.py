"""What a run leaves behind: one model directory, chosen on the development set, with its card and scores."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from asr_s2s.engine.export import add_graphs
from asr_s2s.errors import counted
from asr_s2s.files import write_text
from asr_s2s.model_store.average import average_states
from asr_s2s.model_store.directory import SpeechSystem, load_model, save_model
from asr_s2s.models import ModelConfig
from asr_s2s.scoring import ErrorRate
from asr_s2s.training.checkpoints import checkpoint_folder
from asr_s2s.training.comparison import NORMALIZER, ModelComparison, Recognise, compare_models
from asr_s2s.training.evaluate import Evaluation, evaluate
from asr_s2s.training.left_out import read_left_out
from asr_s2s.training.page import write_page
from asr_s2s.training.run import Run

NEWLINE = "\n"
LONGEST_PIECE = 30.0  # seconds, of a recogniser


@dataclass(frozen=True)
class TrainingResult:
    """The scores of the model that a run left in its folder."""

    folder: Path
    words: ErrorRate  # of the development set, by the configuration's search
    characters: ErrorRate
    averaged: int  # checkpoints whose mean it is; 1: a single one was better
    epochs: int
    steps: int
    minutes: float
    parameters: int
    searched_whole: int = 0  # development utterances that are longer than what a recogniser searches at once
    left_out: int = 0  # recordings to train on that could not be read, at one time or another
    comparisons: tuple[ModelComparison, ...] = ()  # on what was held out, with the model that the run started from

    @property
    def summary(self) -> str:
        """One line for people."""
        epochs = counted(self.epochs, "epoch")
        whole = f" ({self.searched_whole} utterances over {LONGEST_PIECE:.0f} s, searched whole, which transcribe cuts)"
        return (
            f"WER {_percent(self.words)}, CER {_percent(self.characters)} on the development set"
            f"{whole if self.searched_whole else ''} after {epochs} in {self.minutes:.1f} minutes"
        )


def finish(
    run: Run, *, command: str, initial: SpeechSystem | None = None, recognise: Recognise | None = None
) -> TrainingResult:
    """Compare the best checkpoint with the mean of the best few, and save the better as the run's model.

    initial: what the run started from, as it was; held-out recordings then tell whether the new one is better
    recognise: what a user of either model gets; without it nothing is judged on them
    """
    folders = [checkpoint_folder(run.folder, candidate.step) for candidate in run.state.best]
    chosen, averaged = load_model(folders[0]), 1
    evaluation = _evaluate(run, chosen)
    if len(folders) > 1:
        mean = _average(folders)
        of_mean = _evaluate(run, mean)
        if _rank(of_mean) <= _rank(evaluation):
            chosen, evaluation, averaged = mean, of_mean, len(folders)
    result = TrainingResult(
        folder=run.folder,
        words=evaluation.words,
        characters=evaluation.characters,
        averaged=averaged,
        epochs=run.state.epoch,
        steps=run.state.step,
        minutes=run.clock.seconds / 60,
        searched_whole=sum(seconds > LONGEST_PIECE for seconds in run.dev_set.durations),
        parameters=sum(parameter.numel() for parameter in chosen.model.parameters()),
        left_out=len(read_left_out(run.folder)),
        comparisons=compare_models(run, initial, chosen, recognise=recognise) if recognise else (),
    )
    save_model(run.folder, chosen, card=_card(run, result, command=command))
    document = asdict(result) | {"folder": run.folder.name, "wer": result.words.rate, "cer": result.characters.rate}
    write_text(run.folder / "result.json", json.dumps(document, indent=1) + "\n")
    write_page(run.folder, summary=[result.summary, *(one.summary for one in result.comparisons)])
    if run.config.training.graphs and (
        notice := add_graphs(run.folder, load_model(run.folder), like=initial.folder if initial else None)
    ):
        run.report.warn(notice)
    for comparison in result.comparisons:
        style = "bold yellow" if comparison.verdict == "worse" else None
        run.report.line(f"{comparison.summary}{_advice(comparison)}", style=style)
    return result


def _advice(comparison: ModelComparison) -> str:
    """Say what to do about a model that got worse."""
    if comparison.verdict != "worse":
        return ""
    return ". Keep the model that you started from, or train more gently: half the training.learning_rate, fewer epochs"


def _average(folders: Sequence[Path]) -> SpeechSystem:
    """Return the system whose weights are the mean of checkpoints of one run."""
    systems = [load_model(folder) for folder in folders]
    systems[0].model.load_state_dict(average_states([system.model.state_dict() for system in systems]))
    return systems[0]


def _evaluate(run: Run, system: SpeechSystem) -> Evaluation:
    system.model.to(run.device)
    return evaluate(
        system,
        run.dev_set,
        batch_seconds=run.config.data.batch_seconds,
        losses=run.config.losses,
        search=run.system.config.search,
        device=run.device,
    )


def _rank(evaluation: Evaluation) -> tuple[float, float, float]:
    return evaluation.wer, evaluation.cer, evaluation.losses["cross_entropy"]


def _card(run: Run, result: TrainingResult, *, command: str) -> str:
    """Write the model card: what it is, what it was made from, how well it reads."""
    config, material, parts = run.config, run.material, run.system.config
    licences = Counter(
        str(one.extra.get("license", "not stated")) for one in material.train if one.id not in material.unreadable
    )
    search = parts.search.model_dump(mode="json", exclude_defaults=True)
    return f"""# {run.folder.name}

Speech recognition with asr_s2s: {_kinds(parts.model)}, {result.parameters:,} weights, \
{f"the mean of the {result.averaged} best checkpoints" if result.averaged > 1 else "the best checkpoint"}.

## Data

{len(material.train) - len(material.unreadable):,} utterances, {run.hours:.2f} hours, from \
{", ".join(config.data.train)}.{_left_out(result)}

{NEWLINE.join(f"- {count:,} utterances: {licence}" for licence, count in licences.most_common())}

## Training

    {command}

{result.epochs} epochs, {result.steps:,} steps, {result.minutes:.1f} minutes on {run.device.type} with \
{torch.get_num_threads()} threads, seed {config.training.seed}; `experiment.yaml` holds the configuration.

## Scores

On the development set: {len(material.dev)} utterances that it was not trained on, but chosen by \
(search: {search or "as by default"}).

| | error rate | substitutions | deletions | insertions | of |
|---|---|---|---|---|---|
{_row("words", result.words)}
{_row("characters", result.characters)}
{_held_out(result.comparisons)}"""


def _left_out(result: TrainingResult) -> str:
    many = counted(result.left_out, "recording")
    return f" Left out: {many} that could not be read." if result.left_out else ""


def _held_out(comparisons: Sequence[ModelComparison]) -> str:
    """Write how it reads what was held out, and whether it became better or worse than what the run started from."""
    if not comparisons:
        return ""
    rows = "".join(f"- {comparison.summary}\n" for comparison in comparisons)
    return f"""
## Held out

Judged once, with case and punctuation left out (normalizer {NORMALIZER}); differences are 95 % intervals of a paired
bootstrap over utterances.

{rows}"""


def _kinds(model: ModelConfig) -> str:
    parts = {"encoder": model.encoder, "decoder": model.decoder, "attention": model.attention}
    return ", ".join(f"{part.kind} {name}" for name, part in parts.items() if part)


def _row(name: str, rate: ErrorRate) -> str:
    counts = f"{rate.substitutions} | {rate.deletions} | {rate.insertions} | {rate.reference_length}"
    return f"| {name} | {_percent(rate)} | {counts} |"


def _percent(rate: ErrorRate) -> str:
    return "n/a" if rate.rate is None else f"{rate.rate:.2%}"
