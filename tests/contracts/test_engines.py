"""ONNX Runtime gives what torch gives: every encoder, decoder and attention, any number of utterances, any length."""

from pathlib import Path

import numpy as np
import pytest
import torch
from test_speech_model import DECODERS, ENCODERS

from asr_s2s.audio import read_audio
from asr_s2s.config import check_config
from asr_s2s.engine import Encoding, token_rules
from asr_s2s.engine.export import export_graphs, export_language_graphs
from asr_s2s.engine.onnx_engine import OnnxEngine
from asr_s2s.engine.onnx_language import OnnxLanguageEngine
from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.engine.torch_language import TorchLanguageEngine
from asr_s2s.model_store import (
    LanguageDirectoryConfig,
    LanguageSystem,
    ModelDirectoryConfig,
    build_system,
    save_language_model,
    save_model,
)
from asr_s2s.text import CharacterVocabulary

pytestmark = pytest.mark.slow

CLIPS = Path(__file__).parents[1] / "data"
CLOSE = {"atol": 1e-4, "rtol": 1e-4}  # worst seen 3e-5: float32, in products of another order
VOCABULARY = CharacterVocabulary.from_texts(["abcdefgh"])
RULES = token_rules(VOCABULARY)
KALDI = {"kind": "kaldi", "num_mels": 20, "normalize": "utterance"}
# each encoder, decoder and attention at least once: the graphs of an encoder do not depend on its decoder
MODELS = {
    "lstm, lstm with location": (KALDI, "lstm", "lstm location"),
    "gru, gru with additive": (KALDI | {"normalize": "global"}, "gru", "gru additive"),
    "conformer, lstm with multihead": (KALDI, "conformer", "lstm multihead"),
    "transformer, gru with none": (KALDI, "transformer", "gru none"),
    "transformer, lstm with dot": (KALDI, "transformer", "lstm dot"),
    "lstm, transformer": (KALDI, "lstm", "transformer"),
}
MERGED = {"kind": "whisper", "tail_seconds": 0.5}
PADDED = {"kind": "whisper", "pad_to_seconds": 2.0}
"""
"""
