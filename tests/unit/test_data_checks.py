from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_s2s.config import read_config
from asr_s2s.data import assert_none_excluded, check_utterances, read_manifests, split_dev
from asr_s2s.data.config import DataConfig
from asr_s2s.errors import ConfigError, ManifestError
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.text import CharacterVocabulary

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"
UTTERANCES = read_manifest(DATA / "manifest.jsonl")
VOCABULARY = CharacterVocabulary.from_texts([item.text or "" for item in UTTERANCES])


def speech(count: int, *, speakers: int = 0, texts: int = 0) -> list[Utterance]:
    return [
        Utterance(
            f"utterance-{index}",
            Path(f"{index}.wav"),
            text=f"text {index % texts}" if texts else f"text {index}",
            speaker=f"speaker-{index % speakers}" if speakers else None,
        )
        for index in range(count)
    ]


# check_utterances


def test_real_recordings_with_their_own_texts_pass() -> None:
    check_utterances(UTTERANCES, VOCABULARY)


def test_a_text_that_the_decoder_cannot_write_to_its_end_is_named() -> None:
    longest = max(UTTERANCES, key=lambda item: len(item.text or ""))
    count = len(longest.text or "")
    check_utterances(UTTERANCES, VOCABULARY, max_tokens=count)
    with pytest.raises(
        ManifestError, match=rf"too long for the decoder.* {count - 1}: {longest.id} .*: {count} tokens"
    ):
        check_utterances(UTTERANCES, VOCABULARY, max_tokens=count - 1)


def test_all_that_is_wrong_is_told_at_once() -> None:
    broken = [
        replace(UTTERANCES[0], id="none", text=None, origin="train.jsonl:1"),
        replace(UTTERANCES[0], id="blank", text=" ", origin="train.jsonl:2"),
        replace(UTTERANCES[0], id="snow", text="snow ☃"),
        replace(UTTERANCES[0], id="more snow", text="☃"),
        replace(UTTERANCES[0], id="short", duration=0.3, origin="train.jsonl:5"),  # 25 characters
    ]
    with pytest.raises(ManifestError) as error:
        check_utterances([*broken, *UTTERANCES], VOCABULARY)
    assert str(error.value).split("\n") == [
        "Of 16 utterances these cannot be trained on:",
        "2 have '☃', which the vocabulary cannot spell. Fix the text, or make the vocabulary from it: snow, more snow",
        "1 have no 'text'. Add it: none (train.jsonl:1)",
        (
            "1 have an empty text. Take them out of what is trained on, or set data.allow_empty where nobody "
            "speaks in them: blank (train.jsonl:2)"
        ),
        (
            "1 are too short for their text. Fix the text or the duration: "
            "short (train.jsonl:5): 0.30 s for a text of at least 0.50 s"
        ),
    ]


def test_equal_neighbours_take_a_blank_between_them_as_ctc_does() -> None:
    vocabulary = CharacterVocabulary.from_texts(["seen"])
    fits = replace(UTTERANCES[0], text="seen", duration=0.2)
    check_utterances([fits], vocabulary, token_seconds=0.04)
    with pytest.raises(ManifestError, match=r"0\.19 s for a text of at least 0\.20 s"):
        check_utterances([replace(fits, duration=0.19)], vocabulary, token_seconds=0.04)


# read_manifests, assert_none_excluded


def test_manifests_are_read_as_one_set_and_refused_if_they_share_an_id(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text('{"audio_filepath": "a.wav"}\n{"audio_filepath": "b.wav"}\n')
    second.write_text('{"audio_filepath": "c.wav"}\n')
    assert [item.id for item in read_manifests([first, second])] == ["a", "b", "c"]
    second.write_text('{"audio_filepath": "c.wav"}\n{"audio_filepath": "b.wav"}\n')
    with pytest.raises(ManifestError) as error:
        read_manifests([first, second])
    assert str(error.value) == (
        f"1 ids stand in more than one manifest: 'b' ({first}:2 and {second}:2). Give each line an 'id' of its own."
    )


@pytest.mark.parametrize("name", ["lbby5a", "9_george_9"])
def test_a_clip_that_serves_for_measuring_is_found_by_its_file_or_its_id(name: str, tmp_path: Path) -> None:
    exclude = tmp_path / "exclude.txt"
    exclude.write_text("another\n\n")
    renamed = [replace(item, id=f"set-{item.id}") for item in UTTERANCES]
    assert_none_excluded(renamed, exclude)
    exclude.write_text(f"another\n{name}\n")
    with pytest.raises(ManifestError, match=rf"1 of 11 utterances stand in .*exclude\.txt: 'set-{name}' \(.*take them"):
        assert_none_excluded(renamed, exclude)
    moved = [replace(item, audio_path=Path("x.wav")) for item in UTTERANCES]
    with pytest.raises(ManifestError, match="1 of 11"):
        assert_none_excluded(moved, exclude)


def test_a_missing_list_of_clips_is_an_error_not_an_empty_list(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="Name the list of clips"):
        assert_none_excluded(UTTERANCES, tmp_path / "exclude.txt")


# split_dev


@given(st.integers(2, 120), st.integers(0, 8), st.integers(0, 5), st.floats(0.01, 0.9), st.integers(0, 5))
def test_a_split_divides_and_is_the_same_again(count: int, speakers: int, texts: int, share: float, seed: int) -> None:
    utterances = speech(count, speakers=speakers, texts=texts)
    split = split_dev(utterances, share=share, seed=seed)
    assert split.train
    assert split.dev
    assert Counter(item.id for item in split.train + split.dev) == Counter(item.id for item in utterances)
    assert split == split_dev(utterances, share=share, seed=seed)
    for side in (split.train, split.dev):
        assert side == [item for item in utterances if item in side]  # in the manifest's order


@pytest.mark.parametrize(("count", "speakers", "texts"), [(1000, 0, 0), (1000, 0, 10), (1000, 100, 0), (1000, 3, 0)])
def test_the_share_is_met_about(count: int, speakers: int, texts: int) -> None:
    split = split_dev(speech(count, speakers=speakers, texts=texts), share=0.1)
    assert len(split.dev) == pytest.approx(0.1 * count, abs=10)


def test_several_speakers_are_held_apart() -> None:
    split = split_dev(speech(1000, speakers=20), share=0.1)
    assert split.shared_speakers == 0
    assert len({item.speaker for item in split.dev}) == 2


@pytest.mark.parametrize("seed", range(5))
def test_a_speaker_with_most_of_the_data_is_kept_for_training(seed: int) -> None:
    most = [replace(item, id=f"x{item.id}", speaker="most") for item in speech(900)]
    split = split_dev([*most, *speech(100, speakers=5)], share=0.05, seed=seed)
    assert 20 <= len(split.dev) <= 60
    assert all(item.speaker != "most" for item in split.dev)


def test_few_speakers_stand_on_both_sides_unless_told_otherwise() -> None:
    utterances = speech(300, speakers=3)
    assert split_dev(utterances, share=0.1).shared_speakers == 3
    assert split_dev(utterances, share=0.1, by_speaker=True).shared_speakers == 0


@pytest.mark.parametrize("seed", range(5))
def test_utterances_of_unknown_speakers_are_for_training_when_speakers_are_held_apart(seed: int) -> None:
    utterances = [*speech(100, speakers=10), *[replace(item, id=f"x{item.id}") for item in speech(10)]]
    assert all(item.speaker for item in split_dev(utterances, share=0.5, seed=seed).dev)


def test_a_sentence_said_twice_stays_on_one_side_whatever_its_spelling() -> None:
    utterances = [
        replace(item, id=f"{item.id}{ending}", text=f"{item.text}{ending}")
        for item in speech(200)
        for ending in ("", "!")
    ]
    split = split_dev(utterances, share=0.1)
    first, second = ({(item.text or "").strip("!") for item in side} for side in (split.train, split.dev))
    assert not first & second
    assert split.shared_texts == 0


def test_commands_said_many_times_are_divided_by_utterance_and_their_texts_counted() -> None:
    split = split_dev(speech(1000, texts=10), share=0.1)
    assert split.shared_texts == len(split.dev)
    assert len({item.text for item in split.dev}) == 10


def test_another_seed_takes_others_and_more_data_moves_few() -> None:
    utterances = speech(1000)
    dev = {item.id for item in split_dev(utterances, share=0.1).dev}
    assert len(dev & {item.id for item in split_dev(utterances, share=0.1, seed=1).dev}) < 30
    assert len(dev & {item.id for item in split_dev(speech(1100), share=0.1).dev}) > 80


@pytest.mark.parametrize(
    ("utterances", "by_speaker", "words"),
    [
        (speech(1), None, "1 utterances cannot be divided"),
        (speech(10, speakers=1), True, "1 known speakers cannot be divided by speaker"),
        (speech(10), True, "0 known speakers cannot"),
    ],
)
def test_what_cannot_be_divided_is_refused(utterances: list[Utterance], by_speaker: bool | None, words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        split_dev(utterances, share=0.1, by_speaker=by_speaker)


# DataConfig


def read(tmp_path: Path, text: str) -> DataConfig:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    return read_config(path, DataConfig)


def test_one_manifest_or_a_list_of_them_may_be_named(tmp_path: Path) -> None:
    assert read(tmp_path, "train: a.jsonl").train == ("a.jsonl",)
    config = read(tmp_path, "{train: [a.jsonl, b.jsonl], dev: c.jsonl, augment: {speed: [0.9, 1.0], specaugment: {}}}")
    assert (config.train, config.dev, config.augment.speed) == (("a.jsonl", "b.jsonl"), ("c.jsonl",), (0.9, 1.0))
    assert config.augment.specaugment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train: []", r"train: .*at least 1"),
        ("train: 3", r"train: "),
        ("{train: a, batch_second: 3}", r"did you mean 'batch_seconds'"),
        ("{train: a, batch_seconds: 0}", r"batch_seconds: .*greater than 0"),
        ("{train: a, augment: {speed: [0.1]}}", r"augment\.speed\.0: .*0\.5"),
        ("{train: a, augment: {noise: {manifest: n, snr_db: [20, 5]}}}", r"Write the lower first"),
        ("{train: a, augment: {noise: {manifest: n, probability: 2}}}", r"augment\.noise\.probability: "),
        ("{train: a, augment: {specaugment: {time_width: 5}}}", r"augment\.specaugment\.time_width: "),
    ],
)
def test_a_wrong_value_is_named_by_its_path(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, text)
