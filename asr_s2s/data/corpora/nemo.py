"""NeMo's manifests, which are the project's own format."""

from pathlib import Path

from asr_s2s.data.corpora.shared import BROKEN_LINE, Corpus
from asr_s2s.manifest import read_usable_lines


def read_nemo(source: Path) -> Corpus:
    """Read a JSON-lines manifest; broken lines are left out.

    Raises ManifestError for a file that cannot be read at all.
    """
    utterances, faults = read_usable_lines(source)
    corpus = Corpus()
    for number, found in faults.items():
        corpus.leave_out(BROKEN_LINE, f"{source}:{number}: {' '.join(found)}")
    for utterance in utterances:
        corpus.add(utterance)
    return corpus
