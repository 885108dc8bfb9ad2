"""A decoder that reads before it listens: its own layers become a language model of characters on text alone.

usage: texts_first.py MODEL OUTPUT --texts TEXT [--minutes 10]

TEXT has a sentence a line (synthetic.py writes one). The decoder attends to one frame of zeros, and what attends stays
as it is, so that training on recordings goes on from there: asr-s2s train conf/characters.yaml --from OUTPUT.
"""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.model_store.directory import load_model, save_model

CHARACTERS = 6_000  # a step
PEAK, WARMUP = 5e-4, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("output", type=Path)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10.0)
    arguments = parser.parse_args()
    torch.manual_seed(1)
    system = load_model(arguments.model)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    decoder, vocabulary = system.model.get_submodule("decoder").to(device).train(), system.vocabulary
    weights = [weight for name, weight in decoder.named_parameters() if "cross_attention" not in name]
    optimizer = torch.optim.AdamW(weights, lr=PEAK, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    sentences = [vocabulary.encode(line) for line in arguments.texts.read_text(encoding="utf-8").splitlines() if line]
    held, sentences = sentences[:200], sentences[200:]
    began, seen = time.monotonic(), 0
    for step, batch in enumerate(batches(sentences)):
        done = (time.monotonic() - began) / (60 * arguments.minutes)
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = PEAK * min(1.0, (step + 1) / WARMUP) * (1 - done)
        loss = surprise(decoder, vocabulary.start_tokens, vocabulary.end_token, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        seen += sum(map(len, batch))
        if step % 100 == 0:
            with torch.no_grad():
                judged = float(surprise(decoder, vocabulary.start_tokens, vocabulary.end_token, held))
            print(f"step {step}: {seen / 1e6:.2f} million characters, {judged:.3f} nats each on 200 others", flush=True)
    system.model.cpu()
    save_model(arguments.output, system, card="A decoder that has read, and not yet listened again.\n")


def batches(sentences: list[list[int]]) -> Iterator[list[list[int]]]:
    """Give sentences of like length together, in an order drawn anew each time all were read."""
    draw = random.Random(1)  # noqa: S311 - an order, no secret
    while True:
        order = sorted(draw.sample(sentences, len(sentences)), key=len)
        parts: list[list[list[int]]] = [[]]
        for sentence in order:
            if len(sentence) * (len(parts[-1]) + 1) > CHARACTERS:
                parts.append([])
            parts[-1].append(sentence)
        draw.shuffle(parts)
        yield from parts


def surprise(decoder: torch.nn.Module, start: tuple[int, ...], end: int, sentences: list[list[int]]) -> Tensor:
    """Give the cross-entropy of each next character, in nats."""
    attending = decoder.get_submodule("layers.0.cross_attention.key").weight
    device = attending.device
    inputs = pad_sequence([torch.tensor([*start, *sentence]) for sentence in sentences], batch_first=True)
    shift = len(start) - 1
    targets = pad_sequence(
        [torch.tensor([-1] * shift + [*sentence, end]) for sentence in sentences], batch_first=True, padding_value=-1
    )
    nothing = torch.zeros(len(sentences), 1, attending.shape[1], device=device)
    with torch.autocast(device.type, torch.bfloat16):
        logits = decoder(inputs.to(device), nothing, torch.ones(len(sentences), dtype=torch.long, device=device)).logits
    return cross_entropy(logits.float().flatten(0, 1), targets.flatten().to(device), ignore_index=-1)


if __name__ == "__main__":
    main()
