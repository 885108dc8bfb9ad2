"""How fast training is: against Hugging Face's Speech2Text, and two processes against one; padding and idle shares.

usage: training.py MANIFEST [--seconds 40] [--threads 1]

One run, in turns. Both train the same network (two convolutions that shorten the time to a quarter, 6 encoder and 3
decoder Transformer layers, 256 channels, 4 heads, 1024 in between, characters) on the same batches of the same
recordings, with AdamW, dropout 0.1, cross-entropy alone. Features are computed before: the other gets its batches ready
in memory, ours loads them from its cache while the model computes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import transformers
from rich.console import Console
from transformers import Speech2TextConfig, Speech2TextForConditionalGeneration

from asr_s2s.config import check_config, write_config
from asr_s2s.models import with_start_and_end
from asr_s2s.training import ExperimentConfig, train
from asr_s2s.training.history import read_history
from asr_s2s.training.progress import Report
from asr_s2s.training.run import plan_of
from asr_s2s.training.start import start

CHANNELS, HEADS, FEEDFORWARD, ENCODER_LAYERS, DECODER_LAYERS = 256, 4, 1024, 6, 3


def experiment(manifest: str, folder: Path, *, minutes: float, threads: int) -> ExperimentConfig:
    layers = {"channels": CHANNELS, "heads": HEADS, "feedforward": FEEDFORWARD, "dropout": 0.1}
    tree = {
        "data": {"train": manifest, "batch_seconds": 120, "cache": str(folder / "features")},
        "features": {"kind": "kaldi", "num_mels": 80, "normalize": "global"},
        "vocabulary": {"kind": "characters", "lowercase": True},
        "model": {
            "encoder": {
                "kind": "transformer",
                "layers": ENCODER_LAYERS,
                **layers,
                "subsampling": {"kind": "conv1d", "factor": 4},
            },
            "decoder": {"kind": "transformer", "layers": DECODER_LAYERS, "max_tokens": 512, **layers},
        },
        "training": {
            "minutes": minutes,
            "threads": threads,
            "plots": False,
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


def theirs(config: ExperimentConfig, folder: Path, *, seconds: float, threads: int) -> tuple[float, int]:
    """Train Speech2Text on the batches of our first epoch; give frames a second and its number of weights."""
    run = start(config, output=folder, resume=False, initial=None, report=Report(Console(quiet=True)))
    torch.set_num_threads(threads)
    vocabulary = run.system.vocabulary
    model = Speech2TextForConditionalGeneration(
        Speech2TextConfig(
            vocab_size=vocabulary.size,
            encoder_layers=ENCODER_LAYERS,
            decoder_layers=DECODER_LAYERS,
            encoder_attention_heads=HEADS,
            decoder_attention_heads=HEADS,
            encoder_ffn_dim=FEEDFORWARD,
            decoder_ffn_dim=FEEDFORWARD,
            d_model=CHANNELS,
            conv_channels=CHANNELS,
            input_feat_per_channel=80,
            max_source_positions=6000,
            max_target_positions=512,
            dropout=0.1,
            decoder_start_token_id=vocabulary.start_tokens[-1],
        )
    ).train()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    frames, spent = 0, 0.0
    for indices in plan_of(config, run.train_set, epoch=0):
        batch = run.train_set.batch(indices)
        inputs, targets, lengths = with_start_and_end(
            batch.tokens, batch.token_lengths, start_tokens=vocabulary.start_tokens, end_token=vocabulary.end_token
        )
        valid = torch.arange(targets.shape[1]) < lengths[:, None]
        heard = torch.arange(batch.features.shape[1]) < batch.feature_lengths[:, None]
        began = time.monotonic()
        found: Any = model(
            input_features=batch.features,
            attention_mask=heard.long(),
            decoder_input_ids=inputs,
            labels=targets.masked_fill(~valid, -100),
        )
        found.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        spent += time.monotonic() - began
        frames += int(batch.feature_lengths.sum())
        if spent > seconds:
            break
    return frames / spent, sum(parameter.numel() for parameter in model.parameters())


def together(manifest: str, folder: Path, *, minutes: float) -> float:
    """Train in two processes of one thread each."""
    config = experiment(manifest, folder, minutes=minutes, threads=1)
    write_config(folder / "bench.yaml", config)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "asr_s2s", "train"]
    command += [str(folder / "bench.yaml"), "--output", str(folder / "two")]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    return frames_per_second(folder / "two")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {options.threads} threads")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = experiment(options.manifest, folder, minutes=options.seconds / 60, threads=options.threads)
        first = ours(config, folder / "first")
        peer, weights = theirs(config, folder / "theirs", seconds=options.seconds, threads=options.threads)
        second = ours(config, folder / "second")
        print(f"asr_s2s       {first:8,.0f} and {second:,.0f} frames a second")
        print(f"Speech2Text   {peer:8,.0f} frames a second, {weights / 1e6:.2f} million weights")
        print(f"ratio         {(first + second) / 2 / peer:8.2f}")
        last = [one for one in read_history(folder / "second" / "history.jsonl") if one["event"] == "evaluation"][-1]
        print(f"padding {last['padding']:.1%}, waiting for data {last['idle']:.1%}")
        if options.threads == 1:
            two = together(options.manifest, folder, minutes=options.seconds / 60)
            print(f"two processes {two:8,.0f} frames a second, {two / first:.2f} times one")


if __name__ == "__main__":
    main()
