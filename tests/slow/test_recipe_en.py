"""The recipe of the shipped model, from manifests to a model directory, in a minute."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from padded import padded_system

import asr_s2s
from asr_s2s.manifest import read_manifest, write_manifest
from asr_s2s.model_store.directory import save_model

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
OPEN_SPEECH = ("LJ001-0076", "arctic_a0015_1592748256", "arctic_b0342_1592531332")


def recipe(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, ROOT / "recipes" / "en" / "run.py", folder / "padded", "--work", folder / "work",
        "--sets", folder / "sets.jsonl", "--more", folder / "more.jsonl", "--noise", folder / "noise.jsonl",
        "--text", folder / "text.txt", "--size", 2000, "--config", ROOT / "conf" / "adapt_length.yaml",
        "--pieces", 6, "--joined", 2, "--sounds", 8, "--noises", 2, "--pauses", 2,
        "--dev-utterances", 1, *arguments,
        "training.minutes=null", "training.epochs=2", "training.learning_rate=1e-5", "training.threads=1",
    ]  # fmt: skip
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    save_model(folder / "padded", padded_system(), card="# padded\n")
    recordings = {item.id: item for item in read_manifest(DATA / "manifest.jsonl")}
    spoken = [recordings[name] for name in OPEN_SPEECH]
    texts = "\n".join(item.text or "" for item in spoken)
    write_manifest(folder / "sets.jsonl", spoken)
    write_manifest(folder / "more.jsonl", [replace(recordings["common_voice_en_37266650"], text=None)])
    for item in ("noise", "rooms"):
        given = read_manifest(DATA / f"{item}.jsonl")
        with (folder / f"{item}.jsonl").open("w") as file:
            for one in given:
                kind = "noise" if item == "noise" else "rir"
                line = {"id": one.id, "audio_filepath": str(one.audio_path), "kind": kind, "license": "CC0-1.0"}
                file.write(json.dumps(line) + "\n")
    both = (folder / "noise.jsonl").read_text() + (folder / "rooms.jsonl").read_text()
    (folder / "noise.jsonl").write_text(both)
    (folder / "text.txt").write_text(texts)
    return folder


def test_the_recipe_goes_from_manifests_to_a_model_and_does_nothing_twice(folder: Path) -> None:
    done = recipe(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    work = folder / "work"
    train = read_manifest(work / "material" / "train.jsonl")
    kinds = {name: sum(item.id.startswith(name) for item in train) for name in ("piece", "joined", "sound", "noise")}
    assert (kinds["joined"], kinds["sound"], kinds["noise"]) == (2, 8, 2)
    assert all(item.text == "" for item in train if item.id.startswith(("sound", "noise", "pause")))
    (unlabelled,) = [item for item in train if item.id == "common_voice_en_37266650"]
    assert unlabelled.text
    aurora = asr_s2s.load(work / "model").transcribe(DATA / "arctic_a0015_1592748256.ogg").text
    assert aurora.lower().strip(".") == "it's the aurora borealis"
    history = (work / "adapted" / "history.jsonl").read_text()
    again = recipe(folder)
    assert again.returncode == 0, again.stderr
    assert "+ train" not in again.stdout
    assert (work / "adapted" / "history.jsonl").read_text() == history


def test_a_clip_that_serves_for_measuring_stops_the_recipe(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "exclude.txt").write_text("LJ001-0076\n")
    done = recipe(folder, "--work", tmp_path / "work", "--exclude", tmp_path / "exclude.txt")
    assert done.returncode != 0
    assert "LJ001-0076" in done.stderr
    assert not (tmp_path / "work" / "material" / "train.jsonl").exists()
