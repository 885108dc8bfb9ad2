"""How many swapped texts `asr-s2s check --model en` finds: of a share of a set's utterances the texts are exchanged.

python tools/bench/mislabelled.py data/{commonvoice,prompts,speechocean}/train/manifest.jsonl
For each set: precision and recall of the finding "mislabelled", and the precision of the first N of the list, N being
the number of swapped texts; beside it that of the texts with the highest loss alone. Texts that were wrong before, as
in speechocean, where weak readers say something else, count as false.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from asr_s2s.checking import Heard, hear
from asr_s2s.checking.mislabelled import TextLoss, fault_of, text_losses
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import load_model
from asr_s2s.text import plain


def swapped(heard: Sequence[Heard], *, share: float, seed: int) -> tuple[list[Heard], set[int]]:
    """Pass the texts of some utterances on in a circle; give the indices of those whose text is another one now."""
    chosen = np.random.default_rng(seed).permutation(len(heard))[: round(share * len(heard))].tolist()
    texts = {index: heard[other].text for index, other in zip(chosen, chosen[1:] + chosen[:1], strict=True)}
    wrong = {index for index, text in texts.items() if plain(text) != plain(heard[index].text)}
    return [
        replace(item, utterance=replace(item.utterance, text=texts.get(index, item.text)))
        for index, item in enumerate(heard)
    ], wrong


def first(losses: dict[int, float], wrong: set[int]) -> str:
    """Give the share of wrong texts among the worst, as many as there are wrong ones."""
    worst = sorted(losses, key=lambda index: -losses[index])[: len(wrong)]
    return f"{sum(index in wrong for index in worst) / len(wrong):.1%}"


def measure(path: Path, *, model: str, share: float, seed: int) -> None:
    utterances = read_manifest(path)
    sounds = hear(utterances, jobs=1, on_done=lambda _: None)
    heard = [Heard(str(path), item, sound) for item, sound in zip(utterances, sounds, strict=True)]
    heard, wrong = swapped(heard, share=share, seed=seed)
    losses: dict[int, TextLoss] = dict(text_losses(heard, load_model(model)))
    found = {index for index, loss in losses.items() if fault_of(loss)}
    right = len(found & wrong)
    print(
        f"{path}: {len(heard)} texts, {len(losses)} judged, {len(wrong)} wrong; found {len(found)}, precision "
        f"{right / max(len(found), 1):.1%}, recall {right / len(wrong):.1%}; of the first {len(wrong)} wrong "
        f"{first({index: loss.own / loss.other for index, loss in losses.items()}, wrong)}, by loss alone "
        f"{first({index: loss.own for index, loss in losses.items()}, wrong)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--model", default="en")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for path in options.manifests:
        measure(path, model=options.model, share=options.share, seed=options.seed)


if __name__ == "__main__":
    main()
