"""The shipped model of many languages: it detects them, takes those that are given, and translates."""

from pathlib import Path

import numpy as np
import pytest

from asr_s2s.audio import read_audio
from asr_s2s.errors import AudioError
from asr_s2s.manifest import Utterance
from asr_s2s.recognizer import DecodeOptions, Recognizer, load
from asr_s2s.scoring import character_errors
from asr_s2s.transcripts import Transcript

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
GERMAN, ENGLISH = DATA / "de_rhasspy-0200.ogg", DATA / "LJ001-0076.ogg"
SAID = "Die Gäste setzen sich zudem stark für die Weiterbildung der Erwachsenen ein."


@pytest.fixture(scope="module")
def multi() -> Recognizer:
    return load("multi", runtime="onnx", precision="float32")


def wrong_characters(transcript: Transcript) -> float:
    """Return the share of the German sentence's characters that are wrong, whatever their case."""
    return character_errors([SAID.lower()], [transcript.text.lower()]).rate or 0.0


def test_each_recording_is_transcribed_in_the_language_that_is_detected(multi: Recognizer) -> None:
    found = [result for _, result in multi.transcribe_many([GERMAN, ENGLISH])]
    assert [one.language for one in found if isinstance(one, Transcript)] == ["de", "en"]
    german, english = (multi.transcribe(path) for path in (GERMAN, ENGLISH))
    assert found == [german, english], "alone as among others"
    assert wrong_characters(german) < 0.1
    assert german.language_probability is not None
    assert german.language_probability > 0.9
    assert {segment.language for segment in english.segments} == {"en"}
    assert german.words[1].word == "Gäste"
    assert [word.start for word in german.words] == sorted(word.start for word in german.words)


def test_a_given_language_gives_the_text_of_the_detected_one_and_no_probability(multi: Recognizer) -> None:
    given = multi.transcribe(GERMAN, options=DecodeOptions(language="German"))
    assert given.text == multi.transcribe(GERMAN).text
    assert (given.language, given.language_probability) == ("de", None)


def test_a_recording_has_one_language_or_each_piece_its_own(multi: Recognizer) -> None:
    german, english = read_audio(GERMAN), read_audio(ENGLISH)
    both = np.concatenate([german, np.zeros(48_000, np.float32), english, np.zeros(48_000, np.float32), german])
    once = multi.transcribe(both, sample_rate=16_000)
    assert len(once.segments) == 3
    assert len({segment.language for segment in once.segments}) == 1
    each = multi.transcribe(both, sample_rate=16_000, options=DecodeOptions(language="each"))
    assert [segment.language for segment in each.segments] == ["de", "en", "de"]


def test_where_the_language_is_in_doubt_the_text_decides(multi: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [multi.transcribe(path) for path in (GERMAN, ENGLISH)]
    monkeypatch.setattr("asr_s2s.recognizer.languages.SURE", 2.0)
    assert [result for _, result in multi.transcribe_many([GERMAN, ENGLISH])] == expected


def test_a_line_of_a_manifest_may_say_its_language(multi: Recognizer) -> None:
    lines = [Utterance("a", GERMAN, language="de-AT"), Utterance("b", ENGLISH), Utterance("c", GERMAN, language="xx")]
    a, b, c = (result for _, result in multi.transcribe_many(lines, options=DecodeOptions(language="manifest")))
    assert isinstance(a, Transcript)
    assert isinstance(b, Transcript)
    assert (a.language, a.language_probability, b.language) == ("de", None, "en")
    assert isinstance(c, AudioError)
    assert "unknown language 'xx'" in str(c)


def test_a_translation_is_english_and_has_times_of_segments_alone(multi: Recognizer) -> None:
    found = multi.transcribe(GERMAN, options=DecodeOptions(task="translate"))
    assert "guests" in found.text.lower()
    assert (found.language, found.words, found.time_source) == ("de", (), None)
    assert found.segments[0].end > 3


def test_what_was_said_before_guides_the_spelling(multi: Recognizer) -> None:
    prompted = multi.transcribe(GERMAN, options=DecodeOptions(prompt="Die Guests sind da."))
    assert "Guests" in prompted.text
    assert prompted.language == "de"


def test_torch_detects_what_onnx_detects(multi: Recognizer) -> None:
    in_torch = load("multi", runtime="torch", device="cpu", precision="float32", beam=1)
    for path in (GERMAN, ENGLISH):
        expected, found = multi.transcribe(path), in_torch.transcribe(path)
        assert found.language == expected.language
        assert found.language_probability == pytest.approx(expected.language_probability, abs=1e-3)
