"""Checks that take seconds: with the shipped model, and in several processes."""

from dataclasses import replace
from pathlib import Path

import pytest

from asr_s2s.checking import CheckedUtterance, measure_sounds
from asr_s2s.checking.mislabelled import mislabelled, text_losses
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import load_model

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"


def recordings(change: dict[str, str]) -> list[CheckedUtterance]:
    """Give the English recordings, some with the text of another one."""
    utterances = [item for item in read_manifest(DATA / "manifest.jsonl") if item.language == "en"]
    texts = {item.id: item.text for item in utterances}
    sounds = measure_sounds(utterances, jobs=1, on_done=lambda _: None)
    return [
        CheckedUtterance("train.jsonl", replace(item, text=texts[change.get(item.id, item.id)]), sound)
        for item, sound in zip(utterances, sounds, strict=True)
    ]


@pytest.mark.parametrize("capitals", [False, True])
def test_exchanged_texts_are_found_and_no_others(capitals: bool) -> None:
    change = {"LJ001-0076": "arctic_b0342_1592531332", "arctic_b0342_1592531332": "LJ001-0076", "lbby5a": "swbc1s"}
    checked = recordings(change)
    if capitals:
        checked = [replace(item, utterance=replace(item.utterance, text=item.text.upper())) for item in checked]
    found = {checked[index].utterance.id for index, _ in mislabelled(checked, load_model("en"))}
    assert found == set(change)


def test_what_a_vocabulary_cannot_spell_or_nobody_can_hear_is_not_judged() -> None:
    checked = recordings({})
    checked[0] = replace(checked[0], sound="cannot be read")
    checked[1] = replace(checked[1], utterance=replace(checked[1].utterance, text="Größe 7"))
    judged = {index for index, _ in text_losses(checked, load_model("commands"))}
    texts = [item.text for item in checked]
    vocabulary = load_model("commands").vocabulary
    assert judged == {index for index in range(2, len(checked)) if not vocabulary.unknown(texts[index])}
    assert judged


def test_several_processes_hear_what_one_hears() -> None:
    utterances = read_manifest(DATA / "manifest.jsonl")
    many = [replace(item, id=f"{item.id}-{number}") for number in range(20) for item in utterances]
    count: list[int] = []
    sounds = measure_sounds(many, jobs=2, on_done=count.append)
    assert sum(count) == len(many)
    assert sounds == 20 * measure_sounds(utterances, jobs=1, on_done=lambda _: None)
