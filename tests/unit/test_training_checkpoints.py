import errno
import json
from pathlib import Path

import pytest
import torch
from training_tiny import QUIET, tiny_experiment

from asr_s2s.errors import CheckpointError, ConfigError
from asr_s2s.training import checkpoints
from asr_s2s.training.checkpoints import (
    OPTIMIZER_FILE,
    Candidate,
    beginning,
    checkpoint_folder,
    latest_checkpoint,
    random_states,
    restore_optimizer,
    rotate_checkpoints,
)
from asr_s2s.training.progress import ProgressReport
from asr_s2s.training.run import Run
from asr_s2s.training.start import start

pytestmark = pytest.mark.unit


def started(tmp_path: Path, **training: int) -> Run:
    config = tiny_experiment(tmp_path, **training)
    return start(config, output=tmp_path / "run", resume=False, initial=None, report=ProgressReport(QUIET))


def one_step(run: Run) -> None:
    """Give every weight a gradient, so that the optimizer has a state for each."""
    for parameter in run.system.model.parameters():
        parameter.grad = torch.randn_like(parameter)
    run.optimizer.step()
    run.random = random_states()


def test_what_is_saved_comes_back_bit_for_bit(tmp_path: Path) -> None:
    run = started(tmp_path)
    one_step(run)
    run.state.step, run.state.epoch, run.state.batches = 7, 2, 3
    run.state.best, run.state.alarms_given = [Candidate(wer=0.5, loss=1.25, cer=0.125, step=4)], ["not sharp"]
    run.save()
    folder = checkpoint_folder(run.folder, 7)
    drawn = torch.rand(5)

    again = start(run.config, output=run.folder, resume=True, initial=None, report=ProgressReport(QUIET))
    assert again.state == run.state
    assert torch.equal(torch.rand(5), drawn)
    for name, value in run.system.model.state_dict().items():
        assert torch.equal(again.system.model.state_dict()[name], value), name
    pairs = zip(run.system.model.parameters(), again.system.model.parameters(), strict=True)
    for before, after in pairs:
        assert (
            run.optimizer.state[before].keys()
            == again.optimizer.state[after].keys()
            == {"step", "exp_avg", "exp_avg_sq"}
        )
        for kind, value in run.optimizer.state[before].items():
            assert torch.equal(again.optimizer.state[after][kind], value)
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "config.yaml",
        "model.safetensors",
        "optimizer.safetensors",
        "tokens.txt",
        "training_state.json",
    ]


def test_only_matrices_decay(tmp_path: Path) -> None:
    others, decaying = started(tmp_path, weight_decay=0.25).optimizer.param_groups
    assert decaying["weight_decay"] == 0.25
    assert others["weight_decay"] == 0.0
    assert {parameter.dim() for parameter in others["params"]} == {1}
    assert min(parameter.dim() for parameter in decaying["params"]) == 2


def test_a_checkpoint_that_cannot_be_completed_leaves_the_last_good_one_and_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(tmp_path)
    run.state.step = 1
    run.save()

    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", disk_full)
    run.state.step = 2
    with pytest.raises(CheckpointError, match=r"No space left.*needs [\d.]+ MB, .* are free\. Make room"):
        run.save()
    good = checkpoint_folder(run.folder, 1)
    assert latest_checkpoint(run.folder) == good
    assert list((run.folder / "checkpoints").iterdir()) == [good]


def test_a_folder_without_its_state_is_no_checkpoint(tmp_path: Path) -> None:
    checkpoint_folder(tmp_path, 5).mkdir(parents=True)
    assert latest_checkpoint(tmp_path) is None


def test_the_last_and_the_best_stay_and_the_others_go(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4, 5):
        checkpoint_folder(tmp_path, step).mkdir(parents=True)
    rotate_checkpoints(tmp_path, last=2, best=[Candidate(wer=0.1, loss=1.0, cer=0.1, step=2)])
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "step-00000002",
        "step-00000004",
        "step-00000005",
    ]


def test_a_damaged_state_is_named_with_the_way_out(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.save()
    folder = checkpoint_folder(run.folder, 0)
    (folder / checkpoints.STATE_FILE).write_text('{"state": ')
    with pytest.raises(CheckpointError, match=r"training_state\.json: cannot be read .* Delete .*step-00000000"):
        checkpoints.read_document(folder)


def test_an_optimizer_of_another_model_is_refused(tmp_path: Path) -> None:
    run = started(tmp_path)
    one_step(run)
    run.save()
    other = torch.nn.Linear(2, 2)
    with pytest.raises(CheckpointError, match=r"optimizer\.safetensors: '.*' is not a weight of this model"):
        restore_optimizer(
            checkpoint_folder(run.folder, 0) / OPTIMIZER_FILE, other, torch.optim.AdamW(other.parameters())
        )


def test_resuming_with_another_configuration_shows_both_values(tmp_path: Path) -> None:
    run = started(tmp_path, epochs=3)
    run.save()
    changed = tiny_experiment(tmp_path, epochs=9, clip=5.0)  # epochs may change, clipping may not
    with pytest.raises(CheckpointError, match=r"training\.clip was 1\.0 and is 5\.0") as caught:
        start(changed, output=run.folder, resume=True, initial=None, report=ProgressReport(QUIET))
    assert "epochs" not in str(caught.value)


def test_resuming_with_other_data_is_refused_and_names_what_differs(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.save()
    manifest = tmp_path / "train.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    before, lines[0]["text"] = lines[0]["text"], "It's the aurora."
    gone = lines.pop()["id"]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(CheckpointError) as caught:
        start(run.config, output=run.folder, resume=True, initial=None, report=ProgressReport(QUIET))
    assert f"1 utterances are gone: '{gone}'" in str(caught.value)
    assert f"'{lines[0]['id']}' (text was {before!r} and is {lines[0]['text']!r})" in str(caught.value)
    assert "are new" not in str(caught.value)


def test_a_checkpoint_that_is_saved_again_is_at_no_moment_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(tmp_path)
    run.save()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "write_text", killed)  # at the worst moment
    run.state.alarms_given = ["not sharp"]
    with pytest.raises(KeyboardInterrupt):
        run.save()
    monkeypatch.undo()
    again = start(run.config, output=run.folder, resume=True, initial=None, report=ProgressReport(QUIET))
    assert again.state.alarms_given == []
    again.state.alarms_given = ["not sharp"]
    again.save()
    last = start(run.config, output=run.folder, resume=True, initial=None, report=ProgressReport(QUIET))
    assert last.state.alarms_given == ["not sharp"]


def test_what_a_kill_left_half_deleted_goes_at_the_next_save(tmp_path: Path) -> None:
    run = started(tmp_path)
    left = run.folder / "checkpoints" / ".step-00000001.tmp"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    run.state.step = 2
    run.save()
    assert [path.name for path in (run.folder / "checkpoints").iterdir()] == ["step-00000002"]


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.save()
    with pytest.raises(ConfigError, match=r"holds a run already\. Add --resume"):
        start(run.config, output=run.folder, resume=False, initial=None, report=ProgressReport(QUIET))


def test_a_disk_that_fails_before_the_first_step_is_named_with_the_checkpoint_to_go_on_from(tmp_path: Path) -> None:
    run = started(tmp_path)
    one_step(run)
    run.save_alone()
    checkpoint = latest_checkpoint(run.folder)
    with (
        pytest.raises(CheckpointError, match=f"{run.folder}: .*No space left.* {checkpoint} is whole: .*--resume"),
        beginning(run.folder),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")  # as a failing write tells it: without a file name
