"""Drafted greedy search: the text of plain greedy search, whatever the draft, in fewer passes where it is good."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from search_scripted import END, RULES, A, B, ScriptedDecoder, ScriptedModel, encodings, searching

from asr_s2s.decoding import SearchConfig
from asr_s2s.errors import ConfigError

pytestmark = pytest.mark.unit

LENGTHS = (3, 7, 5, 2, 9)


class Drafting(ScriptedModel):
    """Has a CTC head that writes given tokens, one a frame with a blank between equal ones; counts forward passes."""

    def __init__(self, decoder: ScriptedDecoder, drafts: list[list[int]]) -> None:
        super().__init__(decoder)
        self.ctc_head = torch.nn.Identity()
        self.drafts = drafts

    def ctc_log_probs(self, encoder_out):
        log_probs = torch.full_like(encoder_out, -9.0)
        for row, draft in enumerate(self.drafts):
            log_probs[row, torch.arange(len(draft)), torch.tensor(draft, dtype=torch.long)] = 0.0
            log_probs[row, len(draft) :, RULES.blank_token] = 0.0
        return log_probs


class Counting(ScriptedDecoder):
    passes = 0

    def __call__(self, *arguments, **options):
        self.passes += 1
        return super().__call__(*arguments, **options)


drafts = st.lists(st.sampled_from([RULES.blank_token, A, B, END]), max_size=2)


@given(seed=st.integers(0, 10_000), drafts=st.lists(drafts, min_size=5, max_size=5), longest=st.sampled_from([None, 4]))
@settings(max_examples=100, deadline=None)
def test_any_draft_gives_the_text_and_scores_of_greedy_search(seed, drafts, longest) -> None:
    model = Drafting(ScriptedDecoder(seed=seed, max_tokens=longest, end_bias=-1.0), drafts)
    encoder_out, lengths = encodings(*LENGTHS)
    plain, drafted = (
        searching(SearchConfig(beam=1, draft=draft, length_margin=1), model)(encoder_out, lengths)
        for draft in (False, True)
    )
    for expected, found in zip(plain, drafted, strict=True):
        assert (found.tokens, found.ended, found.flags) == (expected.tokens, expected.ended, expected.flags)
        assert found.score == pytest.approx(expected.score, abs=1e-4)


def test_a_right_draft_needs_one_pass_and_a_wrong_token_one_more() -> None:
    encoder_out, lengths = encodings(9)
    texts = searching(SearchConfig(beam=1), ScriptedModel(ScriptedDecoder(seed=3, end_bias=-4.0)))(encoder_out, lengths)
    (right,) = [list(found.tokens) for found in texts]
    assert len(right) > 4
    spelled = [token for pair in zip(right, [RULES.blank_token] * len(right), strict=True) for token in pair][:9]
    wrong = [A + B - spelled[0], *spelled[1:]]
    passes = []
    for draft in (spelled, wrong, []):
        decoder = Counting(seed=3, end_bias=-4.0)
        (found,) = searching(SearchConfig(beam=1, draft=True), Drafting(decoder, [draft]))(encoder_out, lengths)
        assert list(found.tokens) == right
        passes.append(decoder.passes)
    rest = len(right) - len([token for token in spelled if token != RULES.blank_token])
    assert passes[0] == 1 + rest
    assert passes[0] < passes[1] < passes[2] == 1 + len(right)


def test_a_draft_asks_for_a_model_with_ctc() -> None:
    with pytest.raises(ConfigError, match=r"search\.draft is True, but this model has no CTC head\. Leave out"):
        searching(SearchConfig(beam=1, draft=True), ScriptedModel(ScriptedDecoder()))
