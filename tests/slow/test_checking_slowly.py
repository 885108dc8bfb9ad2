"""Checks that take seconds: with the shipped model, and in several processes."""

from dataclasses import replace
from pathlib import Path

import pytest

from asr_s2s.checking import Heard, hear
from asr_s2s.checking.mislabelled import mislabelled, text_losses
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import load_model

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"


def recordings(change: dict[str, str]) -> list[Heard]:
    """Give the English recordings, some with the text of another one."""
    utterances = [item for item in read_manifest(DATA / "manifest.jsonl") if item.language == "en"]
    texts = {item.id: item.text for item in utterances}
    sounds = hear(utterances, jobs=1, on_done=lambda _: None)
    return [
        Heard("train.jsonl", replace(item, text=texts[change.get(item.id, item.id)]), sound)
        for item, sound in zip(utterances, sounds, strict=True)
    ]


@pytest.mark.parametrize("capitals", [False, True])
def test_exchanged_texts_are_found_and_no_others(capitals: bool) -> None:
    change = {"LJ001-0076": "arctic_b0342_1592531332", "arctic_b0342_1592531332": "LJ001-0076", "lbby5a": "swbc1s"}
    heard = recordings(change)
    if capitals:
        heard = [replace(item, utterance=replace(item.utterance, text=item.text.upper())) for item in heard]
    found = {heard[index].utterance.id for index, _ in mislabelled(heard, load_model("en"))}
    assert found == set(change)


def test_what_a_vocabulary_cannot_spell_or_nobody_can_hear_is_not_judged() -> None:
    heard = recordings({})
    heard[0] = replace(heard[0], sound="cannot be read")
    heard[1] = replace(heard[1], utterance=replace(heard[1].utterance, text="Größe 7"))
    judged = {index for index, _ in text_losses(heard, load_model("commands"))}
    texts = [item.text for item in heard]
    vocabulary = load_model("commands").vocabulary
    assert judged == {index for index in range(2, len(heard)) if not vocabulary.unknown(texts[index])}
    assert judged


def test_several_processes_hear_what_one_hears() -> None:
    utterances = read_manifest(DATA / "manifest.jsonl")
    many = [replace(item, id=f"{item.id}-{number}") for number in range(20) for item in utterances]
    count: list[int] = []
    sounds = hear(many, jobs=2, on_done=count.append)
    assert sum(count) == len(many)
    assert sounds == 20 * hear(utterances, jobs=1, on_done=lambda _: None)
