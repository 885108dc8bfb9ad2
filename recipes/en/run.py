"""From a Whisper checkpoint and manifests to a small model that hears each utterance as long as it is.

usage: run.py CHECKPOINT [--work runs/en] --sets MANIFEST... [--more MANIFEST...] [--noise MANIFEST] [--text TEXT]
              [--exclude LIST] [--config conf/adapt_length.yaml] [KEY=VALUE...]

CHECKPOINT  a Hugging Face folder or OpenAI's .pt, or a model directory that was imported already
--sets      training sets with texts, and --more without; licences that forbid a use of yours have no place among them
--noise     noises and impulse responses to mix in training and to write nothing for; none under a share-alike licence
--text      a large text to choose byte pairs by (text.py); without it the vocabulary stays whole
--exclude   names of clips that serve for measuring: none may be among the sets

What is there is not done again, and a training that was cut off goes on: give the same command once more.
The model is WORK/model, the training run with its pictures WORK/adapted.
"""

import argparse
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import material
from hear import hear

from asr_s2s.errors import AsrError
from asr_s2s.manifest import read_manifest, write_manifest


def main() -> None:
    arguments = parse()
    work: Path = arguments.work
    imported = work / "imported"
    if (arguments.checkpoint / "config.yaml").exists():
        imported = arguments.checkpoint
    elif not imported.exists():
        asr_s2s("model", "import-whisper", arguments.checkpoint, imported, "--storage", "float32", "--no-graph")
    quick, teacher, learner = work / "quick", work / "teacher", work / "learner"
    merge_silence(imported, quick, frames=96, tail_seconds=1.0)
    merge_silence(imported, teacher, frames=384, tail_seconds=1.0)
    merge_silence(imported, learner, frames=arguments.silence, tail_seconds=0.5)
    here = work / "material"
    noise = here / "noise.jsonl"
    if arguments.noise and not noise.exists():
        here.mkdir(parents=True, exist_ok=True)
        write_manifest(noise, [item for item in read_manifest(arguments.noise) if "-SA-" not in item.extra["license"]])
    if not (here / "clips.jsonl").exists():
        amounts = material.Amounts(**{field.name: getattr(arguments, field.name) for field in fields(material.Amounts)})
        noises = [item for item in read_manifest(noise) if item.extra["kind"] == "noise"] if arguments.noise else []
        sets = [*arguments.sets, *arguments.more]
        material.gather(sets, noises, exclude=arguments.exclude, output=here, amounts=amounts)
    if not (here / "heard.jsonl").exists():
        hear(quick, here / "ask.jsonl", output=here / "heard.jsonl")
    if not (here / "train.jsonl").exists():
        material.choose(here / "clips.jsonl", here / "heard.jsonl", output=here)
    if not (work / "adapted" / "result.json").exists():
        resume = ["--resume"] if (work / "adapted").exists() else []
        asr_s2s(
            "train", arguments.config, "--from", learner, "--output", work / "adapted", *resume,
            "training.graphs=false",
            f"data.train={here / 'train.jsonl'}", f"data.dev={here / 'dev.jsonl'}",
            f"losses.distillation.teacher={teacher}", f"losses.distillation.cache={work / 'said'}",
            *(
                [f"data.augment.noise.manifest={noise}", f"data.augment.rooms.manifest={noise}"]
                if arguments.noise
                else ["data.augment.noise=null", "data.augment.rooms=null"]
            ),
            *arguments.overrides,
        )  # fmt: skip
    pruned = work / "adapted"
    if arguments.text is not None:  # after training: before it, the model would have to learn to spell anew
        pruned = work / "pruned"
        asr_s2s(
            "model", "prune-vocabulary", work / "adapted", pruned, "--overwrite",
            "--text", arguments.text, "--size", arguments.size, "--storage", "float32", "--no-graph",
        )  # fmt: skip
    asr_s2s("model", "export", pruned, work / "model", "--storage", "compact", "--overwrite")


def merge_silence(model: Path, target: Path, *, frames: int, tail_seconds: float) -> None:
    """Make a model that hears each utterance as long as it is, with some frames for the rest of its window."""
    if not target.exists():
        asr_s2s(
            "model", "merge-silence", model, target,
            "--frames", frames, "--tail-seconds", tail_seconds, "--storage", "float32", "--no-graph",
        )  # fmt: skip


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("overrides", nargs="*", help="dotted.key=value, merged into the configuration")
    parser.add_argument("--work", type=Path, default=Path("runs") / "en")
    parser.add_argument("--sets", type=Path, nargs="+", required=True)
    parser.add_argument("--more", type=Path, nargs="*", default=[])
    parser.add_argument("--noise", type=Path)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--size", type=int, default=37_500, help="byte pairs to keep")
    parser.add_argument("--silence", type=int, default=48, help="frames that stand for the silence of the window")
    parser.add_argument("--exclude", type=Path)
    parser.add_argument("--config", type=Path, default=Path("conf") / "adapt_length.yaml")
    for field in fields(material.Amounts):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=int, default=field.default)
    return parser.parse_intermixed_args()


def asr_s2s(*arguments: object) -> None:
    """Run the command that users have."""
    command = [sys.executable, "-m", "asr_s2s", *map(str, arguments)]
    print("+", *command[2:], flush=True)
    status = subprocess.run(command, check=False).returncode
    if status != 0:
        raise SystemExit(status)


if __name__ == "__main__":
    try:
        main()
    except AsrError as error:
        raise SystemExit(str(error)) from error
