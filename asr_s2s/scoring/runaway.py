"""Hypotheses that ran away from what was said: attention models write on where nothing is left to hear."""

from asr_s2s.text.normalizers import normalizer

REPEATED_WORDS, REPEATS = 3, 4


def runs_on(reference: str, hypothesis: str) -> bool:
    """Return whether a hypothesis has more than 1.5 times the reference's words, and 3.

    Words are counted as they were spoken, by the `basic` normalizer: `whisper-english` would write "one two one two" as
    one word, 1212, and four other words for it as a run-on.
    """
    spoken, written = (len(normalizer("basic").apply(text).split()) for text in (reference, hypothesis))
    return written > 1.5 * spoken + 3


def loops(hypothesis: str) -> bool:
    """Return whether the same three words stand four times in a row."""
    words = normalizer("basic").apply(hypothesis).split()
    length = REPEATED_WORDS * REPEATS
    return any(
        words[start : start + length - REPEATED_WORDS] == words[start + REPEATED_WORDS : start + length]
        for start in range(len(words) - length + 1)
    )
