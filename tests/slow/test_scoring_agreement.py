"""Counts and alignments against other scorers, on ten thousand random pairs and on what three systems made of speech.

sclite and sc_stats: Debian's sctk 2.4.12; kaldialign 0.12; jiwer 4.0; meeteval 0.4.3, where it is installed.
"""

import json
import random
import re
import subprocess
from itertools import combinations
from pathlib import Path

import jiwer
import kaldialign
import numpy as np
import pytest
from debian import program, sclite

from asr_s2s.scoring import ErrorRate, align, compare, count_errors, system_names
from asr_s2s.scoring.bootstrap import rate_interval
from asr_s2s.scoring.sclite_costs import sclite_edits
from asr_s2s.text.normalizers import normalizer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SYSTEMS = ROOT / "tests" / "data" / "scoring" / "systems"
NAMES = ("en-beam1", "en-beam5", "tiny.en")
TIES_SETTLED_OTHERWISE = 521  # by kaldialign, of the ten thousand random pairs; none of the real ones
LETTERS = {"correct": "C", "substitution": "S", "deletion": "D", "insertion": "I"}
Words = list[str]


def random_pairs() -> list[tuple[Words, Words]]:
    """Draw short sentences over few words, so that many alignments compete."""
    generator = random.Random(7)  # noqa: S311 - texts, not secrets
    return [
        (
            generator.choices("abcdef", k=generator.randint(1, 14)),
            generator.choices("abcdef", k=generator.randint(0, 14)),
        )
        for _ in range(10_000)
    ]


def real_pairs() -> list[tuple[Words, Words]]:
    plain = normalizer("whisper-english").apply
    references = texts("reference", "text")
    return [
        (plain(references[key]).split(), plain(heard).split())
        for name in NAMES
        for key, heard in texts(name, "pred_text").items()
    ]


def texts(name: str, field: str) -> dict[str, str]:
    lines = (SYSTEMS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return {line["id"]: line[field] for line in map(json.loads, lines)}


@pytest.fixture(params=[random_pairs, real_pairs], ids=["random", "real"])
def pairs(request: pytest.FixtureRequest) -> list[tuple[Words, Words]]:
    return request.param()


def sclite_alignments(
    folder: Path, pairs: list[tuple[Words, Words]], title: str = "one"
) -> list[list[tuple[str, str, str]]]:
    """Give sclite's alignments as (C, S, D or I; reference; hypothesis), and leave them in <title>.sgml."""
    printed = sclite(folder, *zip(*pairs, strict=True), title, "-o", "sgml", "stdout", "-s", "-e", "utf-8")
    (folder / f"{title}.sgml").write_text(printed, encoding="utf-8")
    found = {}
    for number, path in re.findall(r'<PATH id="\(s(\d+)-1\)"[^>]*>\n(.*?)\n?</PATH>', printed, re.DOTALL):
        found[int(number)] = [
            (kind, reference.strip('"'), hypothesis.strip('"'))
            for kind, reference, hypothesis in (step.split(",") for step in path.split(":") if step)
        ]
    return [found[number] for number in range(len(pairs))]


def test_sclites_costs_give_sclites_alignments(tmp_path: Path, pairs: list[tuple[Words, Words]]) -> None:
    theirs = sclite_alignments(tmp_path, pairs)
    for (reference, hypothesis), other in zip(pairs, theirs, strict=True):
        steps = align(reference, hypothesis, edits=sclite_edits)
        assert [(LETTERS[step.kind], step.reference or "", step.hypothesis or "") for step in steps] == other


def weighted(rate: ErrorRate) -> int:
    return 4 * rate.substitutions + 3 * rate.deletions + 3 * rate.insertions


def test_sclites_costs_are_as_cheap_as_kaldialigns(pairs: list[tuple[Words, Words]]) -> None:
    """Of several cheapest alignments kaldialign may choose one with other counts, sclite's and ours never do."""
    differing = 0
    for reference, hypothesis in pairs:
        theirs = kaldialign.edit_distance(reference, hypothesis, sclite_mode=True)
        other = ErrorRate(theirs["sub"], theirs["del"], theirs["ins"], len(reference))
        ours = count_errors(reference, hypothesis, edits=sclite_edits)
        assert weighted(ours) == weighted(other)
        differing += ours != other
    assert differing == (0 if len(pairs) < 10_000 else TIES_SETTLED_OTHERWISE)


def test_unit_costs_give_the_totals_of_jiwer(pairs: list[tuple[Words, Words]]) -> None:
    for reference, hypothesis in pairs:
        theirs = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
        ours = count_errors(reference, hypothesis)
        assert ours.errors == theirs.substitutions + theirs.deletions + theirs.insertions
        measures = (ours.match_error_rate, ours.information_lost, ours.information_preserved)
        assert measures == pytest.approx((theirs.mer, theirs.wil, theirs.wip))


def test_unit_costs_give_the_totals_of_meeteval(pairs: list[tuple[Words, Words]]) -> None:
    meeteval = pytest.importorskip(
        "meeteval", reason="pip install 'asr-s2s[meetings]', which needs a C++ compiler and a minute"
    )
    for reference, hypothesis in pairs:
        theirs = meeteval.wer.siso_word_error_rate(" ".join(reference), " ".join(hypothesis))
        assert count_errors(reference, hypothesis).errors == theirs.errors


def sc_stats(folder: Path, content: str, option: str, report: str) -> str:
    command = [program("sc_stats", package="sctk"), "-p", "-t", "mapsswe", option, "-n", "out"]
    subprocess.run(command, input=content, capture_output=True, text=True, check=True, cwd=folder)
    return (folder / f"out.stats.{report}").read_text()


def test_mapsswe_finds_the_segments_and_the_p_of_sc_stats(tmp_path: Path) -> None:
    paths = [SYSTEMS / f"{name}.jsonl" for name in NAMES]
    systems = dict(zip(system_names(paths), paths, strict=True))
    result = compare(SYSTEMS / "reference.jsonl", systems, normalizer="whisper-english", costs="sclite")
    pairs = real_pairs()
    size = len(pairs) // len(NAMES)
    for at, name in enumerate(NAMES):
        sclite_alignments(tmp_path, pairs[at * size : (at + 1) * size], name)
    for difference, (first, second) in zip(result.differences, combinations(NAMES, 2), strict=True):
        assert (difference.first, difference.second) == (first, second)
        content = "".join((tmp_path / f"{name}.sgml").read_text(encoding="utf-8") for name in (first, second))
        details = sc_stats(tmp_path, content, "-v", "mapsswe")
        assert int(re.search(r"Number of Segments\s+(\d+)", details)[1]) == difference.num_segments
        unified = sc_stats(tmp_path, content, "-u", "unified")
        p = re.search(r"\|\s+MP\s+\|\|.*?\s(<?\d?\.\d+)", unified)[1]
        # sc_stats looks its normal distribution up in a table of three digits
        assert difference.p_mapsswe == pytest.approx(float(p.lstrip("<")), abs=0.004)


def test_the_interval_is_kaldialigns() -> None:
    pairs = real_pairs()[: len(texts("reference", "text"))]
    theirs = kaldialign.bootstrap_wer_ci(*map(list, zip(*pairs, strict=True)), seed=1)
    rates = [count_errors(*pair) for pair in pairs]
    errors, lengths = np.array([rate.errors for rate in rates]), np.array([rate.reference_length for rate in rates])
    ours = rate_interval(errors, lengths, by="utterance")
    assert ours is not None
    # both draw at random: 0.4 points is four times the error of such quantiles
    assert ours.low == pytest.approx(theirs["wer"] - theirs["ci95"], abs=0.004)
    assert ours.high == pytest.approx(theirs["wer"] + theirs["ci95"], abs=0.004)
