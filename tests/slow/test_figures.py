"""The shipped `commands` have the error rates on the held-out sets that recipes/commands/README.md states."""

import re
from pathlib import Path

import pytest

from asr_s2s.manifest import read_manifest
from asr_s2s.recognizer import load
from asr_s2s.scoring import word_errors
from asr_s2s.transcripts import Transcript

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PLACES = (ROOT / "data", ROOT.parent / "shared" / "data")  # the sets are no part of the repository
STATED = re.compile(
    r"WER ([\d.]+) % on 100 held-out commands \(([\d.]+) with `--no-vad`\), and ([\d.]+) % on 299 held-out digits"
)


@pytest.mark.parametrize(
    ("name", "find_speech", "place"), [("grid", True, 1), ("grid", False, 2), ("digits", True, 3), ("digits", False, 3)]
)
def test_the_shipped_commands_have_the_error_rate_that_its_recipe_states(
    name: str, find_speech: bool, place: int
) -> None:
    found = STATED.search((ROOT / "recipes" / "commands" / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    data = next((folder for folder in PLACES if (folder / name).is_dir()), None)
    if data is None:
        pytest.skip(f"the set {name} is neither in data/ nor beside the checkout")
    clips = read_manifest(data / name / "eval" / "manifest.jsonl")
    recognizer = load("commands", find_speech=find_speech, precision="float32")
    results = [result for _, result in recognizer.transcribe_many(clips)]
    texts = [result.text if isinstance(result, Transcript) else "" for result in results]
    rate = word_errors([clip.text or "" for clip in clips], texts).rate
    assert rate is not None
    assert f"{100 * rate:.2f}" == found[place]
