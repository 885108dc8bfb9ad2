"""Languages by name, and what the start of a text says of language, task and what was said before."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from asr_s2s.cli import run
from asr_s2s.decoding import SearchConfig
from asr_s2s.engine import Encoding, TokenRules, token_rules
from asr_s2s.errors import ConfigError, VocabularyError
from asr_s2s.recognizer import DecodeOptions, ReadyModel
from asr_s2s.recognizer.languages import LanguageDetector, rules_of
from asr_s2s.recognizer.segmenter import Piece
from asr_s2s.text import BytePairsConfig, BytePairVocabulary, CharacterVocabulary
from asr_s2s.text.languages import NAMES, language_code

pytestmark = pytest.mark.unit

CLIP = Path(__file__).parents[1] / "data" / "lbby5a.ogg"
SPECIALS = [
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|de|>", "<|translate|>", "<|transcribe|>",
    "<|startofprev|>", "<|notimestamps|>",
]  # fmt: skip
MULTILINGUAL: dict[str, Any] = {
    "prompt": ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"),
    "languages": ("en", "zh", "de"),
    "tasks": ("transcribe", "translate"),
    "previous": "<|startofprev|>",
}
ENGLISH: dict[str, Any] = {"prompt": ("<|startoftranscript|>", "<|notimestamps|>"), "languages": ("en",)}


@pytest.fixture(scope="module")
def tokenizer_json() -> str:
    """Bytes, and special tokens as Whisper has them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator([], trainers.BpeTrainer(initial_alphabet=alphabet, show_progress=False))
    tokenizer.add_special_tokens(SPECIALS)
    return tokenizer.to_str()


class Engine:
    """Stands for a model that finds each language as probable as a piece's first samples say."""

    max_tokens = 20

    def __init__(self, vocabulary: BytePairVocabulary | None = None) -> None:
        self.tokens = [] if vocabulary is None else list(vocabulary.language_tokens.values())
        self.size = 0 if vocabulary is None else vocabulary.size
        self.encoded: list[float] = []

    def encode(self, samples: list[np.ndarray]) -> Encoding:
        self.encoded += [float(each[-1]) for each in samples]
        lengths = np.array([len(each) for each in samples])
        return Encoding(np.stack([each[:3] for each in samples]), lengths, lengths)

    def start(self, encoding: Encoding, rules: TokenRules) -> Any:
        assert len(rules.start_tokens) == 1, "the first step alone tells the language"
        return type("Start", (), {"state": encoding.states})

    def step(self, tokens: np.ndarray, state: np.ndarray) -> Any:
        log_probs = np.full((len(tokens), 1, self.size), -30.0)
        log_probs[:, 0, self.tokens] = state

        def at(asked: np.ndarray) -> np.ndarray:
            return np.take_along_axis(log_probs, asked, -1)

        return type("Scores", (), {"at": staticmethod(at)}), state


def ready(tokenizer_json: str, tree: dict[str, Any]) -> ReadyModel:
    config = BytePairsConfig(kind="bpe", end="<|endoftext|>", **tree)
    vocabulary = config.build(tokenizer_json, origin="test")
    return ReadyModel("some", vocabulary, SearchConfig(), Engine(vocabulary), open_language=None)  # type: ignore[arg-type]


def started(model: ReadyModel, language: str | None, **options: Any) -> str:
    """Write the start tokens of a search."""
    vocabulary: Any = model.vocabulary
    tokenizer = Tokenizer.from_str(vocabulary.tokenizer_json)
    rules = rules_of(model, DecodeOptions(**options), language)
    return tokenizer.decode(rules.start_tokens, skip_special_tokens=False).replace("|> <|", "|><|")


@given(code=st.sampled_from(sorted(NAMES)), region=st.sampled_from(["", "-XX", "_xx", "-Latn-XX"]), upper=st.booleans())
def test_a_language_is_found_by_its_code_with_any_region_and_by_its_name(code: str, region: str, upper: bool) -> None:
    for name in (code + region, NAMES[code], f" {NAMES[code]} "):
        assert language_code(name.upper() if upper else name) == code


@pytest.mark.parametrize(
    ("name", "code"), [("pt-BR", "pt"), ("zh-Hans", "zh"), ("Mandarin", "zh"), ("nb", "no"), ("deu", "de")]
)
def test_other_names_and_regional_tags_are_understood(name: str, code: str) -> None:
    assert language_code(name) == code


@pytest.mark.parametrize(
    ("name", "said"), [("Germna", "'de' (German)"), ("Portugese-BR", "'pt' (Portuguese)"), ("q", "code")]
)
def test_an_unknown_language_is_refused_with_the_nearest(name: str, said: str) -> None:
    with pytest.raises(ValueError, match="unknown language") as raised:
        language_code(name)
    assert said in str(raised.value)
    with pytest.raises(ConfigError, match=r"language: .*unknown language"):
        DecodeOptions(language=name)


def test_the_start_names_language_and_task_after_what_was_said_before(tokenizer_json: str) -> None:
    model = ready(tokenizer_json, MULTILINGUAL)
    tail = "<|notimestamps|>"
    assert started(model, "de") == f"<|startoftranscript|><|de|><|transcribe|>{tail}"
    assert started(model, "zh", task="translate") == f"<|startoftranscript|><|zh|><|translate|>{tail}"
    said = started(model, "de", prompt=" Herr Ü. ")
    assert said == f"<|startofprev|> Herr Ü.<|startoftranscript|><|de|><|transcribe|>{tail}"
    rules = rules_of(model, DecodeOptions(prompt="x" * 100), "de")
    assert rules.begin == 1 + 9  # of a long text its last tokens, fewer than half of the decoder's 20 places
    assert rules_of(model, DecodeOptions(prompt="  "), "de") == rules_of(model, DecodeOptions(), "de")
    assert token_rules(model.vocabulary) == rules_of(model, DecodeOptions(), "en")


@pytest.mark.parametrize(
    ("tree", "language", "options", "said"),
    [
        (ENGLISH, "de", {}, "language 'de' (German): 'some' knows 'en' (English) alone. Leave the language out"),
        (ENGLISH, None, {"task": "translate"}, "task 'translate': 'some' can only transcribe. Take --model multi"),
        (ENGLISH, None, {"prompt": "so"}, "prompt: 'some' has no place for an earlier text"),
        (MULTILINGUAL, "yue", {}, "language 'yue' (Cantonese): 'some' does not know it. The nearest that it knows is"),
    ],
)  # fmt: skip
def test_what_a_model_has_no_place_for_is_refused(
    tokenizer_json: str, tree: dict[str, Any], language: str | None, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        rules_of(ready(tokenizer_json, tree), DecodeOptions(**options), language)
    assert str(raised.value).startswith(said)


def test_a_vocabulary_without_the_tokens_of_its_languages_is_refused(tokenizer_json: str) -> None:
    with pytest.raises(VocabularyError, match=r"has no <\|fr\|>"):
        ready(tokenizer_json, MULTILINGUAL | {"languages": ("en", "fr")})


def test_a_model_of_characters_says_what_it_knows() -> None:
    vocabulary = CharacterVocabulary.from_texts(["ab"])
    model = ReadyModel("mine", vocabulary, SearchConfig(), Engine(), open_language=None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="'mine' is a model of one language"):
        rules_of(model, DecodeOptions(), "de")


def sound(log_probs: list[float], *, seconds: float = 1.0, name: float = 0.0) -> Piece:
    samples = np.full(round(16_000 * seconds), name, np.float32)
    samples[:3] = log_probs
    return Piece(0, samples)


def test_a_recording_has_the_language_of_all_its_pieces_together(tokenizer_json: str) -> None:
    model = ready(tokenizer_json, MULTILINGUAL)
    pieces = [sound([-0.5, -3.0, -2.0]), sound([-4.0, -9.0, -0.1]), sound([-4.0, -9.0, -0.1])]
    found = LanguageDetector(model).language_of(pieces)
    means = np.exp(np.mean([[-0.5, -3.0, -2.0], [-4.0, -9.0, -0.1], [-4.0, -9.0, -0.1]], axis=0))
    # of the single pieces' shares, as each is over these three alone
    assert found.code == "de"
    assert found.probability == pytest.approx(means[2] / means.sum(), abs=1e-5)


def test_of_many_pieces_the_longest_of_each_part_of_a_recording_is_asked(tokenizer_json: str) -> None:
    model = ready(tokenizer_json, MULTILINGUAL)
    pieces = [sound([0.0, -1.0, -2.0], seconds=2.0 if number % 4 == 1 else 1.0, name=number) for number in range(24)]
    LanguageDetector(model).language_of(pieces)
    engine: Any = model.engine
    assert engine.encoded == [1, 5, 9, 13, 17, 21]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--language", "manifest"], "--language manifest takes the language of each line"),
        (["--language", "Germna"], "Did you mean 'de' (German)?"),
        (["--language", "de"], "language 'de' (German): 'commands' knows 'en' (English) alone"),
        (["--task", "translate"], "task 'translate': 'commands' can only transcribe"),
        (["--prompt", "so"], "prompt: 'commands' has no place"),
    ],
)
def test_the_command_refuses_wrong_combinations(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["transcribe", str(CLIP), "--model", "commands", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("language", ["auto", "each", "en-GB"])
def test_a_model_of_one_language_takes_that(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["transcribe", str(CLIP), "--model", "commands", "--language", language]) == 0
    assert capsys.readouterr().out == "lay blue by y five again\n"
