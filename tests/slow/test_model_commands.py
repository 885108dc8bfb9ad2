"""asr-s2s model on the shipped model: what a user does to make a model smaller, or quicker."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from padded import padded_system

import asr_s2s
from asr_s2s.model_store.directory import save_model
from asr_s2s.model_store.merge import merge_silence

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
SPOKEN = "LJ001-0076"


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "asr_s2s", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)


def padded_model(folder: Path) -> Path:
    save_model(folder / "padded", padded_system(), card="# Padded\n")
    return folder / "padded"


def size(model: Path) -> int:
    return sum(path.stat().st_size for path in model.iterdir())


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model with few byte pairs, those first with which it transcribes a recording."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "text.txt").write_text(asr_s2s.load("en").transcribe(DATA / f"{SPOKEN}.ogg").text)
    done = command(
        "model",
        "prune-vocabulary",
        "en",
        folder / "pruned",
        "--text",
        folder / "text.txt",
        "--size",
        1000,
        "--no-graph",
    )
    assert done.returncode == 0, done.stderr
    assert "1004 tokens" in done.stderr
    return folder / "pruned"


def test_a_text_of_kept_byte_pairs_is_recognised_as_before(pruned: Path) -> None:
    audio = DATA / f"{SPOKEN}.ogg"
    before, after = (asr_s2s.load(model).transcribe(audio).text for model in ("en", pruned))
    words = re.findall(r"\w+", before)  # commas may move: the probabilities of pieces that are gone go elsewhere
    assert re.findall(r"\w+", after) == words
    assert len(words) > 10


def test_an_exported_model_is_smaller_has_the_card_given_and_hears_the_same(pruned: Path, tmp_path: Path) -> None:
    (tmp_path / "card.md").write_text("# Mine\n")
    done = command("model", "export", pruned, tmp_path / "out", "--storage", "int8", "--card", tmp_path / "card.md")
    assert done.returncode == 0, done.stderr
    assert size(tmp_path / "out") < 0.6 * size(pruned)
    assert (tmp_path / "out" / "README.md").read_text() == "# Mine\n"
    audio = DATA / f"{SPOKEN}.ogg"
    assert asr_s2s.load(tmp_path / "out").transcribe(audio).text == asr_s2s.load(pruned).transcribe(audio).text


def test_no_model_is_written_into_a_run_unasked(tmp_path: Path) -> None:
    (tmp_path / "run" / "checkpoints" / "step-00000005").mkdir(parents=True)
    done = command("model", "export", "commands", tmp_path / "run")
    assert done.returncode == 2
    assert "run: holds a training run. Name another folder, or add --overwrite." in done.stderr
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["checkpoints"]


def test_a_character_model_and_an_impossible_size_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("bin blue at f two now")
    for model, size, words in (("commands", "1000", "Only byte pairs"), ("en", "100", "from 256 to")):
        done = command(
            "model", "prune-vocabulary", model, tmp_path / "out", "--text", tmp_path / "text.txt", "--size", size
        )
        assert done.returncode == 2
        assert words in done.stderr.replace("\n", " ")
        assert not (tmp_path / "out").exists()


def test_merged_silence_changes_no_words_and_few_of_the_frames(tmp_path: Path) -> None:
    done = command("model", "merge-silence", padded_model(tmp_path), tmp_path / "merged")
    assert done.returncode == 0, done.stderr
    padded, merged = (asr_s2s.load(tmp_path / name, precision="float32") for name in ("padded", "merged"))
    assert "96 frames stand for the silence" in (tmp_path / "merged" / "README.md").read_text()
    for name in (f"{SPOKEN}.ogg", "arctic_a0015_1592748256.ogg", "common_voice_en_37266650.ogg"):
        texts = [re.findall(r"[\w']+", model.transcribe(DATA / name).text.lower()) for model in (padded, merged)]
        assert texts[0] == texts[1]
    encoding = merged.model.engine.encode([np.zeros(32_000, np.float32)])
    assert encoding.lengths.tolist() == [100 + 50 + 96]


def test_silence_is_merged_once_and_only_where_there_is_a_window(tmp_path: Path) -> None:
    merge_silence(padded_model(tmp_path), tmp_path / "merged", frames=10, tail_seconds=0.5)
    for model in (tmp_path / "merged", "commands"):
        done = command("model", "merge-silence", model, tmp_path / "out")
        assert done.returncode == 2
        assert "pads nothing, so there is no silence to merge" in done.stderr.replace("\n", " ")
        assert not (tmp_path / "out").exists()
