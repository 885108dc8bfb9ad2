"""A word language model in the search: against all sequences, and KenLM's own sums."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from search_scripted import END, RULES, SIZE, ScriptedDecoder, ScriptedModel, all_sequences, searching

from asr_s2s.decoding import SearchConfig
from asr_s2s.errors import CheckpointError
from asr_s2s.model_store import WordNgram
from asr_s2s.search import WordFusion

pytestmark = pytest.mark.unit

ARPA = r"""\data\
ngram 1=6
ngram 2=4

\1-grams:
-1.2	<unk>	0
-99	<s>	-0.3
-0.8	</s>	0
-0.9	borealis	-0.2
-2.0	aurora	-0.5
-1.1	the	-0.4

\2-grams:
-0.1	aurora borealis
-0.4	<s> the
-0.2	the aurora
-0.3	borealis </s>

\end\
"""
TEXTS = ("", "", "", " a", "b")  # of blank, start, end, A and B


class Bigrams:
    """Log probabilities that depend on a word and the one before, drawn by a seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def start(self) -> str:
        return "<s>"

    def word(self, word: str, state: str) -> tuple[float, str]:
        generator = torch.Generator().manual_seed(self.seed + sum(map(ord, state)) * 31 + sum(map(ord, word)) * 7)
        return -3.0 * float(torch.rand((), generator=generator)), word

    def end(self, state: str) -> float:
        return self.word("</s>", state)[0]


def opinion(scorer: Bigrams, text: str) -> float:
    total, state = 0.0, scorer.start()
    for word in text.split():
        log_prob, state = scorer.word(word, state)
        total += log_prob
    return total + scorer.end(state)


@given(seed=st.integers(0, 1000), weight=st.sampled_from([0.3, 2.0]))
@settings(max_examples=25, deadline=None)
def test_a_wide_beam_finds_what_decoder_and_words_find_best_together(seed: int, weight: float) -> None:
    model, scorer = ScriptedModel(ScriptedDecoder(seed=seed)), Bigrams(seed)
    encoder_out = torch.randn(1, 4, SIZE, generator=torch.Generator().manual_seed(seed))
    lengths = torch.tensor([4])
    config = SearchConfig(beam=60, patience=100.0, length_normalization=0.0, max_tokens_per_frame=1e-6,
                          length_margin=2)  # fmt: skip
    search = searching(config, model, scorers=[WordFusion(scorer, weight, TEXTS, END)])
    (found,) = search(encoder_out, lengths)

    @torch.inference_mode()
    def total(tokens: tuple[int, ...]) -> float:
        given = torch.tensor([[RULES.start_tokens[-1], *tokens]])
        logits = model.decoder(given, encoder_out, lengths).logits[0].float()
        logits[:, list(RULES.suppressed)] = -torch.inf
        heard = logits.log_softmax(1)
        text = "".join(TEXTS[token] for token in tokens)
        return sum(float(heard[i, t]) for i, t in enumerate((*tokens, END))) + weight * opinion(scorer, text)

    best = max(all_sequences(3), key=total)
    assume(found.ended)  # one that was cut is given where it is far more probable a token
    assert (found.tokens, found.score) == (best, pytest.approx(total(best), abs=1e-4))


def test_kenlm_scores_words_in_the_case_that_it_knows(tmp_path: Path) -> None:
    pytest.importorskip("kenlm", reason="pip install 'asr-s2s[ngram]'")
    (tmp_path / "words.arpa").write_text(ARPA, encoding="utf-8")
    scorer = WordNgram(tmp_path / "words.arpa")
    total, state = 0.0, scorer.start()
    for word in ("The", "Aurora", "borealis"):
        log_prob, state = scorer.word(word, state)
        total += log_prob
    assert total + scorer.end(state) == pytest.approx(math.log(10) * -(0.4 + 0.2 + 0.1 + 0.3), abs=1e-5)
    (tmp_path / "no.arpa").write_text("words\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"no\.arpa: is no n-gram model that KenLM can read"):
        WordNgram(tmp_path / "no.arpa")


ARPA = "\\data\\\nngram 1=2\nngram 2=1\n\n\\1-grams:\n-1\t<s>\t0\n-1\tblue\n\n\\2-grams:\n-1\t<s> blue\n\n\\end\\\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (ARPA.replace("1=2", "1=999999999"), "counts 1,000,000,000 n-grams, more than it can hold"),
        (ARPA.replace("1=2", "1=" + "9" * 400), "is no n-gram model that KenLM can read"),
        (ARPA.replace("1=2", "1=-4"), "is no n-gram model that KenLM can read"),
        (ARPA.replace("ngram 2=1", "ngram 3=1"), "is no n-gram model that KenLM can read"),
        (ARPA.replace("ngram 2=1", "\0"), "is no n-gram model that KenLM can read"),
        ("lay blue by y five again\n" * 9, "is no n-gram model that KenLM can read"),
        ("", "is no n-gram model that KenLM can read"),
        (b"\xff\0\x80" * 99_999, "is no n-gram model that KenLM can read"),
        (b"\x1f\x8b\x08\0 no gzip", "cannot be read"),
    ],
    ids=range(9),
)
def test_a_file_that_kenlm_would_believe_or_crash_on_is_refused_before(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    file = tmp_path / "x.arpa"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(CheckpointError, match=said):
        WordNgram(file)
