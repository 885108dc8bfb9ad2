"""Does an imported Whisper write what Hugging Face's implementation writes? Greedy, float32, padded to 30 seconds.

Needs, in the environment of asr-s2s: pip install transformers (it is among the dev extras).

usage: compare_with_transformers.py CHECKPOINT MODEL MANIFEST... [--threads 2]

CHECKPOINT is a Hugging Face folder of an English model, MODEL what `asr-s2s model import-whisper CHECKPOINT MODEL
--storage float32` made of it. Prints each difference and, for each manifest, how many texts are the same.
"""

import argparse
from pathlib import Path

import torch
from transformers import GenerationConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from asr_s2s.audio import read_audio
from asr_s2s.engine import token_rules
from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import load_model
from asr_s2s.search import build_search

BATCH = 8
WINDOW_SECONDS = 30.0  # longer ones are left out: Hugging Face cuts there, the recogniser at silences


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    reference = WhisperForConditionalGeneration.from_pretrained(arguments.checkpoint, dtype=torch.float32).eval()
    extractor = WhisperFeatureExtractor()
    system = load_model(arguments.model)
    vocabulary = system.vocabulary
    engine = TorchEngine(system.model, system.front_end)
    search = build_search(engine, token_rules(vocabulary), system.config.search.model_copy(update={"beam": 1}))
    reference.generation_config = GenerationConfig(
        decoder_start_token_id=vocabulary.start_tokens[0],
        bos_token_id=vocabulary.end_token,
        eos_token_id=vocabulary.end_token,
        pad_token_id=vocabulary.end_token,
        no_timestamps_token_id=vocabulary.start_tokens[-1],
        is_multilingual=False,
        return_timestamps=False,
        suppress_tokens=list(vocabulary.suppressed),
        begin_suppress_tokens=list(vocabulary.suppressed_first),
        max_length=448,
    )
    for manifest in arguments.manifests:
        utterances = [item for item in read_manifest(manifest) if (item.duration or 0) <= WINDOW_SECONDS]
        same = 0
        for start in range(0, len(utterances), BATCH):
            batch = utterances[start : start + BATCH]
            sounds = [read_audio(item.audio_path) for item in batch]
            features = extractor(sounds, sampling_rate=16_000, return_tensors="pt").input_features
            generated = reference.generate(features).tolist()
            hypotheses = search(engine.encode(sounds))
            for item, theirs, hypothesis in zip(batch, generated, hypotheses, strict=True):
                said = [token for token in theirs if token < vocabulary.end_token]
                if said == list(hypothesis.tokens):
                    same += 1
                else:
                    print(f"{item.id}:\n  theirs {vocabulary.decode(said)}")
                    print(f"  ours   {vocabulary.decode(hypothesis.tokens)}")
        print(f"{manifest}: {same} of {len(utterances)} the same", flush=True)


if __name__ == "__main__":
    main()
