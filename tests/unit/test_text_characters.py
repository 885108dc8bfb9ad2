import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_s2s.errors import VocabularyError
from asr_s2s.text import CharactersConfig, CharacterVocabulary, unknown_characters

pytestmark = pytest.mark.unit

SPECIALS = "<blank>\n<s>\n</s>\n<unk>\n<space>\n"
TEXTS = ["Grüße aus Köln, Straße 7!", "ПРИВЕТ, мир", "नमस्ते दुनिया", "你好世界", "don't stop", "ΟΔΟΣ"]


def read(folder: Path, content: str | bytes, *, lowercase: bool = False) -> CharacterVocabulary:
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / "tokens.txt").write_bytes(raw)
    return CharactersConfig(kind="characters", lowercase=lowercase).read(folder)


def expected(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


@given(st.text())
def test_decoding_undoes_encoding_up_to_composition_and_spaces(text: str) -> None:
    vocabulary = CharacterVocabulary.from_texts([text])
    assert vocabulary.decode(vocabulary.encode(text)) == expected(text)


@given(st.text())
def test_lower_casing_twice_is_lower_casing_once(text: str) -> None:
    vocabulary = CharacterVocabulary.from_texts([text], lowercase=True)
    once = vocabulary.decode(vocabulary.encode(text))
    assert vocabulary.decode(vocabulary.encode(once)) == once


@given(st.lists(st.text()), st.booleans())
def test_reading_undoes_writing(tmp_path_factory: pytest.TempPathFactory, texts: list[str], lowercase: bool) -> None:
    folder = tmp_path_factory.getbasetemp()
    written = CharacterVocabulary.from_texts(texts, lowercase=lowercase)
    written.write(folder)
    loaded = CharactersConfig(kind="characters", lowercase=lowercase).read(folder)
    assert loaded.tokens == written.tokens


@given(st.permutations(TEXTS))
def test_ids_do_not_depend_on_the_order_of_the_texts(texts: list[str]) -> None:
    assert CharacterVocabulary.from_texts(texts).tokens == CharacterVocabulary.from_texts(TEXTS).tokens


def test_special_tokens_have_fixed_ids_and_characters_follow_sorted(tmp_path: Path) -> None:
    vocabulary = CharacterVocabulary.from_texts(["b a", "c"])
    vocabulary.write(tmp_path)
    assert (tmp_path / "tokens.txt").read_text() == SPECIALS + "a\nb\nc\n"
    assert vocabulary.encode("a cab") == [5, 4, 7, 5, 6]
    assert (vocabulary.size, vocabulary.blank_token, vocabulary.start_tokens, vocabulary.end_token) == (8, 0, (1,), 2)
    assert vocabulary.suppressed == (0, 1, 3)


def test_special_tokens_leave_no_trace_in_a_decoded_text() -> None:
    vocabulary = CharacterVocabulary.from_texts(["ab"])
    assert vocabulary.decode([1, 5, 0, 4, 3, 6, 2]) == "a b"


@pytest.mark.parametrize(
    ("text", "lowered"),
    [
        ("STRASSE Straße ẞ", "strasse straße ß"),  # casefold would make 'ss' of every 'ß'
        ("İstanbul I\u0307zmir", "istanbul izmir"),  # str.lower would leave a loose dot above
        ("ΟΔΟΣ", "οδος"),  # the last sigma of a word has its own form
        ("A\u030angstrom \u212b", "ångstrom å"),  # decomposed, and a compatibility sign
        ("  TWO\t\nLINES\u00a0\u3000HERE\u2028", "two lines here"),
    ],
)
def test_lower_case_is_composed_and_keeps_each_languages_letters(text: str, lowered: str) -> None:
    vocabulary = CharacterVocabulary.from_texts([text], lowercase=True)
    assert vocabulary.decode(vocabulary.encode(text)) == lowered


def test_case_and_punctuation_are_kept_unless_folding_is_asked_for() -> None:
    vocabulary = CharacterVocabulary.from_texts(TEXTS)
    for text in TEXTS:
        assert vocabulary.decode(vocabulary.encode(text)) == text


def test_every_unknown_character_is_named_with_its_code_point() -> None:
    vocabulary = CharacterVocabulary.from_texts(["nave"])
    message = r"no 'ï' \(U\+00EF LATIN SMALL LETTER I WITH DIAERESIS\), \(U\+200B ZERO WIDTH SPACE\), needed for"
    with pytest.raises(VocabularyError, match=message):
        vocabulary.encode("naïve\u200b naïve")


def test_unknown_characters_of_a_corpus_come_with_the_utterances_that_hold_them() -> None:
    vocabulary = CharacterVocabulary.from_texts(["abc"], lowercase=True)
    texts = [("first", "ABC"), ("second", "a-b-c"), ("third", "ça-c")]
    assert unknown_characters(texts, vocabulary) == {"-": ["second", "third"], "ç": ["third"]}


def test_a_file_saved_on_windows_reads_the_same(tmp_path: Path) -> None:
    plain = read(tmp_path, SPECIALS + "a\nb\n")
    with_byte_order_mark = b"\xef\xbb\xbf" + (SPECIALS + "a\nb\n").replace("\n", "\r\n").encode()
    assert read(tmp_path, with_byte_order_mark).tokens == plain.tokens
    assert read(tmp_path, SPECIALS + "a\nb").tokens == plain.tokens


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SPECIALS + "a\nbc\n", r"tokens\.txt: 1 broken line\(s\): line 7 holds 'bc', not one character"),
        (SPECIALS + "a\n\nb\n", "line 7 holds '', not one character"),
        (SPECIALS + "a\nb\na\n", "line 8 repeats 'a' of line 6"),
        (SPECIALS + "a\n<s>\n", "line 7 repeats '<s>' of line 2"),
        (SPECIALS + "\u00a0\n", r"line 6 holds \(U\+00A0 NO-BREAK SPACE\), which no normalised text contains"),
        (SPECIALS + "a\n\u212b\n", r"line 7 holds '\u212b' \(U\+212B ANGSTROM SIGN\), which no normalised text"),
        ("<s>\n<blank>\n</s>\n<unk>\n<space>\na\n", "2 broken.*line 1 must be <blank>, not '<s>', line 2 must be <s>"),
        ("<blank>\n<s>\n", "the file ends before </s>, <unk>, <space>"),
        ("", "the file ends before"),
        (b"\xfea", r"is not UTF-8 text \(byte 0\)\. Convert it"),
    ],
)
def test_a_broken_file_is_refused_with_the_line_and_what_is_wrong(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(VocabularyError, match=message):
        read(tmp_path, content)


def test_an_upper_case_letter_in_a_lower_case_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="line 6 holds 'A'"):
        read(tmp_path, SPECIALS + "A\n", lowercase=True)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"tokens\.txt: cannot be read \(No such file"):
        CharactersConfig(kind="characters").read(tmp_path)
