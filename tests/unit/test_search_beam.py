import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from search_scripted import (
    BLANK,
    END,
    RULES,
    SIZE,
    START,
    A,
    B,
    ScriptedDecoder,
    ScriptedModel,
    all_sequences,
    encodings,
    prolongs_a_loop,
    searching,
    sequence_log_prob,
    sequence_log_probs,
)

from asr_s2s.decoding import SearchConfig
from asr_s2s.engine import TokenRules
from asr_s2s.errors import ConfigError
from asr_s2s.search import Hotwords
from asr_s2s.search.ranking import Ranking

pytestmark = pytest.mark.unit

LENGTHS = (3, 7, 5, 2, 9)
LONGEST = 4  # of exhaustive tests: 31 sequences over two letters
EXHAUSTIVE = {"beam": 64, "patience": 99.0, "max_tokens_per_frame": 1e-9, "length_margin": LONGEST - 1}


def ctc_log_prob(model, tokens, encoder_out, encoder_lengths) -> float:
    log_probs = model.ctc_log_probs(encoder_out)[0, : encoder_lengths[0]]
    target = torch.tensor(tokens, dtype=torch.long)
    loss = torch.nn.functional.ctc_loss(
        log_probs, target, encoder_lengths[:1], torch.tensor([len(tokens)]), blank=BLANK, reduction="sum"
    )
    return -float(loss)


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_of_one_takes_the_best_next_token_again_and_again(seed: int) -> None:
    model, bonus = ScriptedModel(ScriptedDecoder(seed=seed, end_bias=-1.0)), 1.0
    encoder_out, lengths = encodings(*LENGTHS, seed=seed)
    config = SearchConfig(beam=1, length_bonus=bonus, patience=9.0)
    for row, found in enumerate(searching(config, model)(encoder_out, lengths)):
        tokens: list[int] = []
        while len(tokens) < 2 * lengths[row] + 10:
            fed = torch.tensor([[START, *tokens]])
            logits = model.decoder(fed, encoder_out[row : row + 1], lengths[row : row + 1]).logits[0, -1]
            logits[list(RULES.suppressed)] = -torch.inf
            logits[END] -= bonus
            if logits.argmax() == END:
                break
            tokens.append(int(logits.argmax()))
        assert found.tokens == tuple(tokens)


@pytest.mark.parametrize("normalization", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("bonus", [0.0, 0.7])
@pytest.mark.parametrize("ctc_weight", [0.0, 0.4, 1.0])
def test_a_wide_beam_equals_exhaustive_search(ctc_weight: float, bonus: float, normalization: float) -> None:
    model = ScriptedModel(ScriptedDecoder(seed=5), ctc=True)
    options = {"ctc_weight": ctc_weight, "length_bonus": bonus, "length_normalization": normalization}
    search = searching(SearchConfig(**EXHAUSTIVE, **options), model)
    encoder_out, lengths = encodings(4, 6, 5, 8, seed=5)
    for row, found in enumerate(search(encoder_out, lengths)):
        alone = encoder_out[row : row + 1, : lengths[row]], lengths[row : row + 1]

        def value(tokens: tuple[int, ...], alone=alone) -> float:
            total = (1 - ctc_weight) * sequence_log_prob(model, tokens, *alone) + bonus * len(tokens)
            if ctc_weight:
                total += ctc_weight * ctc_log_prob(model, tokens, *alone)
            return total / (len(tokens) + 1) ** normalization

        best = max(all_sequences(LONGEST), key=value)
        assert found.tokens == best
        assert found.ended
        assert found.score / (len(best) + 1) ** normalization == pytest.approx(value(best), abs=1e-4)


def test_a_wide_beam_without_loops_equals_exhaustive_search_among_sequences_without_loops(monkeypatch) -> None:
    monkeypatch.setattr("asr_s2s.search.ranking.CUT_HANDICAP", math.inf)  # ended sequences only
    decoder = ScriptedDecoder(seed=1)
    decoder.table[A, B, A] += 3.0  # alternating is what this decoder likes best
    decoder.table[B, A, B] += 3.0
    model = ScriptedModel(decoder)
    longest, bonus = 9, 3.0
    options = {"beam": 1024, "patience": 99.0, "max_tokens_per_frame": 1e-9, "length_margin": longest - 1}
    options |= {"length_normalization": 0.0, "length_bonus": bonus, "loop_repeats": 2}
    encoder_out, lengths = encodings(7, 4, 9)
    changed = 0
    for row in range(3):
        alone = encoder_out[row : row + 1, : lengths[row]], lengths[row : row + 1]
        values = {}
        for size in range(longest + 1):
            sequences = list(itertools.product((A, B), repeat=size))
            scores = sequence_log_probs(model, sequences, *alone)
            values |= {tokens: score + bonus * size for tokens, score in zip(sequences, scores, strict=True)}
        config = SearchConfig.model_construct(**options)  # wider than a configuration may ask for
        plain = searching(config, model)(*alone)[0]
        assert plain.tokens == max(values, key=values.__getitem__)
        for tokens in list(values):
            if any(prolongs_a_loop(tokens[:place], token, least=2) for place, token in enumerate(tokens)):
                values.pop(tokens)
        guarded = searching(config.model_copy(update={"forbid_loops": True}), model)(*alone)[0]
        assert guarded.tokens == max(values, key=values.__getitem__)
        assert guarded.score == pytest.approx(values[guarded.tokens], abs=1e-4)
        changed += plain.tokens != guarded.tokens
    assert changed


@pytest.mark.parametrize("normalization", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("bonus", [-0.5, 0.0, 2.0])
def test_no_continuation_is_worth_more_than_the_best_possible(bonus: float, normalization: float) -> None:
    ranking = Ranking(ctc_weight=0.0, length_bonus=bonus, length_normalization=normalization)
    for total, length, gain in itertools.product((-12.0, -2.0, -0.5, 4.0), (0, 3), (0.0, 1.0)):
        bound = ranking.best_possible(total, length, limit=9, gain=gain)
        for longer, gained in itertools.product(range(length, 10), (0, gain)):
            assert ranking.final(total + (bonus + gained) * (longer - length), longer) <= bound + 1e-9


@pytest.mark.parametrize("normalization", [0.0, 0.5, 1.0])
def test_a_wide_beam_with_hot_words_equals_exhaustive_search(normalization: float) -> None:
    """An ended hypothesis settles nothing as long as hot words may lift a growing one above it."""
    texts = {A: "a", B: " b"}
    words = Hotwords.build(
        [(B, A, A)], token_texts=[texts.get(token, "") for token in range(SIZE)], end_token=END, bonus=2.0
    )
    config = SearchConfig(**EXHAUSTIVE, length_normalization=normalization)
    rules = replace(RULES, suppressed_first=(END,))  # an empty text is settled at once
    for seed in range(8):
        model = ScriptedModel(ScriptedDecoder(seed=seed, end_bias=2.0))
        alone = encodings(LONGEST, seed=seed)
        values = {
            tokens: (sequence_log_prob(model, tokens, *alone, rules=rules) + gained(words, (*tokens, END)))
            / (len(tokens) + 1) ** normalization
            for tokens in all_sequences(LONGEST)
            if tokens
        }
        found = searching(config, model, rules=rules, scorers=[words])(*alone)[0]
        assert found.tokens == max(values, key=values.__getitem__)


def gained(words: Hotwords, tokens: Sequence[int]) -> float:
    state = words.start(1)
    for token in tokens:
        state = state.advance(np.zeros((1, 1), int), np.array([[token]]))
    return float(state.totals[0, 0])


def test_ctc_alone_finds_the_most_probable_labelling_where_best_frames_do_not() -> None:
    """Blank is likeliest in both frames (0.6 x 0.6), yet the alignments of A sum to more; Graves 2006, figure 2."""
    encoder_out = torch.zeros(1, 2, 2 * SIZE)
    encoder_out[..., SIZE:] = -40.0
    encoder_out[..., SIZE + BLANK] = math.log(0.6)
    encoder_out[..., SIZE + A] = math.log(0.4)
    model = ScriptedModel(ScriptedDecoder(), ctc=True)
    found = searching(SearchConfig(ctc_weight=1.0), model)(encoder_out, torch.tensor([2]))[0]
    assert found.tokens == (A,)
    assert found.ctc_score == pytest.approx(math.log(0.64), abs=1e-4)


def test_the_score_parts_are_those_of_the_sequence() -> None:
    model = ScriptedModel(ScriptedDecoder(), ctc=True)
    encoder_out, lengths = encodings(*LENGTHS)
    for row, found in enumerate(searching(SearchConfig(ctc_weight=0.3, beam=3), model)(encoder_out, lengths)):
        alone = encoder_out[row : row + 1, : lengths[row]], lengths[row : row + 1]
        attention = sum(found.token_log_probs) + found.end_log_prob
        assert attention == pytest.approx(sequence_log_prob(model, found.tokens, *alone), abs=1e-4)
        assert found.ctc_score == pytest.approx(ctc_log_prob(model, found.tokens, *alone), abs=1e-4)
        assert found.score == pytest.approx(0.7 * attention + 0.3 * found.ctc_score, abs=1e-4)


def test_a_beam_finds_no_less_probable_hypotheses_than_greedy() -> None:
    better = 0
    for seed in range(8):
        model = ScriptedModel(ScriptedDecoder(seed=seed))
        inputs = encodings(*LENGTHS, seed=seed)
        greedy = searching(SearchConfig(beam=1), model)(*inputs)
        beam = searching(SearchConfig(beam=8, length_normalization=0.0, patience=9.0), model)(*inputs)
        for one, other in zip(greedy, beam, strict=True):
            assert other.score >= one.score - 1e-4
            better += other.score > one.score + 1e-4
    assert better > 10


@pytest.mark.parametrize("options", [{}, {"ctc_weight": 0.3}, {"forbid_loops": True}], ids=["plain", "ctc", "guard"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 2, 0, 3, 1)])
def test_an_utterance_gives_the_same_alone_and_in_any_batch(order: tuple[int, ...], options) -> None:
    model = ScriptedModel(ScriptedDecoder(seed=2, end_bias=-1.0), ctc=True)
    search = searching(SearchConfig(beam=4, **options), model)
    encoder_out, lengths = encodings(*LENGTHS)
    picked = list(order)
    together = search(encoder_out[picked], lengths[picked])
    for row, found in zip(picked, together, strict=True):
        alone = search(encoder_out[row : row + 1, : lengths[row]], lengths[row : row + 1])[0]
        assert found.tokens == alone.tokens
        assert found.flags == alone.flags
        assert found.score == pytest.approx(alone.score, abs=1e-4)


def test_settled_utterances_leave_the_batch() -> None:
    decoder = ScriptedDecoder(end_bias=-1.0)
    searching(SearchConfig(beam=3), ScriptedModel(decoder))(*encodings(*LENGTHS))
    assert decoder.batches[0] == len(LENGTHS)
    assert decoder.batches == sorted(decoder.batches, reverse=True)
    assert len(set(decoder.batches)) > 2


def test_a_search_stops_when_nothing_that_grows_can_win_any_more() -> None:
    decoder = ScriptedDecoder()
    decoder.table[:] = 0.0
    decoder.table[..., END] += 8.0  # the first end is so probable that no longer sequence beats it
    search = searching(SearchConfig(beam=4, patience=99.0, length_normalization=0.0), ScriptedModel(decoder))
    encoder_out, lengths = encodings(50)
    assert search(0.01 * encoder_out, lengths)[0].tokens == ()
    assert len(decoder.batches) == 1


def test_patience_waits_for_more_hypotheses_to_finish() -> None:
    steps = []
    for patience in (0.25, 1.0, 4.0):
        decoder = ScriptedDecoder(end_bias=-1.0)
        search = SearchConfig(beam=4, patience=patience, length_normalization=1.0)
        searching(search, ScriptedModel(decoder))(*encodings(9))
        steps.append(len(decoder.batches))
    assert steps[0] < steps[1] < steps[2]


def test_length_normalization_prefers_longer_hypotheses() -> None:
    lengths = []
    for normalization in (0.0, 1.0):
        search = SearchConfig(beam=8, patience=9.0, length_normalization=normalization)
        found = searching(search, ScriptedModel(ScriptedDecoder()))(*encodings(*LENGTHS))
        lengths.append(sum(len(hypothesis.tokens) for hypothesis in found))
    assert lengths[0] < lengths[1]


def test_no_utterances_give_no_hypotheses() -> None:
    encoder_out, lengths = encodings(3)
    search = searching(SearchConfig(beam=2), ScriptedModel(ScriptedDecoder()))
    assert search(encoder_out[:0], lengths[:0]) == []


def test_suppressed_tokens_never_appear_even_where_they_are_most_probable() -> None:
    decoder = ScriptedDecoder(end_bias=-2.0)
    decoder.table[..., [BLANK, START, A]] += 20.0
    rules = TokenRules((START,), END, suppressed=(BLANK, START, A), suppressed_first=(END,), blank_token=BLANK)
    for ctc_weight in (0.0, 0.5, 1.0):
        search = searching(SearchConfig(beam=4, ctc_weight=ctc_weight), ScriptedModel(decoder, ctc=True), rules=rules)
        for found in search(*encodings(*LENGTHS)):
            assert set(found.tokens) == {B}


def test_every_start_token_is_fed_in_order() -> None:
    rules = TokenRules(start_tokens=(START, A, B), end_token=END, suppressed=RULES.suppressed)
    model = ScriptedModel(ScriptedDecoder())
    encoder_out, lengths = encodings(4)
    found = searching(SearchConfig(beam=3), model, rules=rules)(encoder_out, lengths)[0]
    wanted = sequence_log_prob(model, found.tokens, encoder_out, lengths, rules=rules)
    assert found.score == pytest.approx(wanted, abs=1e-5)


def test_the_length_bound_cuts_each_utterance_where_its_own_frames_say() -> None:
    search = SearchConfig(beam=3, max_tokens_per_frame=0.5, length_margin=1)
    found = searching(search, ScriptedModel(ScriptedDecoder(end_bias=-99.0)))(*encodings(4, 8, 6))
    assert [len(hypothesis.tokens) for hypothesis in found] == [3, 5, 4]
    assert all({flag.name for flag in hypothesis.flags} >= {"truncated"} for hypothesis in found)


def test_a_decoders_longest_sequence_is_never_exceeded() -> None:
    decoder = ScriptedDecoder(end_bias=-99.0, max_tokens=5)
    found = searching(SearchConfig(beam=3), ScriptedModel(decoder))(*encodings(4, 8))
    assert [len(hypothesis.tokens) for hypothesis in found] == [4, 4]
    assert len(decoder.batches) == 5  # the last step feeds the fourth token and scores only whether to end


@pytest.mark.parametrize(("end", "ended"), [(-4.0, True), (-12.0, False)])
def test_a_cut_hypothesis_wins_only_over_an_end_that_is_far_less_probable(end: float, ended: bool) -> None:
    """A loop would be certain of each of its tokens: to be a little more probable is no reason to prefer it."""
    decoder = ScriptedDecoder()
    decoder.table[:] = 0.0
    decoder.table[..., A] += 4.0
    decoder.table[..., END] += 4.0 + end
    search = SearchConfig(beam=3, patience=99.0, max_tokens_per_frame=1e-9, length_margin=5)
    encoder_out, lengths = encodings(4)
    found = searching(search, ScriptedModel(decoder))(0 * encoder_out, lengths)[0]
    assert found.ended == ended
    assert found.tokens == (A,) * len(found.tokens)


def test_ctc_weight_without_a_ctc_head_or_blank_says_what_to_do() -> None:
    config = SearchConfig(ctc_weight=0.3)
    with pytest.raises(ConfigError, match=r"search\.ctc_weight is 0\.3, but this model has no CTC head.*ctc: true"):
        searching(config, ScriptedModel(ScriptedDecoder()))
    no_blank = TokenRules((START,), END)
    with pytest.raises(ConfigError, match="this vocabulary has no blank"):
        searching(config, ScriptedModel(ScriptedDecoder(), ctc=True), rules=no_blank)


@pytest.mark.parametrize("length_normalization", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("end_is_likeliest", [True, False])
def test_whether_anything_was_said_is_decided_by_the_first_token_and_not_by_length(
    length_normalization: float, end_is_likeliest: bool
) -> None:
    decoder = ScriptedDecoder()
    decoder.table[:] = 0.0
    decoder.table[START, START, A] = 3.0
    decoder.table[START, START, END] = 3.1 if end_is_likeliest else 2.9
    decoder.table[START, A, B] = decoder.table[A, B, END] = 20.0  # a text of three tokens costs no more than its first
    encoder_out, lengths = encodings(20)
    config = SearchConfig(beam=3, allow_empty=True, length_normalization=length_normalization)
    (found,) = searching(config, ScriptedModel(decoder))(0 * encoder_out, lengths)[:1]
    assert found.tokens == (() if end_is_likeliest else (A, B))
