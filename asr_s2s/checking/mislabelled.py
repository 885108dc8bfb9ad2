"""Texts that a model cannot find in their recordings: no likelier with the own recording than with another one.

A high loss alone also marks odd words, names and a reader's accent, which no recording makes likely; that the loss
stays as high with a recording of something else tells a wrong text from a rare one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.checking.finding import MISLABELLED, CheckedUtterance, Finding
from asr_s2s.checking.sound import SHORTEST
from asr_s2s.data import epoch_plan
from asr_s2s.data.batch import Batch
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.manifest import Utterance
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.models import valid_frames, with_start_and_end
from asr_s2s.text import plain

MISMATCHED = 0.8  # of the loss with another recording: swapped texts have 0.75 to 1.05, right ones 0.05 to 0.5
BATCH_SECONDS = 60.0
LONGEST = 60.0  # seconds; models learn from pieces of half a minute, and a longer one is no utterance


@dataclass(frozen=True, slots=True)
class TextLoss:
    """Cross-entropy a token of a text, in nats: with its own recording, and with that of another text."""

    own: float
    other: float


def mislabelled(
    checked: Sequence[CheckedUtterance], system: SpeechSystem, *, on_done: Callable[[float], None] = lambda _: None
) -> Iterator[tuple[int, Finding]]:
    """Find the utterances whose text does not match the audio, by a model; on_done gets the seconds of each.

    Left out are those without sound or text, with characters that the vocabulary lacks, or too long.
    """
    for index, loss in text_losses(checked, system, on_done=on_done):
        if fault := fault_of(loss):
            yield index, fault


def fault_of(loss: TextLoss) -> Finding | None:
    """Judge a text by its losses."""
    if loss.own <= MISMATCHED * loss.other:
        return None
    told = f"the text does not match the audio: loss {loss.own:.1f}, with another recording {loss.other:.1f}"
    return Finding("mislabelled", told, MISLABELLED * loss.own / loss.other)


@torch.inference_mode()
def text_losses(
    checked: Sequence[CheckedUtterance], system: SpeechSystem, *, on_done: Callable[[float], None] = lambda _: None
) -> Iterator[tuple[int, TextLoss]]:
    """Return the losses of each text that a model can judge, by its index."""
    cased = {item.manifest for item in checked if any(map(str.islower, item.text))}
    judged = [
        (index, spoken)
        for index, item in enumerate(checked)
        if (spoken := _judged(item, system, cased=item.manifest in cased)) is not None
    ]
    dataset = SpeechDataset([each for _, each in judged], system.front_end, vocabulary=system.vocabulary)
    device = next(system.model.parameters()).device
    stranger: tuple[str, Tensor] | None = None  # the text and encoding of an utterance of an earlier batch
    plan = epoch_plan(dataset.durations, batch_seconds=BATCH_SECONDS, seed=0, epoch=0, shortest_first=True)
    for rows in plan:
        batch = dataset.batch(rows).to(device)
        encoder_out, encoder_lengths = system.model.encode(batch.features, batch.feature_lengths)
        encodings = [each[: int(length)] for each, length in zip(encoder_out, encoder_lengths, strict=True)]
        known = list(zip(map(plain, batch.texts), encodings, strict=True)) + ([stranger] if stranger else [])
        others = [_other(known, row) for row in range(len(rows))]
        own = _losses(system, batch, encodings)
        other = _losses(system, batch, [encoding if encoding is not None else encodings[0] for encoding in others])
        for row, place in enumerate(rows):
            on_done(dataset.durations[place])
            if others[row] is not None:
                yield judged[place][0], TextLoss(float(own[row]), float(other[row]))
        stranger = known[len(rows) - 1]


def _other(known: Sequence[tuple[str, Tensor]], row: int) -> Tensor | None:
    """Return the encoding of the next utterance with another text, if there is one."""
    turned = [*known[row + 1 :], *known[:row]]
    return next((encoding for text, encoding in turned if text != known[row][0]), None)


def _losses(system: SpeechSystem, batch: Batch, recordings: Sequence[Tensor]) -> Tensor:
    """Return the cross-entropy a token (batch,) of texts, each with a recording's encoding (time', channel)."""
    vocabulary = system.vocabulary
    inputs, targets, lengths = with_start_and_end(
        batch.tokens, batch.token_lengths, start_tokens=vocabulary.start_tokens, end_token=vocabulary.end_token
    )
    encoder_lengths = torch.tensor([len(each) for each in recordings], device=batch.tokens.device)
    logits = system.model.decoder(inputs, pad_sequence(list(recordings), batch_first=True), encoder_lengths).logits
    each = cross_entropy(logits[:, -targets.size(1) :].float().transpose(1, 2), targets, reduction="none")
    return (each * valid_frames(lengths, targets.size(1))).sum(dim=1) / lengths


def _judged(item: CheckedUtterance, system: SpeechSystem, *, cased: bool) -> Utterance | None:
    """Return an utterance as the model can judge it; the text of a set in capitals as models write sentences."""
    if isinstance(item.sound, str) or not SHORTEST <= item.sound.seconds <= LONGEST or not plain(item.text):
        return None
    sentence = item.text.capitalize()
    text = item.text if cased or system.vocabulary.unknown(sentence) else sentence
    if system.vocabulary.unknown(text):
        return None
    num_tokens, longest = len(system.vocabulary.encode(text)), system.model.decoder.max_tokens
    if longest is not None and num_tokens + len(system.vocabulary.start_tokens) > longest:
        return None
    return replace(item.utterance, text=text, duration=item.sound.seconds)
