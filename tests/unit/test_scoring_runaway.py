import pytest

from asr_s2s.scoring import loops, runs_on

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("a b", "one two three four five six", False),  # 1.5 x 2 + 3
        ("a b", "one two three four five six seven", True),
        ("", "thank you so much", True),
        ("", "thank you all", False),
        ("ONE TWO ONE ZERO", "Seven of Word Zero Two", False),  # four words were said, not the number 1210
        ("Yes.", "- (music) *** -- yes.", False),  # marks are no words
    ],
)
def test_a_run_on_has_far_more_words_than_were_spoken(reference: str, hypothesis: str, *, expected: bool) -> None:
    assert runs_on(reference, hypothesis) is expected


def test_three_words_four_times_in_a_row_are_a_loop() -> None:
    assert loops("and so I said " + "I do know, " * 4)
    assert loops("you see that, You see that. you see that You see THAT")
    assert not loops("you see that " * 3 + "you see this")
    assert not loops("")
