"""Flags of segments, and intervals of groups."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asr_s2s.cli.transcribe_manifest import recognised
from asr_s2s.errors import ScoringError
from asr_s2s.manifest import Utterance
from asr_s2s.scoring import ErrorRate, Report, compare, score, to_csv, to_json, to_text
from asr_s2s.scoring.bootstrap import rate_interval
from asr_s2s.scoring.intervals import FEWEST
from asr_s2s.transcripts import FORMATS, Segment, Transcript

pytestmark = pytest.mark.unit

SYSTEMS = Path(__file__).parents[1] / "data" / "scoring" / "systems"
TRANSCRIPT = Transcript(
    (
        Segment(0.0, 1.0, "One, too three", flags={"low_coverage": 0.2}),
        Segment(1.0, 2.0, "five sex", flags={"loop": 3.0, "low_coverage": 0.1}),
        Segment(2.0, 3.0, "", flags={"no_speech": 0.9}),
        Segment(3.0, 4.0, "seven"),
    ),
    duration=4.0,
)
SAID = "one two three four five six seven"


def written(path: Path, lines: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def found(report: Report) -> dict[str, tuple[ErrorRate, int]]:
    return {each.flag: (each.words, each.segments) for each in report.flagged_segments}


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return written(tmp_path / "reference.jsonl", [{"id": "talk", "text": SAID}, {"id": "other", "text": "a b"}])


def test_errors_are_counted_in_the_segment_that_they_are_in(reference: Path, tmp_path: Path) -> None:
    line = recognised(Utterance("talk", Path("talk.wav")), TRANSCRIPT).extra
    other = {"id": "other", "pred_text": "a", "flags": {"loop": 3.0}}
    lines = [{"id": "talk", "pred_text": TRANSCRIPT.text, **line}, other]
    report = score(reference, written(tmp_path / "hypothesis.jsonl", lines))
    assert found(report) == {
        "loop": (ErrorRate(1, 1, 0, 2 + 2), 2),
        "low_coverage": (ErrorRate(2, 1, 0, 4 + 2), 2),  # 'four' belongs to the words before it
        "no_speech": (ErrorRate(0, 0, 0, 0), 1),
        "(none)": (ErrorRate(0, 0, 0, 1), 1),
    }
    assert "flags of segments" in to_text(report)
    assert json.loads(to_json(report))["flagged_segments"][0]["words"]["errors"] == 2


def test_a_transcript_in_json_is_scored_with_its_segments(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(FORMATS["json"].write(TRANSCRIPT))
    (tmp_path / "text").write_text(f"talk {SAID}\n")
    report = score(tmp_path / "text", path)
    assert report.normalised.words == ErrorRate(2, 1, 0, 7)
    assert found(report)["loop"] == (ErrorRate(1, 0, 0, 2), 1)


def test_an_object_that_is_no_transcript_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text('{\n"segments": 5\n}\n')
    (tmp_path / "text").write_text("talk one\n")
    with pytest.raises(ScoringError, match=r"neither a manifest .* nor a transcript .*--format json"):
        score(tmp_path / "text", path)


def test_segments_that_do_not_give_the_text_leave_the_utterance_whole(reference: Path, tmp_path: Path) -> None:
    segments = [{"text": "one two"}, {"text": "three five four six seven"}]
    line = {"id": "talk", "pred_text": SAID, "flags": {"loop": 3.0}, "segments": segments}
    assert not score(reference, written(tmp_path / "hypothesis.jsonl", [line])).flagged_segments


def test_a_new_search_replaces_the_segments_of_an_earlier_one() -> None:
    line = recognised(Utterance("talk", Path("talk.wav")), TRANSCRIPT)
    again = recognised(line, Transcript(TRANSCRIPT.segments[:1], duration=1.0))
    assert len(line.extra["segments"]) == 4
    assert "segments" not in again.extra


def test_a_group_has_the_interval_that_its_utterances_have_alone() -> None:
    report = score(SYSTEMS / "reference.jsonl", SYSTEMS / "en-beam5.jsonl", group_by="duration")
    lines = [json.loads(line) for line in (SYSTEMS / "reference.jsonl").read_text().splitlines()]
    long = np.array([line["duration"] >= 5 for line in lines])
    speakers = [line["speaker"] for line in lines]
    errors = {name: np.zeros(2, int) for name in np.array(speakers)[long]}
    for speaker, counts, inside in zip(speakers, report.counts.words, long, strict=True):
        if inside:
            errors[speaker] += [counts[:3].sum(), counts[3]]
    group = report.groupings[0].groups[-1]
    assert group.value == "5 to 10 s"
    assert group.interval == rate_interval(*np.array(list(errors.values())).T, by="speaker")
    assert f"{100 * group.interval.low:.2f} to {100 * group.interval.high:.2f}" in to_text(report)
    assert f"{group.interval.low},{group.interval.high}" in to_csv(report)
    compared = compare(
        SYSTEMS / "reference.jsonl",
        {name: SYSTEMS / f"{name}.jsonl" for name in ("en-beam5", "tiny.en")},
        group_by="duration",
    )
    assert compared.reports[0].groupings == report.groupings
    assert "95 % intervals: bootstrap by speaker, of 10 or more" in to_text(compared)


def test_a_small_group_has_no_interval(tmp_path: Path) -> None:
    rooms = ["small"] * (FEWEST - 1) + ["large"] * FEWEST
    lines = [{"id": str(at), "text": "a b", "pred_text": "a", "room": room} for at, room in enumerate(rooms)]
    large, small = score(written(tmp_path / "both.jsonl", lines), group_by="room").groupings[0].groups
    assert (large.value, small.value, small.interval) == ("large", "small", None)
    assert large.interval is not None
    assert large.interval.by == "utterance"


def test_lines_without_a_speaker_are_one_more_beside_the_speakers(tmp_path: Path) -> None:
    said = [("x", "a b c d", "a b c"), ("y", "a b c", "a b c"), ("x", "a b", "a c")]
    lines = [
        {"id": str(at), "text": text, "pred_text": heard, "speaker": name}
        for at, (name, text, heard) in enumerate(said)
    ]
    known = score(written(tmp_path / "known.jsonl", lines))
    assert known.intervals[-1] == rate_interval(np.array([2, 0]), np.array([6, 3]), by="speaker")
    nameless = [*lines, {"id": "n", "text": "a b", "pred_text": "a"}]
    some = score(written(tmp_path / "some.jsonl", nameless))
    assert some.intervals[-1] == rate_interval(np.array([2, 0, 1]), np.array([6, 3, 2]), by="speaker")
