"""How fast training is: against Hugging Face's Speech2Text and SpeechBrain, and two processes against one; idle shares.

Needs, in the environment of asr-s2s: pip install transformers speechbrain

usage: training.py MANIFEST [--seconds 40] [--threads 1]

One run, in turns. All train the same network (two convolutions that shorten the time to a quarter, 6 encoder and 3
decoder Transformer layers, normalised first, 256 channels, 4 heads, 1024 in between with GELU, characters) on the same
batches of the same recordings, with AdamW, dropout 0.1 in the same places, cross-entropy alone. Speech2Text has its own
convolutions, with gates; SpeechBrain's Transformer is given ours. Features are computed before: the others get their
batches ready in memory, ours loads them from its cache while the model computes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from asr_s2s.config import check_config, write_config
from asr_s2s.models import with_start_and_end
from asr_s2s.models.encoders.stems import Conv1dStemConfig
from asr_s2s.training import ExperimentConfig, train
from asr_s2s.training.history import read_history
from asr_s2s.training.progress import ProgressReport
from asr_s2s.training.run import Run, plan_of
from asr_s2s.training.start import start

MELS, DROPOUT = 80, 0.1
CHANNELS, HEADS, FEEDFORWARD, ENCODER_LAYERS, DECODER_LAYERS = 256, 4, 1024, 6, 3


def experiment(manifest: str, folder: Path, *, minutes: float, threads: int) -> ExperimentConfig:
    layers = {"channels": CHANNELS, "heads": HEADS, "feedforward": FEEDFORWARD, "dropout": DROPOUT}
    tree = {
        "data": {"train": manifest, "batch_seconds": 120, "cache": str(folder / "features")},
        "input": {"kind": "kaldi", "num_mels": MELS, "normalize": "global"},
        "vocabulary": {"kind": "characters", "lowercase": True},
        "model": {
            "encoder": {
                "kind": "transformer",
                "layers": ENCODER_LAYERS,
                **layers,
                "stem": {"kind": "conv1d", "factor": 4},
            },
            "decoder": {"kind": "transformer", "layers": DECODER_LAYERS, "max_tokens": 512, **layers},
        },
        "training": {
            "minutes": minutes,
            "threads": threads,
            "plots": False,
            "graphs": False,
            "dev_utterances": 2,
            "average": 1,
            "log_every": 1,
            "epochs": 1000,
            "checkpoint_minutes": None,
        },
    }
    return check_config(tree, ExperimentConfig, origin="bench")


def ours(config: ExperimentConfig, folder: Path) -> float:
    """Give the frames a second that the history tells last."""
    train(config, output=folder, console=Console(quiet=True))
    return frames_per_second(folder)


def frames_per_second(folder: Path) -> float:
    records = read_history(folder / "history.jsonl")
    return [record["frames_per_second"] for record in records if record["event"] == "train"][-1]


@dataclass(frozen=True)
class Peer:
    """Another toolkit's network: loss(features, feature_lengths, inputs, targets, valid) with the true tokens given."""

    name: str
    model: nn.Module
    loss: Callable[..., Tensor]


def speech_to_text(run: Run) -> Peer:
    import transformers
    from transformers import Speech2TextConfig, Speech2TextForConditionalGeneration

    model = Speech2TextForConditionalGeneration(
        Speech2TextConfig(
            vocab_size=run.system.vocabulary.size,
            encoder_layers=ENCODER_LAYERS,
            decoder_layers=DECODER_LAYERS,
            encoder_attention_heads=HEADS,
            decoder_attention_heads=HEADS,
            encoder_ffn_dim=FEEDFORWARD,
            decoder_ffn_dim=FEEDFORWARD,
            d_model=CHANNELS,
            conv_channels=CHANNELS,
            input_feat_per_channel=MELS,
            max_source_positions=6000,
            max_target_positions=512,
            activation_function="gelu",
            dropout=DROPOUT,
            activation_dropout=DROPOUT,
            decoder_start_token_id=run.system.vocabulary.start_tokens[-1],
        )
    )

    def loss(features: Tensor, feature_lengths: Tensor, inputs: Tensor, targets: Tensor, valid: Tensor) -> Tensor:
        heard = torch.arange(features.shape[1]) < feature_lengths[:, None]
        found: Any = model(
            input_features=features,
            attention_mask=heard.long(),
            decoder_input_ids=inputs,
            labels=targets.masked_fill(~valid, -100),
        )
        loss: Tensor = found.loss
        return loss

    return Peer(f"Speech2Text (transformers {transformers.__version__})", model, loss)


def speechbrain_transformer(run: Run) -> Peer:
    import speechbrain
    from speechbrain.lobes.models.transformer.TransformerASR import TransformerASR

    num_tokens = run.system.vocabulary.size
    convolutions = Conv1dStemConfig(kind="conv1d", factor=4).build(MELS, CHANNELS)
    transformer = TransformerASR(
        tgt_vocab=num_tokens,
        input_size=CHANNELS,
        d_model=CHANNELS,
        nhead=HEADS,
        num_encoder_layers=ENCODER_LAYERS,
        num_decoder_layers=DECODER_LAYERS,
        d_ffn=FEEDFORWARD,
        dropout=DROPOUT,
        activation=nn.GELU,
        normalize_before=True,
        causal=False,
    )
    output = nn.Linear(CHANNELS, num_tokens)

    def loss(features: Tensor, feature_lengths: Tensor, inputs: Tensor, targets: Tensor, valid: Tensor) -> Tensor:
        shortened, lengths = convolutions(features, feature_lengths)
        _, decoded = transformer(shortened, inputs, lengths / lengths.max(), pad_idx=-1)
        return cross_entropy(output(decoded).transpose(1, 2), targets.masked_fill(~valid, -100))

    return Peer(f"SpeechBrain {speechbrain.__version__}", nn.ModuleList([convolutions, transformer, output]), loss)


def theirs(run: Run, peer: Peer, *, seconds: float, threads: int) -> float:
    """Train a peer on the batches of our first epoch; give its frames a second."""
    torch.set_num_threads(threads)
    weights = list(peer.model.train().parameters())
    optimizer = torch.optim.AdamW(weights, fused=True)
    vocabulary = run.system.vocabulary
    frames, spent = 0, 0.0
    for indices in plan_of(run.config, run.train_set.augmented_durations(0), epoch=0):
        batch = run.train_set.batch(indices)
        inputs, targets, lengths = with_start_and_end(
            batch.tokens, batch.token_lengths, start_tokens=vocabulary.start_tokens, end_token=vocabulary.end_token
        )
        valid = torch.arange(targets.shape[1]) < lengths[:, None]
        began = time.monotonic()
        peer.loss(batch.features, batch.feature_lengths, inputs, targets, valid).backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        spent += time.monotonic() - began
        frames += int(batch.feature_lengths.sum())
        if spent > seconds:
            break
    return frames / spent


def together(manifest: str, folder: Path, *, minutes: float) -> float:
    """Train in two processes of one thread each."""
    config = experiment(manifest, folder, minutes=minutes, threads=1)
    write_config(folder / "bench.yaml", config)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "asr_s2s", "train"]
    command += [str(folder / "bench.yaml"), "--output", str(folder / "two")]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    return frames_per_second(folder / "two")


def size(model: nn.Module) -> float:
    """Count the weights, in millions."""
    return sum(weight.numel() for weight in model.parameters()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {options.threads} threads")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = experiment(options.manifest, folder, minutes=options.seconds / 60, threads=options.threads)
        first = ours(config, folder / "first")
        run = start(
            config, output=folder / "peers", resume=False, initial=None, report=ProgressReport(Console(quiet=True))
        )
        peers = [make(run) for make in (speech_to_text, speechbrain_transformer)]
        found = [theirs(run, peer, seconds=options.seconds, threads=options.threads) for peer in peers]
        second = ours(config, folder / "second")
        print(f"asr_s2s: {first:,.0f} and {second:,.0f} frames a second, {size(run.system.model):.2f} million weights")
        for peer, speed in zip(peers, found, strict=True):
            ratio = (first + second) / 2 / speed
            print(
                f"{peer.name}: {speed:,.0f}, {size(peer.model):.2f} million weights; ours is {ratio:.2f} times as fast"
            )
        last = [one for one in read_history(folder / "second" / "history.jsonl") if one["event"] == "evaluation"][-1]
        print(f"padding {last['padding']:.1%}, waiting for data {last['idle']:.1%}")
        if options.threads == 1:
            two = together(options.manifest, folder, minutes=options.seconds / 60)
            print(f"two processes {two:8,.0f} frames a second, {two / first:.2f} times one")


if __name__ == "__main__":
    main()
