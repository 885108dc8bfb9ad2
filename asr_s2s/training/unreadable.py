"""What happens in a step that could not read some of its recordings: they are listed; where all are lost, it ends."""

from collections.abc import Mapping

from asr_s2s.errors import AsrError, AudioError, counted, listed
from asr_s2s.training.left_out import LEFT_OUT_FILE, Lost, add_left_out, forget_absent
from asr_s2s.training.run import Run, Share

MOST_LOST = 10  # recordings in a row; so many do not break by chance


def leave_out(run: Run, share: Share, counts: Mapping[str, float]) -> None:
    """List what a step could not read, in whichever process.

    Raises AudioError, back where the run can be resumed, if nothing can be read any more: its disk may be gone.
    """
    if counts["frames"]:
        run.lost = Lost()
    if not counts["unreadable"]:
        if not counts["frames"]:
            raise AsrError(f"step {run.state.step + 1}: there is no memory for a single utterance.")
        return
    gathered = run.processes.gathered(share.unreadable)
    found = {name: why for each in gathered for name, why in each.items()}
    known = run.material.unreadable
    fresh = {name: why for name, why in found.items() if name not in known}
    known |= fresh
    if run.processes.first and fresh:
        add_left_out(run.folder, run.material.train, fresh)
        many = f"step {run.state.step + 1}: left out: {counted(len(fresh), 'recording')} that cannot be read"
        run.report.warn(f"{many}, see {run.folder / LEFT_OUT_FILE}: {listed(list(fresh.values()))}")
    if counts["frames"]:
        return
    if not run.lost.names:
        run.lost = Lost(step=run.state.step, batches=run.state.batches)
    run.lost.names += fresh
    if len(run.lost.names) > MOST_LOST or len(known) == len(run.material.train):
        run.state.step, run.state.batches = run.lost.step, run.lost.batches
        run.save()
        if run.processes.first:
            forget_absent(run.folder, run.lost.names)
        why = next(iter(found.values()))
        raise AudioError(f"The recordings to train on cannot be read any more; is their disk still there? {why}")
