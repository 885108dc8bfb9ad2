"""NeMo's manifests, which are the project's own format: read, and every audio file looked at."""

from pathlib import Path

from asr_s2s.data.corpora.shared import refuse, with_durations
from asr_s2s.manifest import Utterance, read_manifest


def read_nemo(source: Path) -> list[Utterance]:
    """Read a JSON-lines manifest and fill in the durations that it leaves out.

    Raises ManifestError that lists broken lines or, if there are none, audio files that cannot be opened.
    """
    faults: list[str] = []
    utterances = with_durations(read_manifest(source), faults)
    refuse(source, faults)
    return utterances
