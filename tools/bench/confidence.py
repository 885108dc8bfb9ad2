"""Whether a word's confidence is how probable it is that the word is right: calibration error, bins, a diagram.

usage: confidence.py MANIFEST... [--model en] [--output confidence.json] [--plot confidence.png]

Of the words that are recognised in all manifests together; 10 bins of equal width (Guo et al. 2017). What the model's
own search section says is used; compare with a model whose confidence_slope is 1 and confidence_offset is 0.
"""

import argparse
from pathlib import Path

import torch
from record import record

from asr_s2s.manifest import read_manifest
from asr_s2s.recognizer import load
from asr_s2s.scoring.calibration import Bin, calibration_error, judged_words, reliability
from asr_s2s.transcripts import Transcript


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--model", default="en")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recognizer = load(arguments.model)
    confidences: list[float] = []
    right: list[bool] = []
    rows = []
    for manifest in arguments.manifests:
        clips = [clip for clip in read_manifest(manifest) if clip.text]
        found = [result for _, result in recognizer.transcribe_many(clips)]
        if failed := [str(result) for result in found if not isinstance(result, Transcript)]:
            raise SystemExit("\n".join(failed))
        own, own_right = judged_words((clip.text or "", result) for clip, result in zip(clips, found, strict=True))
        rows.append(row(str(manifest), own, own_right))
        confidences, right = confidences + own, right + own_right
    rows.append(row("all", confidences, right))
    bins = reliability(confidences, right)
    for each in bins:
        print(f"  {each.count:6} words of confidence {each.confidence:.3f}: {each.right:.3f} right")
    if arguments.output:
        report = {"model": arguments.model, "rows": rows, "bins": [bin_row(each) for each in bins]}
        record(arguments.output, report)
    if arguments.plot:
        draw(bins, arguments.plot)


def row(name: str, confidences: list[float], right: list[bool]) -> dict[str, object]:
    error = calibration_error(reliability(confidences, right))
    found = {"set": name, "words": len(right), "right": sum(right) / len(right), "calibration_error": error}
    print(f"{name}: {len(right)} words, {found['right']:.1%} right, expected calibration error {error:.3f}", flush=True)
    return found


def bin_row(each: Bin) -> dict[str, float]:
    return {"words": each.count, "confidence": each.confidence, "right": each.right}


def draw(bins: list[Bin], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfect")
    axes.plot([each.confidence for each in bins], [each.right for each in bins], marker="o", label="measured")
    for each in bins:
        axes.annotate(
            str(each.count), (each.confidence, each.right), textcoords="offset points", xytext=(6, -10), size=7
        )
    axes.set(xlabel="confidence of a word", ylabel="share of such words that is right", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
