import math

import numpy as np
import pytest
import torch
from search_scripted import END, START, A, B, ScriptedDecoder, ScriptedModel, encodings, prolongs_a_loop, searching

from asr_s2s.decoding import SearchConfig
from asr_s2s.search import Flag, Hypothesis
from asr_s2s.search.flags import FlagThresholds, mean_probability, with_flags
from asr_s2s.search.loops import LoopGuard, loop_repeats

pytestmark = pytest.mark.unit

THRESHOLDS = FlagThresholds(loop_repeats=4, min_confidence=0.4, max_no_speech=0.6)


def hypothesis(**changes) -> Hypothesis:
    given = {"tokens": (5, 6, 7), "score": -0.3, "token_log_probs": (-0.1,) * 3, "ended": True, "end_log_prob": 0.0}
    return Hypothesis(**(given | changes))


def flags_of(no_speech: float | None = None, **changes) -> tuple[Flag, ...]:
    return with_flags(hypothesis(**changes), THRESHOLDS, no_speech=no_speech).flags


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("set white at b nine now", 0),
        ("nine nine nine now", 0),
        ("go go go go go go ", 6),
        ("aaaaaaa", 0),  # seven letters: shorter than the shortest loop
        ("aaaaaaaa", 8),
        ("yes thank you. thank you. thank you. thank you.", 4),
        ("abcabcabcab", 0),  # three and two thirds
        ("abcabcabcabcab", 14 / 3),
    ],
)
def test_a_loop_is_an_n_gram_standing_often_in_a_row(text: str, repeats: float) -> None:
    assert loop_repeats([ord(letter) for letter in text], least=4) == pytest.approx(repeats)


def test_a_sound_hypothesis_has_no_flags() -> None:
    assert flags_of() == ()


def test_each_flag_carries_its_measured_value() -> None:
    assert flags_of(tokens=(1, 2) * 5) == (Flag("loop", 5.0),)
    assert flags_of(ended=False, end_log_prob=None) == (Flag("truncated", 3.0),)
    (flag,) = flags_of(token_log_probs=(-1.0, -2.0, -3.0), end_log_prob=-2.0)
    assert flag.name == "low_confidence"
    assert flag.value == pytest.approx(math.exp(-2.0))


def test_silence_is_flagged_where_the_model_doubts_its_text_too() -> None:
    unsure = {"token_log_probs": (-2.0, -2.0, -2.0), "end_log_prob": -2.0}
    assert flags_of(no_speech=0.7) == ()
    assert [flag.name for flag in flags_of(no_speech=0.5, **unsure)] == ["low_confidence"]
    assert flags_of(no_speech=0.7, **unsure)[-1] == Flag("no_speech", 0.7)


def test_confidence_counts_the_end_token() -> None:
    assert mean_probability(hypothesis(tokens=(), token_log_probs=(), end_log_prob=-1.0)) == pytest.approx(math.exp(-1))


def looping(*, beam: int, forbid: bool, repeats: int = 4) -> Hypothesis:
    """Decode with a model that says A B A B ... for ever and would rather end than anything else."""
    decoder = ScriptedDecoder()
    decoder.table[:] = -9.0
    decoder.table[..., END] = -3.0
    decoder.table[START, START, A] = decoder.table[START, A, B] = decoder.table[B, A, B] = decoder.table[A, B, A] = 9.0
    encoder_out, lengths = encodings(20)
    config = SearchConfig(beam=beam, forbid_loops=forbid, loop_repeats=repeats, max_tokens_per_frame=1.0)
    return searching(config, ScriptedModel(decoder))(0 * encoder_out, lengths)[0]


def test_a_loop_runs_to_the_length_bound_and_is_flagged() -> None:
    found = looping(beam=1, forbid=False)
    assert len(found.tokens) == 30
    assert [flag.name for flag in found.flags] == ["loop", "truncated"]


@pytest.mark.parametrize("repeats", [4, 5])
@pytest.mark.parametrize("beam", [1, 3])
def test_the_guard_ends_a_loop_after_the_repeats_allowed_and_the_flag_stays(beam: int, repeats: int) -> None:
    found = looping(beam=beam, forbid=True, repeats=repeats)
    if beam == 1:
        assert found.tokens == (A, B) * repeats
        assert Flag("loop", repeats) in found.flags
    assert found.ended
    assert loop_repeats(found.tokens, least=repeats + 1) == 0


@pytest.mark.parametrize("beam", [1, 2])
def test_the_threshold_of_the_configuration_decides_what_is_flagged(beam: int) -> None:
    flagged = []
    for least in (0.0, 1.0):
        config = SearchConfig(beam=beam, min_confidence=least)
        found = searching(config, ScriptedModel(ScriptedDecoder()))(*encodings(30))[0]
        flagged.append([flag.name for flag in found.flags])
    assert flagged == [[], ["low_confidence"]]


def test_the_guard_and_the_flag_see_the_same_loops() -> None:
    """Walk through random sequences: what the guard forbids is exactly what makes a standing loop longer."""
    generator = torch.Generator().manual_seed(0)
    intervened = 0
    for least in (2, 3, 4):
        for _ in range(20):
            guard = LoopGuard.start(1, repeats=least)
            tokens: list[int] = []
            for _ in range(40):
                forbidden = guard.penalties(3)[0, 0] < 0
                for token in range(3):
                    assert bool(forbidden[token]) == prolongs_a_loop(tokens, token, least=least)
                intervened += int(forbidden.sum())
                # repeat an earlier cycle often, so that there are loops
                step = int(torch.randint(1, 4, (), generator=generator))
                fresh = int(torch.randint(0, 3, (), generator=generator))
                token = tokens[-step] if len(tokens) >= step and torch.rand((), generator=generator) < 0.8 else fresh
                tokens.append(token)
                guard = guard.advance(np.zeros((1, 1), int), np.array([[token]]))
    assert intervened > 100


def test_the_guard_follows_hypotheses_through_the_beam() -> None:
    guard = LoopGuard.start(2, repeats=2)
    first = np.zeros((2, 2), int)
    guard = guard.advance(first, np.array([[0, 1], [1, 1]]))
    for token in (0, 1) * 4:  # slot 1 of the first utterance says 1 0 1 0 ..., the others something else
        beams = np.array([[0, 1], [0, 1]])
        guard = guard.advance(beams, np.array([[2 + token, token], [4, 5]]))
    swapped = guard.advance(np.array([[1, 0], [0, 1]]), np.array([[2, 2], [2, 2]]))
    assert swapped.history[0, 0, 1:4].tolist() == [1, 0, 1]
    assert swapped.history[0, 1, 1:4].tolist() == [3, 2, 3]
    assert guard.penalties(6)[0, 1].tolist() == [-math.inf, 0, 0, 0, 0, 0]
    assert guard.keep(np.array([1])).history.tolist() == guard.history[1:].tolist()
