"""Rules of a user's own, sclite's mappings, and Whisper's normalizers taken apart."""

import subprocess
from pathlib import Path

import pytest
from debian import program
from hypothesis import given
from hypothesis import strategies as st
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from asr_s2s.errors import ConfigError
from asr_s2s.text.normalizers import normalizer

pytestmark = pytest.mark.unit

ODD = st.text(st.sampled_from("aB c'.,%$€12½[]()<>-é日\t\nmrCAN'T"), max_size=30)
BASIC, ENGLISH = BasicTextNormalizer(), EnglishTextNormalizer()
RULES = """
rules:
  - words: {colour: color, Mister: mr}
  - replace: '(\\d+)st\\b'
    with: '\\1'
  - remove: '[!?]'
  - normalizer: basic
"""
GLM = """;; comments and a head
* name "test"
* case_sensitive = 'F'
[I'M] => [I AM] / [ ] __ [ ]  ;; contraction
[UH] => / [ ] __ [ ]
[can not] => cannot / [ ] __ [ ]
colour => color
"""


def written(folder: Path, name: str, content: str) -> str:
    (folder / name).write_text(content, encoding="utf-8")
    return str(folder / name)


@given(ODD)
def test_the_rules_together_are_whispers_normalizers(text: str) -> None:
    assert normalizer("whisper-basic").apply(text) == BASIC(text).strip()


@given(ODD)
def test_the_rules_together_are_whispers_english_normalizer(text: str) -> None:
    assert ENGLISH_RULES.apply(text) == ENGLISH(text).strip()


ENGLISH_RULES = normalizer("whisper-english")


def test_a_users_rules_apply_from_top_to_bottom(tmp_path: Path) -> None:
    made = normalizer(written(tmp_path, "rules.yaml", RULES))
    assert made.apply("What a COLOUR, Mister! 1st colours") == "what a color mr 1 colours"
    assert [rule.name for rule in made.rules][:3] == ["words (colour, Mister)", r"(\d+)st\b to '\\1'", "remove [!?]"]
    assert made.version.startswith("sha256 ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rules:\n  - lowr: true\n", r"rules\.0\.lowr: unknown key, did you mean 'lower'"),
        ("rules:\n  - remove: '['\n", r"rules\.0: is no regular expression"),
        ("rules:\n  - normalizer: engl\n", r"no normalizer 'engl'\. Known: none, basic, whisper-english"),
        ("rules:\n  - lower: true\n    remove: x\n", r"write one of lower, remove"),
        (
            "rules:\n  - replace: a\n    with: '\\9'\n",
            r"rules\.0: is no regular .* replacement.*invalid group reference 9",
        ),
        ("[]", r"rules\.yaml: holds list, not keys"),
    ],
)
def test_broken_rules_are_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        normalizer(written(tmp_path, "rules.yaml", content))


def test_words_are_not_replaced_within_words_that_vowel_signs_go_through(tmp_path: Path) -> None:
    made = normalizer(written(tmp_path, "rules.yaml", "rules:\n  - words: {क: x, ते: y}\n"))
    assert made.apply("क की नमस्ते ते") == "x की नमस्ते y"


@pytest.mark.parametrize(("name", "content"), [("a.glm", "[A] => [B]\n"), ("a.yaml", "rules:\n  - words: {a: b}\n")])
def test_rules_may_begin_with_a_byte_order_mark_and_must_be_utf_8(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xef\xbb\xbf" + content.encode())
    assert normalizer(str(path)).apply("a c").lower() == "b c"
    path.write_bytes(content.encode() + b"# \xff\n")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        normalizer(str(path))


def test_a_file_of_rules_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.glm: cannot be read"):
        normalizer("nowhere.glm")


def test_mappings_do_what_sctks_filter_does(tmp_path: Path) -> None:
    found = program("rfilter1", package="sctk")
    path = written(tmp_path, "test.glm", GLM)
    texts = [
        " i'm uh the one who can not see uh uh colours ",
        " uh i'm i'm can not can not ",
        " a colour can notice huh uhm ",
    ]
    lines = "".join(f"{text}\n" for text in texts)
    theirs = subprocess.run(
        [found, path], input=lines, capture_output=True, text=True, check=True
    ).stdout  # sctk 2.4.12
    ours = [normalizer(path).apply(text) for text in texts]
    assert ours == [" ".join(line.lower().split()) for line in theirs.splitlines()]
    assert normalizer(path).apply("I'm first and UH last uh") == "i am first and last"


def test_of_alternatives_the_first_is_taken(tmp_path: Path) -> None:
    made = normalizer(written(tmp_path, "a.glm", "[HE'S] => [{HE IS / HE HAS}] / [ ] __ [ ]\n"))
    assert made.apply("he's here") == "he is here"


def test_broken_mappings_are_listed(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"(?s)1 mappings cannot be read\. Write '\[A\] => \[B\]'.*a\.glm:2: 'what is"
    ):
        normalizer(written(tmp_path, "a.glm", "a => b\nwhat is this\n"))
