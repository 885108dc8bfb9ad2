"""What happens when a loss or a gradient is no number any more: the run stops, and keeps what it happened on."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors.torch import save_file

from asr_s2s.errors import AsrError, listed
from asr_s2s.manifest import write_manifest
from asr_s2s.training.progress import described
from asr_s2s.training.run import Run, Share, TrainingBatch


def check_finite(run: Run, share: Share, losses: Mapping[str, float], *, norm: float) -> None:
    """Stop before a broken gradient reaches the weights; the last checkpoint is as good as it was.

    Raises AsrError that names the step's utterances, after saving them for inspection.
    """
    sound = all(math.isfinite(value) for value in losses.values())
    if sound and (math.isfinite(norm) or run.scaler_may_shrink):
        return
    found = run.processes.gathered([identity for batch, _ in share.batches for identity in batch.ids])
    utterances = [identity for names in found for identity in names]
    folder = _saved(run, share.batches)
    advice = ", or use training.precision=float32" if run.state.precision != "float32" else ""
    raise AsrError(
        f"step {run.state.step + 1}, epoch {run.state.epoch + 1}: not a finite number: {described(losses)}, "
        f"gradient norm {norm:.3g}. The step held {len(utterances)} utterances: {listed(utterances, limit=8)}. "
        f"Listen to them and check their texts: {folder} holds their manifest and what the model was given. "
        f"If they are sound, halve training.learning_rate or lower training.clip{advice}."
    )


def _saved(run: Run, batches: Sequence[TrainingBatch]) -> Path:
    """Write this process's part of the step: a manifest, and the batches as they went into the model."""
    folder = run.folder / "not_finite"
    folder.mkdir(exist_ok=True)
    name = f"step-{run.state.step + 1:08d}" + (f"-process-{run.processes.rank}" if run.processes.rank else "")
    identities = {identity for batch, _ in batches for identity in batch.ids}
    write_manifest(folder / f"{name}.jsonl", [one for one in run.train_set.utterances if one.id in identities])
    tensors = {
        f"{number}.{part}": getattr(batch, part).cpu().contiguous()
        for number, (batch, _) in enumerate(batches)
        for part in ("features", "feature_lengths", "tokens", "token_lengths")
    }
    save_file(tensors, folder / f"{name}.safetensors")
    return folder
