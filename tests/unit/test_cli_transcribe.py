"""A manifest of which some lines cannot be used: the others are transcribed and written."""

import json
from pathlib import Path

import pytest

from asr_s2s.cli import run
from asr_s2s.manifest import read_manifest

pytestmark = pytest.mark.unit

CLIP = Path(__file__).parents[1] / "data" / "lbby5a.ogg"


def test_lines_that_cannot_be_used_cost_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = [
        '{"audio_filepath": "a.wav", "duration": 1e400}',
        '{"audio_filepath": "a.wav", "duration": ' + "9" * 400 + "}",
        '{"audio_filepath": "a.wav", "x": NaN}',
        "no json",
        json.dumps({"audio_filepath": "n/" * 3000 + "x.wav", "id": "long"}),
        json.dumps({"audio_filepath": str(CLIP), "offset": 1e9, "id": "late"}),
        json.dumps({"audio_filepath": str(CLIP), "offset": 1e15, "id": "later"}),
        json.dumps({"audio_filepath": str(CLIP), "duration": 1e15, "id": "longer"}),
        json.dumps({"audio_filepath": "a\0b.wav"}),
        json.dumps({"audio_filepath": "missing.wav", "text": "t" * 1_000_000}),
    ]
    good = json.dumps({"audio_filepath": str(CLIP), "id": "good", "kept": [1, {"a": "ü"}]})
    (tmp_path / "in.jsonl").write_text("\n".join([*odd, good]) + "\n", encoding="utf-8")
    command = ["transcribe", "--manifest", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out.jsonl")]
    assert run([*command, "--model", "commands"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(odd) + 1
    assert all(len(line) < 3000 for line in said)
    found = {one.id: one for one in read_manifest(tmp_path / "out.jsonl")}
    assert {name for name, one in found.items() if one.pred_text is not None} == {"good"}
    assert set(found) == {"long", "late", "later", "longer", "missing", "good"}
    assert (found["good"].pred_text, found["good"].extra["kept"]) == ("lay blue by y five again", [1, {"a": "ü"}])
