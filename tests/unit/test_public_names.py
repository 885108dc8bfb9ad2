import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import asr_s2s

pytestmark = pytest.mark.unit


def test_the_public_names_are_these() -> None:
    assert asr_s2s.__all__ == [
        "AsrError",
        "Comparison",
        "DecodeOptions",
        "ErrorRate",
        "Recognizer",
        "Report",
        "Segment",
        "Transcript",
        "Utterance",
        "Word",
        "compare",
        "load",
        "read_manifest",
        "score",
        "write_manifest",
    ]
    assert all(getattr(asr_s2s, name) for name in asr_s2s.__all__)


def test_the_examples_of_the_public_names_do_what_they_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    names = {name: getattr(asr_s2s, name) for name in asr_s2s.__all__}
    for name, value in names.items():
        assert value.__doc__, name
        for example in finder.find(value, name, module=False, globs=dict(names)):
            runner.run(example)
    assert runner.tries >= 10
    assert runner.failures == 0


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'transcribe_everything'"):
        _ = asr_s2s.transcribe_everything


@pytest.mark.parametrize("use", ["asr_s2s.score(['a b'], ['a c'])", "asr_s2s.load('commands')"])
def test_scoring_and_loading_a_model_load_no_torch_and_change_nothing_of_the_process(use: str) -> None:
    code = (
        "import os, sys, asr_s2s; before = dict(os.environ); "
        f"{use}; print('torch' in sys.modules, set(os.environ) - set(before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout in ("False set()\n", "False {'ORT_DISABLE_TELEMETRY'}\n")
