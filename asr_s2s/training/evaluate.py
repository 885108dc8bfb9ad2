"""How well a model reads the development set: losses with the true tokens given, and error rates on its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from asr_s2s.data import epoch_plan
from asr_s2s.data.batch import Batch
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.decoding import SearchConfig
from asr_s2s.engine import token_rules
from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.models import LossConfig, Losses, ModelOutput, TeacherOutput, total_loss, valid_frames, with_start_and_end
from asr_s2s.scoring import ErrorRate, character_errors, word_errors
from asr_s2s.search import Hypothesis, build_search
from asr_s2s.training.alignment import AttentionAlignment, measure_alignment
from asr_s2s.training.precision import autocast


@dataclass(frozen=True)
class EvaluatedUtterance:
    """One utterance of the development set: its reference, its hypothesis, and the attention.

    features: (time, mel); attention: (token, time') with the true tokens given, None for a decoder without attention
    tokens: one label a row of the attention
    """

    id: str
    reference: str
    hypothesis: str
    looped: bool
    features: Tensor
    attention: Tensor | None
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of the development set."""

    losses: dict[str, float]  # by name, with the true tokens given
    accuracy: float  # share of right next tokens with the true ones given
    words: ErrorRate  # of the free-running search, on texts as the vocabulary spells them
    characters: ErrorRate
    alignment: AttentionAlignment | None  # None for a decoder without attention
    ctc_written: float | None  # tokens on the CTC head's best path for each of the references; None without such a head
    utterances: tuple[EvaluatedUtterance, ...]  # from the shortest reference to the longest

    @property
    def wer(self) -> float:
        """Word error rate as a share; a set without words counts as one word, so that it stays a number."""
        return self.words.errors / max(self.words.reference_length, 1)

    @property
    def cer(self) -> float:
        """Character error rate as a share."""
        return self.characters.errors / max(self.characters.reference_length, 1)

    @property
    def loops(self) -> int:
        """Count the hypotheses that the search flagged as running in circles."""
        return sum(each.looped for each in self.utterances)

    def spread(self, count: int) -> list[EvaluatedUtterance]:
        """Pick some different utterances evenly from the short to the long; the same ones at every evaluation."""
        last = len(self.utterances) - 1
        places = dict.fromkeys(round(last * (index + 1) / (count + 1)) for index in range(count))
        return [self.utterances[place] for place in places]


def forward(
    system: SpeechSystem,
    batch: Batch,
    *,
    losses: LossConfig,
    epoch: int,
    with_attention: bool,
    arithmetic: str = "float32",
    teacher: TeacherOutput | None = None,
    counts: Mapping[str, float] | None = None,
) -> tuple[ModelOutput, Losses, Tensor, Tensor]:
    """Run the model with the true tokens given and compute the losses.

    teacher: what the model shall imitate of this batch
    counts: what the losses are divided by, where the batch is one of several in a step (total_loss)
    returns: the model's output, its losses, targets (batch, token + 1), target_lengths (batch,), end token included
    """
    vocabulary = system.vocabulary
    inputs, targets, target_lengths = with_start_and_end(
        batch.tokens, batch.token_lengths, start_tokens=vocabulary.start_tokens, end_token=vocabulary.end_token
    )
    with autocast(batch.features.device, arithmetic):
        run = system.model if batch.encoded is None else partial(system.model.forward_from, layers=batch.encoded)
        output = run(batch.features, batch.feature_lengths, inputs, with_attention=with_attention)
    found = total_loss(
        output,
        tokens=batch.tokens,
        token_lengths=batch.token_lengths,
        targets=targets,
        target_lengths=target_lengths,
        config=losses,
        epoch=epoch,
        teacher=teacher,
        counts=counts,
    )
    return output, found, targets, target_lengths


@torch.no_grad()  # not inference_mode: a data set may keep the features it makes here for training
def evaluate(
    system: SpeechSystem,
    dataset: SpeechDataset,
    *,
    batch_seconds: float,
    losses: LossConfig,
    search: SearchConfig,
    device: torch.device,
) -> Evaluation:
    """Evaluate on the whole data set, in float32; the model is left in evaluation mode."""
    system.model.eval()
    engine = TorchEngine(system.model, None, device=device)
    find = build_search(engine, token_rules(system.vocabulary), search)
    sums: dict[str, float] = {}
    utterances: list[EvaluatedUtterance] = []
    num_tokens = num_right = num_written = 0
    for indices in epoch_plan(dataset.durations, batch_seconds=batch_seconds, seed=0, epoch=0):
        batch = dataset.batch(indices).to(device)
        output, found, targets, target_lengths = forward(system, batch, losses=losses, epoch=0, with_attention=True)
        for name, value in found.parts.items():
            sums[name] = sums.get(name, 0.0) + int(target_lengths.sum()) * float(value)
        num_tokens += int(target_lengths.sum())
        right = output.logits[:, -targets.shape[1] :].argmax(2) == targets
        num_right += int((right & valid_frames(target_lengths, targets.shape[1])).sum())
        num_written += _written(output, blank=system.vocabulary.blank_token)
        hypotheses = find(engine.encoding(output.encoder_out, output.encoder_lengths))
        utterances += [_read(system, batch, output, hypothesis, row=row) for row, hypothesis in enumerate(hypotheses)]
    references = [each.reference for each in utterances]
    read = [each.hypothesis for each in utterances]
    attentions = [each.attention for each in utterances if each.attention is not None]
    return Evaluation(
        losses={name: value / num_tokens for name, value in sums.items()},
        accuracy=num_right / num_tokens,
        words=word_errors(references, read),
        characters=character_errors(references, read),
        alignment=measure_alignment(attentions) if attentions else None,
        ctc_written=None if system.model.ctc_head is None else num_written / num_tokens,
        utterances=tuple(sorted(utterances, key=lambda each: (len(each.reference), each.id))),
    )


def _written(output: ModelOutput, *, blank: int | None) -> int:
    """Count the tokens on the best path of the CTC head: what is no blank and not the same as a frame before."""
    if output.ctc_logits is None:
        return 0
    best = output.ctc_logits.argmax(2)
    begins = best != best.roll(1, dims=1)
    begins[:, 0] = True
    real = valid_frames(output.encoder_lengths, best.shape[1])
    return int((begins & (best != blank) & real).sum())


def _read(
    system: SpeechSystem, batch: Batch, output: ModelOutput, hypothesis: Hypothesis, *, row: int
) -> EvaluatedUtterance:
    """Take one utterance out of its batch, without padding."""
    num_tokens = int(batch.token_lengths[row])
    tokens = batch.tokens[row, :num_tokens].tolist()
    attention = None
    if output.attention is not None:
        num_targets = batch.tokens.shape[1] + 1  # the padded targets stand at the end of the output
        rows = output.attention[row, -num_targets:][: num_tokens + 1]
        attention = rows[:, : int(output.encoder_lengths[row])].float().cpu()
    return EvaluatedUtterance(
        id=batch.ids[row],
        reference=system.vocabulary.decode(tokens),  # as the vocabulary spells it: a folded case is no error
        hypothesis=system.vocabulary.decode(hypothesis.tokens),
        looped=any(flag.name == "loop" for flag in hypothesis.flags),
        features=batch.features[row, : int(batch.feature_lengths[row])].cpu(),
        attention=attention,
        tokens=(*(system.vocabulary.decode([token]) or " " for token in tokens), "end"),
    )
