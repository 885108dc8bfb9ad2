import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asr_s2s.audio import write_audio
from asr_s2s.manifest import read_manifest

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).parents[2] / "recipes" / "commands" / "prepare.py"


def published(folder: Path, *names: str) -> None:
    for name in names:
        samples = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
        write_audio(folder / name, samples, sample_rate=8000)


def prepare(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "grid", "fsdd", "data"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_names_are_spelt_out_and_the_authors_split_is_kept(tmp_path: Path) -> None:
    published(tmp_path / "grid" / "s1", "bbaf2n.wav", "swizzs.wav", "prac8p.wav")
    published(tmp_path / "fsdd" / "recordings", "0_jackson_0.wav", "9_theo_4.wav", "3_theo_5.wav")
    done = prepare(tmp_path)
    assert done.returncode == 0, done.stderr
    sets = {
        (name, part): read_manifest(tmp_path / "data" / name / part / "manifest.jsonl")
        for name in ("grid", "digits")
        for part in ("train", "eval")
    }
    spelt = {item.id: item.text for part in ("train", "eval") for item in sets["grid", part]}
    assert spelt == {
        "grid_s1-bbaf2n": "bin blue at f two now",
        "grid_s1-swizzs": "set white in z zero soon",
        "grid_s1-prac8p": "place red at c eight please",
    }
    assert [(item.text, item.speaker) for item in sets["digits", "eval"]] == [("zero", "jackson"), ("nine", "theo")]
    assert [(item.text, item.duration) for item in sets["digits", "train"]] == [("three", 1.0)]
    assert all(item.audio_path.exists() for items in sets.values() for item in items)


def test_a_name_that_spells_no_command_is_named(tmp_path: Path) -> None:
    published(tmp_path / "grid" / "s1", "bbaf2n.wav", "hello1.wav")
    done = prepare(tmp_path)
    assert done.returncode == 1
    assert "1 names spell no GRID command" in done.stderr
    assert "hello1.wav" in done.stderr


def test_an_empty_corpus_says_which_folder_is_wanted(tmp_path: Path) -> None:
    assert "holds GRID's speaker folders" in prepare(tmp_path).stderr
