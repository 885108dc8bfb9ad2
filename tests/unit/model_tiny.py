"""A model of a few hundred weights, for tests of what is written and read."""

import torch

from asr_s2s.config import check_config
from asr_s2s.model_store.directory import ModelDirectoryConfig, SpeechSystem, build_system
from asr_s2s.text import CharacterVocabulary

TREE = {
    "input": {"kind": "kaldi", "num_mels": 20, "normalize": "global"},
    "vocabulary": {"kind": "characters"},
    "model": {
        "encoder": {"kind": "gru", "channels": 8, "layers": 1},
        "decoder": {"kind": "rnn", "channels": 8, "embedding": 8},
        "attention": {"kind": "dot"},
        "ctc": True,
    },
}


def tiny_system(*, seed: int = 0, letters: str = "abc") -> SpeechSystem:
    torch.manual_seed(seed)
    config = check_config(TREE, ModelDirectoryConfig, origin="test")
    system = build_system(config, CharacterVocabulary.from_texts([letters]), name="tiny")
    system.front_end.set_statistics(torch.randn(20), torch.rand(20) + 1)
    return system


def weights(system: SpeechSystem) -> dict[str, torch.Tensor]:
    return dict(system.model.state_dict()) | dict(system.front_end.state_dict())
