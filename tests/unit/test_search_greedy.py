import pytest
import torch
from search_scripted import (
    END,
    RULES,
    START,
    A,
    B,
    ScriptedDecoder,
    ScriptedModel,
    encodings,
    searching,
    sequence_log_prob,
)

from asr_s2s.decoding import SearchConfig
from asr_s2s.engine import TokenRules

pytestmark = pytest.mark.unit

LENGTHS = (3, 7, 5, 2, 9)


def greedy(model, *, rules=RULES, **options):
    return searching(SearchConfig(beam=1, **options), model, rules=rules)


def test_greedy_takes_the_best_token_of_the_teacher_forced_pass_at_every_position() -> None:
    model = ScriptedModel(ScriptedDecoder(end_bias=-1.0))
    encoder_out, lengths = encodings(*LENGTHS)
    for row, found in enumerate(greedy(model)(encoder_out, lengths)):
        fed = torch.tensor([[START, *found.tokens]])
        logits = model.decoder(fed, encoder_out[row : row + 1], lengths[row : row + 1]).logits[0]
        logits[:, list(RULES.suppressed)] = -torch.inf
        assert logits.argmax(-1).tolist() == [*found.tokens, END]


def test_the_score_is_the_log_probability_of_tokens_and_end() -> None:
    model = ScriptedModel(ScriptedDecoder())
    encoder_out, lengths = encodings(*LENGTHS)
    for row, found in enumerate(greedy(model)(encoder_out, lengths)):
        alone = encoder_out[row : row + 1], lengths[row : row + 1]
        assert found.ended
        assert found.score == pytest.approx(sequence_log_prob(model, found.tokens, *alone), abs=1e-5)
        assert sum(found.token_log_probs) + found.end_log_prob == pytest.approx(found.score)
        assert len(found.token_log_probs) == len(found.tokens)


def test_an_utterance_gives_the_same_alone_and_in_a_batch() -> None:
    search = greedy(ScriptedModel(ScriptedDecoder(end_bias=-1.0)))
    encoder_out, lengths = encodings(*LENGTHS)
    together = search(encoder_out, lengths)
    for row, found in enumerate(together):
        assert [found] == search(encoder_out[row : row + 1, : lengths[row]], lengths[row : row + 1])


def test_utterances_leave_the_batch_when_a_quarter_of_it_has_finished() -> None:
    decoder = ScriptedDecoder(end_bias=-1.0)
    found = greedy(ScriptedModel(decoder))(*encodings(*range(2, 18)))
    steps = [len(hypothesis.tokens) + 1 for hypothesis in found]
    assert len(decoder.batches) == max(steps)
    assert len(set(decoder.batches)) > 3
    batch = len(found)
    for position, size in enumerate(decoder.batches):
        going_on = sum(step > position for step in steps)
        batch = going_on if going_on <= 0.75 * batch else batch
        assert size == batch


def test_no_utterances_give_no_hypotheses() -> None:
    encoder_out, lengths = encodings(3)
    assert greedy(ScriptedModel(ScriptedDecoder()))(encoder_out[:0], lengths[:0]) == []


def test_every_start_token_is_fed_in_order() -> None:
    rules = TokenRules(start_tokens=(START, A, B), end_token=END, suppressed=RULES.suppressed)
    model = ScriptedModel(ScriptedDecoder())
    encoder_out, lengths = encodings(4)
    found = greedy(model, rules=rules)(encoder_out, lengths)[0]
    assert found.score == pytest.approx(sequence_log_prob(model, found.tokens, encoder_out, lengths, rules=rules))


def test_suppressed_tokens_never_appear_even_where_they_are_most_probable() -> None:
    decoder = ScriptedDecoder(end_bias=-2.0)
    decoder.table[..., [0, START, A]] += 20.0
    rules = TokenRules(start_tokens=(START,), end_token=END, suppressed=(0, START, A))
    for found in greedy(ScriptedModel(decoder), rules=rules)(*encodings(*LENGTHS)):
        assert set(found.tokens) <= {B}


@pytest.mark.parametrize("beam", [1, 3])
def test_a_search_may_write_nothing_where_it_is_allowed_whatever_the_vocabulary_says(beam: int) -> None:
    model = ScriptedModel(ScriptedDecoder(end_bias=9.0))
    rules = TokenRules(start_tokens=(START,), end_token=END, suppressed=(0, START), suppressed_first=(END,))
    forced, free = (
        searching(SearchConfig(beam=beam, allow_empty=allowed), model, rules=rules) for allowed in (False, True)
    )
    assert [len(search(*encodings(5))[0].tokens) for search in (forced, free)] == [1, 0]


def test_a_token_suppressed_first_may_come_second() -> None:
    decoder = ScriptedDecoder()
    decoder.table[..., END] += 20.0
    rules = TokenRules(start_tokens=(START,), end_token=END, suppressed=(0, START), suppressed_first=(END,))
    for found in greedy(ScriptedModel(decoder), rules=rules)(*encodings(*LENGTHS)):
        assert len(found.tokens) == 1
        assert found.ended


@pytest.mark.parametrize(
    ("model", "options", "limits"),
    [
        (ScriptedModel(ScriptedDecoder(end_bias=-99)), {"max_tokens_per_frame": 0.5, "length_margin": 1}, (3, 5)),
        (ScriptedModel(ScriptedDecoder(end_bias=-99), length=2.0), {"length_margin": 3}, (6, 6)),
        (ScriptedModel(ScriptedDecoder(end_bias=-99, max_tokens=5)), {}, (4, 4)),
    ],
    ids=["tokens per frame", "length head", "decoder"],
)
def test_the_tightest_length_bound_cuts_and_is_flagged(model, options, limits) -> None:
    found = greedy(model, **options)(*encodings(4, 8))
    assert tuple(len(hypothesis.tokens) for hypothesis in found) == limits
    for hypothesis in found:
        assert not hypothesis.ended
        flagged = {flag.name: flag.value for flag in hypothesis.flags}
        assert flagged["truncated"] == len(hypothesis.tokens)


def test_padding_that_the_encoder_saw_does_not_raise_the_bound() -> None:
    model = ScriptedModel(ScriptedDecoder(end_bias=-99))
    encoder_out, lengths = encodings(9, 9)
    search = greedy(model, max_tokens_per_frame=1.0, length_margin=0)
    found = search(encoder_out, lengths, sound_lengths=torch.tensor([2, 9]))
    assert [len(hypothesis.tokens) for hypothesis in found] == [2, 9]


def test_an_end_at_the_bound_is_an_end() -> None:
    decoder = ScriptedDecoder(end_bias=-99)
    encoder_out, lengths = encodings(4)
    encoder_out[0, 3, END] += 200.0  # the fourth prediction is the end
    found = greedy(ScriptedModel(decoder), max_tokens_per_frame=0.75, length_margin=0)(encoder_out, lengths)[0]
    assert len(found.tokens) == 3
    assert found.ended


def test_a_length_bonus_lets_another_token_win_over_the_end() -> None:
    model = ScriptedModel(ScriptedDecoder())
    encoder_out, lengths = encodings(*LENGTHS)
    plain = greedy(model)(encoder_out, lengths)
    longer = greedy(model, length_bonus=5.0)(encoder_out, lengths)
    assert sum(len(found.tokens) for found in longer) > sum(len(found.tokens) for found in plain)
    for found in longer:
        parts = sum(found.token_log_probs) + (found.end_log_prob or 0.0)
        assert found.score == pytest.approx(parts + 5.0 * len(found.tokens))
