from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from asr_s2s.training.alarms import MANUAL_HEADING, MANUAL_PAGE, find_alarms
from asr_s2s.training.history import Record

pytestmark = pytest.mark.unit

HEALTHY = {"diagonality": 0.8, "sharpness": 0.3, "coverage": 0.9}


def evaluation(epoch: int, **values: Any) -> Record:
    usual = {"accuracy": 0.3, "cer": 0.8, "wer": 0.9, "dev_cross_entropy_loss": 2.0, "ctc_written": 0.9}
    return {"event": "evaluation", "step": 100 * epoch, "epoch": epoch} | usual | HEALTHY | values


def trained(epoch: int, loss: float, *, norms: Sequence[float | None] = (1.0, 2.0, 1.5)) -> list[Record]:
    """Give the records of the steps before an evaluation."""
    return [
        {
            "event": "train",
            "step": 100 * epoch - 3 + number,
            "epoch": epoch - 1,
            "cross_entropy_loss": loss,
            "gradient_norm": norm,
            "learning_rate": 1e-3,
        }
        for number, norm in enumerate(norms)
    ]


def alarms(records: Sequence[Record], *, settled: int = 0, patient: int = 8) -> dict[str, str]:
    found = find_alarms(records, vocabulary_size=30, clip=1.0, settled=settled, patient=patient)
    assert len({alarm.cause for alarm in found}) == len(found)
    return {alarm.cause: alarm.message for alarm in found}


def test_a_run_whose_attention_forms_raises_none() -> None:
    records = [*trained(8, 2.0), evaluation(8), *trained(9, 1.5), evaluation(9, dev_cross_entropy_loss=1.8)]
    assert alarms(records) == {}


def test_attention_that_is_not_sharp_is_told_with_what_to_try() -> None:
    message = alarms([evaluation(9, sharpness=0.01)])["attention"]
    assert "not sharp: after 9 epochs the free-running character error rate is 80%" in message
    assert "losses.guided_attention" in message
    assert "model.ctc=true" in message


def test_sharp_attention_that_does_not_follow_the_tokens_is_not_moving() -> None:
    message = alarms([evaluation(9, diagonality=0.1)])["attention"]
    assert "not moving" in message
    assert "model.attention.kind=location" in message


def test_attention_and_ctc_are_given_time_to_form() -> None:
    early = [evaluation(7, sharpness=0.01, ctc_written=0.0)]
    assert alarms(early) == {}
    assert set(alarms(early, patient=7)) == {"attention", "CTC"}


def test_good_next_tokens_with_bad_free_running_text_are_told_apart_from_bad_attention() -> None:
    reads_badly = {"accuracy": 0.85, "cer": 0.6}
    message = alarms([evaluation(9, **reads_badly)])["free-running"]
    assert "85% of the next tokens are right" in message
    assert "after 9 epochs the free-running character error rate is 60%" in message
    assert set(alarms([evaluation(9, sharpness=0.01, **reads_badly)])) == {"attention"}
    without_attention = {key: value for key, value in evaluation(9, **reads_badly).items() if key not in HEALTHY}
    assert set(alarms([without_attention])) == {"free-running"}


def test_a_model_that_reads_well_raises_no_alarm_whatever_its_attention_looks_like() -> None:
    assert alarms([evaluation(9, sharpness=0.0, accuracy=0.9, cer=0.1)]) == {}


def test_a_ctc_head_that_writes_blanks_alone_is_silent() -> None:
    message = alarms([evaluation(8, ctc_written=0.004)])["CTC"]
    assert "writes 0.4% as many tokens as were said" in message
    assert "losses.ctc" in message
    assert alarms([evaluation(8, ctc_written=0.3)]) == {}


def falling_and_rising(*losses: float, wers: Sequence[float] = ()) -> list[Record]:
    wers = wers or [0.5] * len(losses)
    return [
        evaluation(number, dev_cross_entropy_loss=loss, wer=wer, cer=0.2)
        for number, (loss, wer) in enumerate(zip(losses, wers, strict=True), start=1)
    ]


def test_a_rising_development_loss_is_told_unless_the_text_still_gets_better() -> None:
    message = alarms(falling_and_rising(2.0, 1.0, 1.05, 1.1, 1.2))["development loss"]
    assert "1.000 after 2 epochs, 1.200 now" in message
    assert "training.patience" in message
    assert alarms(falling_and_rising(2.0, 1.0, 1.05, 1.2)) == {}, "two evaluations may be chance"
    assert alarms(falling_and_rising(2.0, 1.0, 1.05, 1.06, 1.04)) == {}
    assert alarms(falling_and_rising(2.0, 1.0, 1.05, 1.1, 1.2, wers=[0.9, 0.5, 0.5, 0.4, 0.5])) == {}


def stretches(*losses: float) -> list[Record]:
    return [
        record
        for epoch, loss in enumerate(losses, start=1)
        for record in [*trained(epoch, loss), evaluation(epoch, cer=0.2)]
    ]


def test_a_training_loss_that_rises_twice_means_too_high_a_rate() -> None:
    message = alarms(stretches(3.0, 2.0, 2.2, 2.5))["learning rate"]
    assert "2.000, 2.200, 2.500" in message
    assert "half the training.learning_rate" in message
    assert alarms(stretches(3.0, 2.0, 2.5)) == {}, "once may be chance"
    assert alarms(stretches(3.0, 2.0, 2.02, 2.05)) == {}


def test_a_loss_above_that_of_guessing_means_too_high_a_rate() -> None:
    message = alarms([evaluation(1, dev_cross_entropy_loss=55.4)])["learning rate"]
    assert "the development loss is 55.400, and 3.401 for a model that guesses" in message  # log 30
    assert alarms([evaluation(1, dev_cross_entropy_loss=3.5)]) == {}


def test_losses_of_epochs_with_easier_material_are_not_compared() -> None:
    rising = stretches(2.0, 2.5, 3.0)
    assert set(alarms(rising)) == {"learning rate"}
    assert alarms(rising, settled=1) == {}


def test_a_gradient_far_from_all_others_is_told_with_its_step() -> None:
    usual = [*trained(1, 2.0), evaluation(1), *trained(2, 1.9)]
    message = alarms([*usual, *trained(3, 1.8, norms=(1.0, 900.0, 1.2)), evaluation(3)])["gradients"]
    assert "900 at step 298 and is 1.5 usually" in message
    assert alarms([*usual, *trained(3, 1.8, norms=(1.0, 20.0, 1.2)), evaluation(3)]) == {}
    not_finite = [*usual, *trained(3, 1.8, norms=(1.0, None, 1.2)), evaluation(3)]
    assert "inf at step 298" in alarms(not_finite)["gradients"]
    assert alarms([*not_finite, *trained(4, 1.7), evaluation(4)]) == {}, "told when it happened"


def test_the_page_and_the_heading_that_alarms_name_stand_in_the_manual() -> None:
    page = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {MANUAL_PAGE}\n")
    assert f"\n## {MANUAL_HEADING}\n" in page
