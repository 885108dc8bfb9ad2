"""Marks: vowel signs, tones and accents that Unicode writes as characters of their own behind a letter."""

import unicodedata

DOTTED_I = "i\u0307"  # what Python makes of a capital i with its dot, as Turkish writes it


def without_dot_of_i(text: str) -> str:
    """Write the small letter of a dotted capital i as the i that it is."""
    return text.replace(DOTTED_I, "i")


def is_variant(character: str) -> bool:
    """Return whether a character chooses how the one before it looks, an emoji in colours for one."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def is_mark(character: str) -> bool:
    """Return whether a character belongs to the letter before it."""
    return unicodedata.category(character)[0] == "M"


def letters_only(text: str, *, also: str = "") -> str:
    """Put a space for each character that is neither a letter nor a digit, nor a mark of one, nor among `also`."""
    return "".join(
        character if character.isalnum() or character in also or is_mark(character) else " " for character in text
    )


def loses_marks(before: str, after: str) -> bool:
    """Return whether a text has fewer marks after a change, and no fewer letters: the marks alone went."""
    if before.isascii() or before == after:
        return False
    (letters, marks), (letters_left, marks_left) = _counts(before), _counts(after)
    return marks_left < marks and letters_left >= letters


def _counts(text: str) -> tuple[int, int]:
    """Count letters and marks; those of an accented letter are both."""
    apart = unicodedata.normalize("NFD", without_dot_of_i(text.lower()))
    letters = sum(map(str.isalnum, apart))
    marks = sum(unicodedata.category(character) in ("Mn", "Mc") and not is_variant(character) for character in apart)
    return letters, marks
