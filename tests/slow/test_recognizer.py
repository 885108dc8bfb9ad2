"""The recogniser with a real model: what a search that fails leaves, and when words were said."""

import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from asr_s2s.audio import read_audio
from asr_s2s.engine import Encoding, Engine
from asr_s2s.errors import AsrError, AudioError
from asr_s2s.manifest import read_manifest
from asr_s2s.recognizer import AudioSource, DecodeOptions, Recognizer, TranscriptionProgress, load
from asr_s2s.scoring import character_errors, word_errors
from asr_s2s.search import Flag, Hypothesis, Search, build_search
from asr_s2s.transcripts import Transcript

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
AURORA = DATA / "arctic_a0015_1592748256.ogg"
LOOP = Hypothesis((5, 5, 5, 5), -1.0, (-0.1,) * 4, ended=True, flags=(Flag("loop", 4.0),))


def searching(monkeypatch: pytest.MonkeyPatch, *changes: Callable[[Search], Any]) -> None:
    """Change the first search of the next recogniser, and the second."""
    waiting = list(changes)

    def build(*arguments: Any, **options: Any) -> Any:
        search = build_search(*arguments, **options)
        return waiting.pop(0)(search) if waiting else search

    monkeypatch.setattr("asr_s2s.recognizer.piece_search.build_search", build)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return load("en")


def test_a_search_that_ran_in_circles_is_done_again_and_what_was_wrong_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = load("en")
    expected = recognizer.transcribe(AURORA)
    assert not expected.segments[0].repaired
    searching(monkeypatch, lambda _: lambda encoding: [LOOP] * len(encoding))
    again = load("en").transcribe(AURORA)
    assert "aurora" in again.text.lower()
    assert all(segment.repaired == {"loop": 4.0} for segment in again.segments)
    assert again.flags == {}


def test_the_first_text_stays_where_the_second_search_fails_too(monkeypatch: pytest.MonkeyPatch) -> None:
    searching(monkeypatch, *2 * [lambda _: lambda encoding: [LOOP] * len(encoding)])
    (segment,) = load("en").transcribe(AURORA).segments
    assert (segment.flags["loop"], segment.repaired) == (4.0, {})
    assert segment.flags["low_coverage"] > 1.0  # seconds: what loops tells of nothing that was said


def long_question() -> NDArray[np.float32]:
    """Three sentences of two readers, with pauses of half a second."""
    pause = np.zeros(8_000, np.float32)
    clips = [read_audio(DATA / name) for name in ("LJ001-0076.ogg", "arctic_b0342_1592531332.ogg", AURORA.name)]
    return np.concatenate([part for clip in clips for part in (clip, pause)])


def test_sentences_that_a_search_left_out_are_found_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = load("en")
    samples = long_question()
    whole = recognizer.transcribe(samples, sample_rate=16_000)

    def forgetful(search: Search) -> Callable[[Encoding], list[Hypothesis]]:
        """Leave all after the first half of the tokens out."""
        return lambda encoding: [
            replace(
                each,
                tokens=each.tokens[: len(each.tokens) // 2],
                token_log_probs=each.token_log_probs[: len(each.tokens) // 2],
            )
            for each in search(encoding)
        ]

    searching(monkeypatch, forgetful)
    found = load("en").transcribe(samples, sample_rate=16_000)
    assert word_errors([whole.text.lower()], [found.text.lower()]).rate < 0.2
    assert found.segments[0].repaired == {}
    assert all(segment.repaired["low_coverage"] > 1.0 for segment in found.segments[1:])
    assert "low_coverage" not in found.flags


def test_speech_that_stays_without_words_is_flagged_with_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Hypothesis((), -9.0, (), ended=True, end_log_prob=-9.0)
    searching(monkeypatch, *2 * [lambda _: lambda encoding: [nothing] * len(encoding)])
    samples = long_question()
    found = load("en").transcribe(samples, sample_rate=16_000)
    assert found.text == ""
    assert 0.6 < found.flags["low_coverage"] / found.duration < 1.0


@pytest.mark.parametrize("find_speech", [True, False])
def test_a_sentence_after_a_pause_is_recognised_with_the_detector_and_without(find_speech: bool) -> None:
    found = load("en", find_speech=find_speech).transcribe(long_question(), sample_rate=16_000)
    assert "aurora" in found.text.lower()
    assert found.flags == {}


def test_word_times_are_those_of_the_corpus(recognizer: Recognizer) -> None:
    errors = []
    for clip in read_manifest(DATA / "manifest.jsonl"):
        if clip.words:
            found = {word.word.strip(".,").lower(): word for word in recognizer.transcribe(clip.audio_path).words}
            for word in clip.words:
                if word.word in found:
                    errors += [found[word.word].start - word.start, found[word.word].end - word.end]
    assert len(errors) >= 12
    assert np.median(np.abs(errors)) < 0.1


class Unaligned:
    """An engine whose attention is no alignment."""

    aligns = False

    def __init__(self, engine: Engine[Any]) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def test_a_model_with_ctc_and_no_alignment_of_its_own_takes_its_times_from_ctc() -> None:
    ready = load("commands").model
    assert ready.time_source == "attention"
    recognizer = Recognizer(replace(ready, engine=Unaligned(ready.engine)))
    errors = []
    for clip in read_manifest(DATA / "manifest.jsonl"):
        if clip.words:
            found = recognizer.transcribe(clip.audio_path)
            assert found.time_source == "ctc"
            pairs = zip(found.words, clip.words, strict=True)
            errors += [abs(word.start - truth.start) for word, truth in pairs]
    assert np.median(errors) < 0.2


def test_pieces_of_a_file_give_times_in_the_file(recognizer: Recognizer) -> None:
    whole = recognizer.transcribe(DATA / "LJ001-0076.ogg")
    ((_, part),) = recognizer.transcribe_many([AudioSource("part", DATA / "LJ001-0076.ogg", offset=2.0)])
    assert isinstance(part, Transcript)
    last, same = whole.words[-1], part.words[-1]
    assert last.word == same.word
    assert abs(last.start - same.start) < 0.15
    assert all(word.start >= 2.0 for word in part.words)


def test_nothing_is_invented_where_nobody_speaks_even_without_the_detector() -> None:
    recognizer = load("en", find_speech=False)
    seconds = np.arange(16_000 * 6) / 16_000
    random = np.random.default_rng(0)
    sounds = [
        random.normal(0, 0.05, len(seconds)),
        0.3 * np.sin(2 * np.pi * 440 * seconds),
        0.2 * np.sign(np.sin(2 * np.pi * 50 * seconds)) + random.normal(0, 0.01, len(seconds)),
        read_audio(DATA / "noise.flac"),
    ]
    for sound in sounds:
        assert recognizer.transcribe(sound.astype(np.float32), sample_rate=16_000).text == ""


def test_segments_come_one_by_one_and_are_those_of_the_transcript(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("asr_s2s.recognizer.recognizer.FIRST_GROUP_SECONDS", 4.0)
    clip, pause = read_audio(AURORA), np.zeros(16_000 * 3, np.float32)
    samples = np.concatenate([clip, pause, clip, pause, clip])
    stream = recognizer.segments(samples, sample_rate=16_000)
    first = next(stream)
    assert first == recognizer.transcribe(samples, sample_rate=16_000).segments[0]
    assert [segment.start > first.end for segment in stream] == [True, True]
    (tmp_path / "cut.ogg").write_bytes(AURORA.read_bytes()[:4000])
    with pytest.raises(AudioError, match=r"cut\.ogg"):
        list(recognizer.segments(tmp_path / "cut.ogg"))


def test_progress_brings_each_segment_once_in_the_order_of_time(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr_s2s.recognizer.recognizer.FIRST_GROUP_SECONDS", 4.0)
    clip, pause = read_audio(AURORA), np.zeros(16_000 * 3, np.float32)
    long = AudioSource("long", samples=np.concatenate([clip, pause, clip, pause, clip]))
    reports: list[TranscriptionProgress] = []
    done = list(recognizer.transcribe_many([AURORA, long], on_progress=reports.append))
    for source, transcript in done:
        assert isinstance(transcript, Transcript)
        of_source = [each for each in reports if each.source.name == source.name]
        assert [segment for each in of_source for segment in each.segments] == list(transcript.segments)
        assert [each.seconds for each in of_source] == sorted({each.seconds for each in of_source})
        assert of_source[-1].seconds == transcript.segments[-1].end
        assert of_source[-1].duration == pytest.approx(transcript.duration, abs=0.01)
    assert len([each for each in reports if each.source is long]) > 1


def test_two_threads_may_use_one_recogniser(recognizer: Recognizer) -> None:
    files = [item.audio_path for item in read_manifest(DATA / "manifest.jsonl")] * 3
    alone = [recognizer.transcribe(file) for file in files]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(recognizer.transcribe, files)) == alone


def test_a_long_recording_in_silence_keeps_every_utterance_at_its_time(recognizer: Recognizer) -> None:
    clip = read_audio(AURORA)
    samples = np.random.default_rng(0).normal(0, 3e-4, 16_000 * 300).astype(np.float32)
    starts = (3, 110, 239, 290)
    for start in starts:
        samples[start * 16_000 : start * 16_000 + len(clip)] += clip
    found = recognizer.transcribe(samples, sample_rate=16_000)
    words = [word for word in found.words if "aurora" in word.word.lower()]
    assert [word.start - start for word, start in zip(words, starts, strict=True)] == pytest.approx(
        [words[0].start - starts[0]] * len(starts), abs=0.2
    )
    assert found.duration == 300.0


def test_nothing_is_heard_in_less_than_a_frame() -> None:
    (segment,) = (
        load("commands", find_speech=False).transcribe(np.full(100, 0.1, np.float32), sample_rate=16_000).segments
    )
    assert (segment.text, segment.words) == ("", ())


def test_the_model_of_characters_spells_what_it_hears() -> None:
    recognizer = load("en-char")
    names = ("arctic_a0015_1592748256", "arctic_b0342_1592531332", "LJ001-0076", "common_voice_en_37266650")
    clips = [clip for clip in read_manifest(DATA / "manifest.jsonl") if clip.id in names]
    found = [recognizer.transcribe(clip.audio_path).text for clip in clips]
    assert character_errors([clip.text or "" for clip in clips], found).rate < 0.15  # 0.04 when it was made


def test_one_bad_item_never_ends_the_others() -> None:
    clip = DATA / "lbby5a.ogg"
    bad = [None, "nowhere.wav", 5, "a\0b", np.zeros((3, 3, 3)), b"", io.BytesIO(b"no sound"), np.array(["a"])]
    given = [one for each in bad for one in (each, clip)]
    found = [result for _, result in load("commands").transcribe_many(given)]
    assert [isinstance(result, AudioError) for result in found] == [True, False] * len(bad)
    assert {result.text for result in found[1::2]} == {"lay blue by y five again"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"beam": 0}, "beam: Input should be greater than or equal to 1"),
        ({"beam": 10**5000}, "beam: Input should be less than or equal to 100"),
        ({"beam": "5"}, "beam: Input should be a valid integer"),
        ({"device": "cuda"}, "device 'cuda': this machine has no such devices"),
        ({"device": None}, "unknown device 'None'"),
        ({"precision": "int4"}, "precision: Input should be 'auto'"),
        ({"hotwords": "abc"}, "hotwords: is one text, not a list of words. Give ['one', 'two'] (got 'abc')"),
        ({"hotwords": [5]}, "hotwords.0: Input should be a valid string"),
        ({"hotwords": ["a" * 5000]}, "has 5,000 characters"),
        ({"find_speech": "no"}, "find_speech: Input should be a valid boolean"),
        ({"language_model": "nowhere"}, "nowhere: is neither"),
        ({"model": None}, "None: is neither a shipped model"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_value_that_cannot_be_is_an_error_of_ours(options: dict[str, Any], said: str) -> None:
    if options.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(AsrError) as error:
        load(**{"model": "commands"} | options)
    assert said in str(error.value)


def test_options_are_checked_where_they_are_made_and_where_they_are_used(recognizer: Recognizer) -> None:
    with pytest.raises(AsrError, match="beams: unknown key, did you mean 'beam'"):
        DecodeOptions(beams=3)  # type: ignore[call-arg]
    options: Any = {"beam": 1}
    with pytest.raises(AsrError, match=r"Give asr_s2s\.DecodeOptions"):
        recognizer.transcribe(AURORA, options=options)


def test_a_forked_process_transcribes_too() -> None:
    code = f"""
import asr_s2s, multiprocessing, torch
torch.set_num_threads(2)
model = asr_s2s.load("commands")
def recognised(path):
    return model.transcribe(path).text
first = model.transcribe({str(AURORA)!r}).text
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.apply_async(recognised, ({str(AURORA)!r},)).get(100) == first)
"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.stdout == "True\n", done.stderr


def test_results_come_as_they_are_done_where_their_order_does_not_matter(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr_s2s.recognizer.batcher.BATCH_SECONDS", 4.0)
    word, sentence, other = (str(DATA / name) for name in ("0_jackson_18.ogg", "LJ001-0076.ogg", "9_george_9.ogg"))
    names = [source.name for source, _ in recognizer.transcribe_many([word, sentence, other], in_order=False)]
    assert names == [word, other, sentence]  # the words are one batch
    names = [source.name for source, _ in recognizer.transcribe_many([word, sentence, other])]
    assert names == [word, sentence, other]


@pytest.mark.parametrize(("bonus", "slope"), [(-1000.0, 1000.0), (5.0, 1000.0)])
def test_the_strangest_settings_that_a_model_may_have_still_give_a_transcript(bonus: float, slope: float) -> None:
    odd = {"length_bonus": bonus, "confidence_slope": slope, "confidence_offset": -1000.0, "beam": 1}
    recognizer = Recognizer(load("commands").model.with_search(**odd))
    transcript = recognizer.transcribe(DATA / "lbby5a.ogg")
    assert (transcript.text == "") == (bonus < 0)
    assert all(0 <= (word.probability or 0.0) <= 1 for word in transcript.words)
