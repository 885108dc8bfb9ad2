"""Groups, flags, word classes, keywords: the errors counted again by what they have in common."""

import json
import re
from pathlib import Path

import pytest
import sacrebleu

from asr_s2s.errors import ScoringError
from asr_s2s.scoring import ErrorRate, Report, score, to_json, to_text
from asr_s2s.scoring.ranking import Ranking

pytestmark = pytest.mark.unit

LINES = [
    {"id": "a", "text": "one two", "pred_text": "one", "duration": 0.5, "speaker": "x", "flags": {"truncated": 1.0}},
    {"id": "b", "text": "six", "pred_text": "six six six", "duration": 3.0, "flags": {"loop": 3.0, "no_speech": 0.9}},
    {"id": "c", "text": "ten four", "pred_text": "ten four", "duration": 30, "speaker": "x", "snr": 12.5},
]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "both.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def groups(report: Report, at: int = 0) -> dict[str, ErrorRate]:
    return {group.value: group.normalised.words for group in report.groupings[at].groups}


def test_several_fields_are_grouped_by_at_once(manifest: Path) -> None:
    report = score(manifest, group_by=["speaker", "duration"])
    assert groups(report) == {"": ErrorRate(0, 0, 2, 1), "x": ErrorRate(0, 1, 0, 4)}
    assert groups(report, 1) == {
        "under 1 s": ErrorRate(0, 1, 0, 2),
        "2 to 5 s": ErrorRate(0, 0, 2, 1),
        "from 30 s": ErrorRate(0, 0, 0, 2),
    }


def test_speed_is_words_a_second_of_the_reference(manifest: Path) -> None:
    assert list(groups(score(manifest, group_by="speed"))) == ["under 1 words/s", "from 4 words/s"]


def test_signal_to_noise_ratios_are_put_into_buckets_where_they_are_known(manifest: Path) -> None:
    assert list(groups(score(manifest, group_by="snr"))) == ["", "10 to 15 dB"]


def test_numbers_are_ordered_by_size(tmp_path: Path) -> None:
    path = tmp_path / "both.jsonl"
    lines = [{"id": value, "text": "a", "pred_text": "a", "room": value} for value in ("10", "9", "hall", "")]
    path.write_text("".join(json.dumps({**line, "id": f"u{at}"}) + "\n" for at, line in enumerate(lines)))
    assert list(groups(score(path, group_by="room"))) == ["", "9", "10", "hall"]


def test_flags_become_groups_with_their_share_of_the_errors(manifest: Path) -> None:
    report = score(manifest)
    assert report.flags is not None
    assert {group.value: group.normalised.words.errors for group in report.flags.groups} == {
        "loop": 2,
        "no_speech": 2,
        "truncated": 1,
        "(none)": 0,
    }
    assert re.search(r"flags of utterances +WER raw", to_text(report))
    assert re.search(r"truncated +50\.00 % +50\.00 %", to_text(report))
    assert "33.3 %" in to_text(report)


def test_without_flags_there_is_no_table_of_them() -> None:
    assert score(["one"], ["two"]).flags is None


def test_word_classes_sum_to_all_errors() -> None:
    references = ["We met Anna in Paris.", "Then Anna bought 3 apples.", "He saw anna"]
    hypotheses = ["We met and in Paris", "Then a bought 4 apples too", "He Anna"]
    report = score(references, hypotheses)
    classes = {each.name: each.words for each in report.word_classes}
    assert classes["names"] == ErrorRate(2, 0, 0, 4)
    assert classes["numbers"] == ErrorRate(1, 0, 0, 1)
    assert sum(classes.values(), ErrorRate()) == report.normalised.words


def test_headlines_and_capitals_tell_of_no_names() -> None:
    report = score(["THE CAT SAT ON THE MAT", "A DOG"], ["the cat sat on the mat", "a dog"])
    assert "names" not in {each.name for each in report.word_classes}


def test_keywords_are_counted_in_each_utterance_after_normalising() -> None:
    references = ["New York and new york", "a new york minute", "old York"]
    hypotheses = ["new york and newark", "a New York New York minute", "old york"]
    report = score(references, hypotheses, keywords=["New York", "York", "absent"])
    counts = {each.keyword: (each.said, each.recognised, each.hits) for each in report.keywords}
    assert counts == {"New York": (3, 3, 2), "York": (4, 4, 3), "absent": (0, 0, 0)}
    assert [each.recall for each in report.keywords] == [2 / 3, 3 / 4, None]
    assert json.loads(to_json(report))["keywords"][0]["precision"] == 2 / 3
    assert "all" in to_text(report)


def test_keywords_come_from_a_file_and_empty_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "keywords.txt"
    path.write_text("# cities\nNew York\n\n")
    assert [each.keyword for each in score(["new york"], ["york"], keywords=path).keywords] == ["New York"]
    path.write_text("...\n")
    with pytest.raises(ScoringError, match=r"keyword '\.\.\.' has no words after normalising"):
        score(["a"], ["a"], keywords=path)
    with pytest.raises(ScoringError, match=r"nowhere\.txt: cannot be read"):
        score(["a"], ["a"], keywords=tmp_path / "nowhere.txt")


def test_bleu_and_chrf_are_sacrebleus() -> None:
    references, hypotheses = ["The cat sat on the mat.", "A dog barked."], ["The cat sat on a mat.", "A dog barks."]
    found = score(references, hypotheses, bleu=True).translation
    assert found is not None
    assert found.bleu == sacrebleu.corpus_bleu(hypotheses, [references]).score
    assert found.chrf == sacrebleu.corpus_chrf(hypotheses, [references]).score
    assert found.signatures[0].startswith("BLEU nrefs:1|case:mixed")


def test_cpwer_matches_speakers_of_any_name(tmp_path: Path) -> None:
    pytest.importorskip("meeteval", reason="pip install 'asr-s2s[meetings]', which needs a C++ compiler and a minute")
    reference, hypothesis = tmp_path / "ref.stm", tmp_path / "hyp.stm"
    reference.write_text("r 1 anna 0 2 one two\nr 1 bob 1 3 three four\n")
    hypothesis.write_text("r 1 s1 0 2 three for\nr 1 s2 1 3 One two\n")
    report = score(reference, hypothesis, cpwer=True)
    assert report.speakers == ErrorRate(1, 0, 0, 4)
    assert "cpWER  normalised   25.00 %" in to_text(report)
    with pytest.raises(ScoringError, match=r"cpWER needs speakers\. Give two files of stm or SegLST"):
        score(["a"], ["b"], cpwer=True)


def test_cpwer_counts_sessions_whatever_their_channels_and_those_that_are_missing(tmp_path: Path) -> None:
    pytest.importorskip("meeteval", reason="pip install 'asr-s2s[meetings]', which needs a C++ compiler and a minute")
    reference, hypothesis = tmp_path / "ref.stm", tmp_path / "hyp.stm"
    reference.write_text("m1 1 A 0 2 hello world\nm1 2 B 1 3 good morning all\nm2 1 A 0 1 yes\n")
    hypothesis.write_text("m1 0 x 0 2 good morning all\nm1 0 y 1 3 hello word\nm3 0 x 0 1 no\n")
    report = score(reference, hypothesis, cpwer=True)
    assert report.speakers == ErrorRate(1, 1, 0, 6)  # meeteval 0.4: 1 error of 5 words in m1
    assert (report.pairing.missing, report.pairing.extra) == (("m2",), ("m3",))
    assert score(reference, hypothesis, cpwer=True, missing="skip").speakers == ErrorRate(1, 0, 0, 5)
    (tmp_path / "ref.json").write_text('[{"session_id": "m", "words": "a"}]')
    with pytest.raises(ScoringError, match="cpWER needs speakers, and m at 0 s has none"):
        score(tmp_path / "ref.json", tmp_path / "ref.json", cpwer=True)


def test_a_report_names_whose_vowel_signs_a_rule_removed(tmp_path: Path) -> None:
    references = {"u1": "नमस्ते दुनिया", "u2": "hello [हँसी] ❤\ufe0f", "u3": "café"}
    hypotheses = {"u1": "नमस्ते दुनीया", "u2": "hello", "u3": "cafe"}
    assert score(references, hypotheses).stripped == {}
    (tmp_path / "rules.yaml").write_text("rules:\n  - remove: '[^\\w\\s]'\n")
    whose = {"whisper-basic": ("u1",), "whisper-english": ("u1", "u3"), str(tmp_path / "rules.yaml"): ("u1", "u2")}
    for normalizer, ids in whose.items():
        report = score(references, hypotheses, normalizer=normalizer)
        assert list(report.stripped.values()) == [ids]
        assert f"Vowel signs or accents removed by the normalizer's rule '{next(iter(report.stripped))}'" in to_text(
            report
        )
    assert json.loads(to_json(report))["stripped"] == {r"remove [^\w\s]": ["u1", "u2"]}


def test_a_ranking_lets_the_rarest_go_and_says_by_how_much_it_is_short() -> None:
    ranking: Ranking[int] = Ranking(most=10)
    for start in range(0, 1000, 5):
        ranking.update([*range(start, start + 5), -1])
        assert len(ranking.counts) <= 10
    assert 200 - ranking.short_by <= ranking.counts[-1] <= 200
    assert ranking.short_by > 0
