"""Make the shipped model `multi` from Whisper base whose silence is merged.

usage: python recipes/multi/build.py MERGED DATA TARGET, where README.md says how MERGED is made
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from rounding import OUTPUT, input_moments, rounded
from torch import Tensor

from asr_s2s.audio import read_audio
from asr_s2s.engine import token_rules
from asr_s2s.engine.export import export_graphs
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import SpeechSystem, build_system, load_model, save_model
from asr_s2s.model_store.weights import EMBEDDING, PACKINGS
from asr_s2s.recognizer.in_torch import in_torch

STORAGE = "small"
SEARCH = {"max_tokens_per_frame": 0.6}  # values that differ from those of an imported Whisper
CLIPS = {"commonvoice": (24, "en"), "german": (24, "de"), "speechocean": (12, "en"), "ljspeech": (6, "en")}


def without_unnamed_tokens(system: SpeechSystem) -> SpeechSystem:
    """Leave out the rows of tokens that the tokenizer does not name: Whisper's 1,501 timestamps."""
    vocabulary = system.config.vocabulary.model_copy(update={"size": None})
    search = system.config.search.model_copy(update=SEARCH)
    config = system.config.model_copy(update={"vocabulary": vocabulary, "search": search})
    tokens = vocabulary.build(system.vocabulary.tokenizer_json, origin=system.name)
    smaller = build_system(config, tokens, name=system.name)
    state = dict(system.model.state_dict())
    state[EMBEDDING] = state[EMBEDDING][: tokens.size]
    smaller.model.load_state_dict(state)
    smaller.front_end.load_state_dict(system.front_end.state_dict())
    return smaller


def moments_of(system: SpeechSystem, data: Path) -> dict[str, Tensor]:
    """Let the model read training clips with their texts, and with Chinese ones, for the moments of its inputs."""
    ready, words, random = in_torch(system), system.vocabulary, np.random.default_rng(5)
    with (data / "translation" / "train.tsv").open(encoding="utf-8") as file:
        chinese = [row["zh"] for row in csv.DictReader(file, delimiter="\t")]

    def run() -> Iterator[None]:
        for name, (count, code) in CLIPS.items():
            clips = read_manifest(data / name / "train" / "manifest.jsonl")
            for place in random.choice(len(clips), count, replace=False):
                text = clips[place].text or ""
                text = text.capitalize() if text.isupper() else text
                encoding = ready.engine.encode([read_audio(clips[place].audio_path)])
                for said, language in ((text, code), (chinese[int(random.integers(len(chinese)))], "zh")):
                    rules = token_rules(words, language=language, task="transcribe")
                    ready.engine.read(encoding, [words.encode(said)], rules)
                yield

    return input_moments(system.model, run)


def round_weights(system: SpeechSystem, moments: dict[str, Tensor]) -> None:
    """Round each matrix to the grid of its storage; storing it again changes nothing."""
    of_embedding, of_others = PACKINGS[STORAGE]
    state = dict(system.model.state_dict())
    for name, each in moments.items():
        bits, group = of_embedding if name == OUTPUT else of_others
        state[f"{name}.weight"] = rounded(state[f"{name}.weight"], each, bits=bits, group=group)
    system.model.load_state_dict(state)


def main() -> None:
    """Write the model's directory, its card beside this file copied, and its graphs."""
    merged, data, target = map(Path, sys.argv[1:])
    system = load_model(merged)
    moments = moments_of(system, data)
    system = replace(without_unnamed_tokens(system), name=target.name)
    round_weights(system, moments)
    card = Path(__file__).with_name("card.md").read_text(encoding="utf-8")
    save_model(target, system, card=card, storage=STORAGE)
    export_graphs(target, load_model(target))


if __name__ == "__main__":
    main()
