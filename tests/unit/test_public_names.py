import subprocess
import sys

import pytest

import asr_s2s

pytestmark = pytest.mark.unit


def test_the_public_names_are_these() -> None:
    assert asr_s2s.__all__ == [
        "AsrError",
        "Comparison",
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


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'transcribe_everything'"):
        _ = asr_s2s.transcribe_everything


def test_scoring_from_python_loads_no_torch() -> None:
    code = "import sys, asr_s2s; asr_s2s.score(['a b'], ['a c']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
