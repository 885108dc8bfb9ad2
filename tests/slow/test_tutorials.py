"""The tutorials, block by block: the first as it is, those that train with few recordings."""

import subprocess
import sys
from pathlib import Path

import pytest
from documents import QUICK, ROOT, TUTORIALS, blocks, printed_by

from asr_s2s.manifest import read_manifest, write_manifest

pytestmark = [pytest.mark.slow, pytest.mark.long]

DATA = ROOT / "data"
AS_THEY_ARE = ("interviews",)  # no training: the outputs are compared
NUM_UTTERANCES = {"train": 30, "eval": 6}
PRELUDE = f"""
set -e
asr-s2s() {{
    case "$1" in train) set -- "$@" {" ".join(QUICK)} training.average=1 --threads 1 ;; esac
    "{sys.executable}" -m asr_s2s "$@"
}}
"""


def few(folder: Path) -> None:
    """Give the folder the first recordings of each set."""
    for manifest in DATA.glob("*/*/manifest.jsonl"):
        utterances = read_manifest(manifest)[: NUM_UTTERANCES.get(manifest.parent.name, 6)]
        target = folder / manifest.relative_to(DATA)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_manifest(target, utterances)


@pytest.mark.skipif(not (DATA / "commonvoice").exists(), reason="the corpora of recipes/ are not in data/")
@pytest.mark.parametrize("document", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_from_its_first_block_to_its_last(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("conf", "tests"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    if document.stem in AS_THEY_ARE:
        (tmp_path / "data").symlink_to(DATA)
    else:
        few(tmp_path / "data")
    names: dict[str, object] = {}
    for block in blocks(document):
        if block.language == "python":
            said = printed_by(block, names)
        else:
            done = subprocess.run(
                ["bash", "-c", PRELUDE + block.code], capture_output=True, text=True, check=False, timeout=1000
            )
            assert done.returncode == 0, block.code + done.stdout + done.stderr
            said = done.stderr + done.stdout
        if document.stem in AS_THEY_ARE:
            assert block.output in said, block.code + said
