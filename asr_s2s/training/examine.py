"""Recordings looked at before the first step: every header of what is trained on, all sound of what judges it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from asr_s2s.data import seconds_by_decoding, seconds_by_headers
from asr_s2s.data.config import AugmentConfig
from asr_s2s.errors import AudioError, ManifestError, counted
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.training.experiment import ExperimentConfig
from asr_s2s.training.material import TRAIN, UNUSED, Material

SHOWN = 100  # faults; what else is wrong with so many has one cause


def examined(config: ExperimentConfig, material: Material) -> Material:
    """Find what cannot be read, and plan by the durations that are stated, or else by those of the headers.

    A training recording that cannot be read stays in the plan, so that epochs are the same whenever that is found; one
    whose duration nobody knows is not planned.
    Raises ManifestError that lists every recording to evaluate on, and every noise, that cannot be read.
    """
    judging = [*material.dev, *material.test, *material.general, *_noises(config.data.augment)]
    found = seconds_by_decoding(judging)
    if faults := [str(one) for one in found if isinstance(one, AudioError)]:
        raise ManifestError(
            f"{counted(len(faults), 'recording')} to evaluate on or to mix in cannot be read. Copy them again, or take "
            f"them out of their manifests, and give the same command:\n{_lines(faults)}"
        )
    headers = seconds_by_headers(material.train)
    broken = {
        one.id: str(header)
        for one, header in zip(material.train, headers, strict=True)
        if isinstance(header, AudioError)
    }
    if len(broken) == len(material.train):
        raise ManifestError(f"No recording to train on can be read:\n{_lines(list(broken.values()))}")
    if material.seconds:  # the run goes on by the plan that it was started with
        return replace(material, unreadable=broken)
    return _planned(config, replace(material, unreadable=broken), headers)


def _planned(config: ExperimentConfig, material: Material, headers: Sequence[float | AudioError]) -> Material:
    """Divide what is trained on from what cannot be planned, or is too long."""
    longest = config.data.max_seconds or float("inf")
    train, seconds, unused, too_long = [], [], [], 0
    for one, header in zip(material.train, headers, strict=True):
        length = one.duration if isinstance(header, AudioError) else header
        if length is not None and length <= longest:
            train.append(one)
            seconds.append(length)
        else:
            unused.append(one)
            too_long += length is not None
    if not train:
        raise ManifestError(f"All {len(material.train)} utterances are longer than data.max_seconds ({longest:g}).")
    sets = material.sets | {TRAIN: train, UNUSED: [*material.sets[UNUSED], *unused]}
    return replace(material, sets=sets, seconds=seconds, too_long=too_long)


def _noises(augment: AugmentConfig) -> list[Utterance]:
    manifests = dict.fromkeys(part.manifest for part in (augment.noise, augment.rooms) if part)
    return [one for path in manifests for one in read_manifest(Path(path))]


def _lines(faults: list[str]) -> str:
    rest = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
    return "\n".join([*faults[:SHOWN], *rest])
