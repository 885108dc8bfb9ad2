"""Greedy search drafted by CTC beside plain greedy search: are the texts the same, and what time does it take?

usage: draft.py MODEL MANIFEST... [--threads 1]

MODEL has a Transformer decoder and a CTC head. The character error rate of the draft alone is shown with each set: the
draft pays where it is low.
"""

import argparse
import itertools
import time
from pathlib import Path

import torch

from asr_s2s.audio import read_audio
from asr_s2s.engine import token_rules
from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.model_store.directory import SpeechSystem, load_model
from asr_s2s.scoring import character_errors
from asr_s2s.search import build_search
from asr_s2s.text.normalizers import normalizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    normalise = normalizer("basic").apply
    for manifest in arguments.manifests:
        clips = [clip for clip in read_manifest(manifest) if clip.text]
        references = [normalise(clip.text or "") for clip in clips]
        texts, seconds = {}, {}
        for draft in (False, True, False, True):  # the second time is what counts
            texts[draft], seconds[draft] = searched(load_model(arguments.model), clips, draft=draft)
        same = sum(one == other for one, other in zip(texts[False], texts[True], strict=True))
        rates = [
            character_errors(references, list(map(normalise, found))).percent
            for found in (texts[False], drafts(load_model(arguments.model), clips))
        ]
        print(
            f"{manifest}: {same} of {len(clips)} texts the same; search {seconds[False]:.2f} s, drafted "
            f"{seconds[True]:.2f} s; CER {rates[0]:.1f} %, of the draft alone {rates[1]:.1f} %",
            flush=True,
        )


def searched(system: SpeechSystem, clips: list[Utterance], *, draft: bool) -> tuple[list[str], float]:
    """Search clips one after another; give their texts, and the seconds that the search took."""
    engine = TorchEngine(system.model, system.front_end)
    config = system.config.search.model_copy(update={"draft": draft, "beam": 1})
    search = build_search(engine, token_rules(system.vocabulary), config)
    texts, seconds = [], 0.0
    for clip in clips:
        encoding = engine.encode([read_audio(clip.audio_path)])
        began = time.perf_counter()
        (found,) = search(encoding)
        seconds += time.perf_counter() - began
        texts.append(system.vocabulary.decode(found.tokens))
    return texts, seconds


def drafts(system: SpeechSystem, clips: list[Utterance]) -> list[str]:
    """Give what CTC alone writes."""
    engine = TorchEngine(system.model, system.front_end)
    texts = []
    for clip in clips:
        (path,) = engine.ctc_log_probs(engine.encode([read_audio(clip.audio_path)])).argmax(axis=-1).tolist()
        texts.append(system.vocabulary.decode([token for token, _ in itertools.groupby(path) if token]))
    return texts


if __name__ == "__main__":
    main()
