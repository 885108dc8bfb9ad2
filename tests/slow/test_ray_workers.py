"""Many machines: a cluster gives what one process gives, in order, though a worker is killed on the way."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from asr_s2s import load, read_manifest
from asr_s2s.errors import AudioError
from asr_s2s.recognizer.on_ray import RayWorkers
from asr_s2s.recognizer.workers import CHUNK
from asr_s2s.transcripts import Transcript

pytestmark = pytest.mark.slow

REPO = Path(__file__).parents[2]
sys.path.insert(0, str(REPO / "tools"))


def said(result: Transcript | AudioError) -> str:
    return result.text if isinstance(result, Transcript) else f"error: {result}"


def test_a_cluster_that_loses_a_worker_gives_the_same_texts_in_order(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="pip install -e '.[ray]'")
    from ray_workers import worker_processes

    recordings = read_manifest(REPO / "tests" / "data" / "manifest.jsonl")
    broken = replace(recordings[0], audio_path=tmp_path / "missing.wav")
    several = [recordings[number % len(recordings)] for number in range(3 * CHUNK)]
    several[CHUNK] = broken
    clips = [replace(one, id=f"{number}-{one.id}") for number, one in enumerate(several)]
    alone = [said(result) for _, result in load("commands").transcribe_many(clips)]
    found, killed = [], False
    try:
        for source, result in RayWorkers(2, "commands").transcribe_many(clips):
            found.append((source.name, said(result)))
            if not killed:
                os.kill(worker_processes()[0], signal.SIGKILL)
                killed = True
    finally:
        ray.shutdown()
    assert [name for name, _ in found] == [clip.id for clip in clips]
    assert [text for _, text in found] == alone
    assert "missing.wav" in alone[CHUNK]
