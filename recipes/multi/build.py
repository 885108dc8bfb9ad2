"""Make the shipped model `multi` from Whisper base whose silence is merged.

usage: python recipes/multi/build.py MERGED TARGET, where README.md says how MERGED is made
"""

import sys
from dataclasses import replace
from pathlib import Path

from asr_s2s.decoding import SearchConfig
from asr_s2s.engine.export import export_graphs
from asr_s2s.model_store.directory import SpeechSystem, build_system, load_model, save_model
from asr_s2s.model_store.weights import EMBEDDING

# Values that differ from those of an imported Whisper, see README.md
SEARCH = {"max_tokens_per_frame": 0.6}


def without_unnamed_tokens(system: SpeechSystem) -> SpeechSystem:
    """Leave out the rows of tokens that the tokenizer does not name: Whisper's 1,501 timestamps."""
    vocabulary = system.config.vocabulary.model_copy(update={"size": None})
    search: SearchConfig = system.config.search.model_copy(update=SEARCH)
    config = system.config.model_copy(update={"vocabulary": vocabulary, "search": search})
    tokens = vocabulary.build(system.vocabulary.tokenizer_json, origin=system.name)
    smaller = build_system(config, tokens, name=system.name)
    state = dict(system.model.state_dict())
    state[EMBEDDING] = state[EMBEDDING][: tokens.size]
    smaller.model.load_state_dict(state)
    smaller.front_end.load_state_dict(system.front_end.state_dict())
    return smaller


def main() -> None:
    """Write the model's directory, its card beside this file copied, and its graphs."""
    merged, target = Path(sys.argv[1]), Path(sys.argv[2])
    system = replace(without_unnamed_tokens(load_model(merged)), name=target.name)
    card = Path(__file__).with_name("card.md").read_text(encoding="utf-8")
    save_model(target, system, card=card, storage="small")
    export_graphs(target, load_model(target))


if __name__ == "__main__":
    main()
