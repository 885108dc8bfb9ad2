"""YesNo (openslr.org/1): 60 recordings of eight Hebrew words each, 1 for yes and 0 for no in the file's name."""

import re
from pathlib import Path

from asr_s2s.data.corpora.shared import BROKEN_LINE, Corpus, check_found
from asr_s2s.manifest import Utterance

WORDS = {"0": "no", "1": "yes"}


def read_yesno(source: Path) -> Corpus:
    """Read the recordings; those with an odd number of yeses are the test set.

    The publisher does not divide the set. By the order of names, as others do it, every text to train on began with no.
    """
    files = sorted(source.glob("*.wav"))
    check_found(source, files, "*.wav")
    corpus = Corpus(parts={"train": {}, "test": {}})
    for path in files:
        if not re.fullmatch(r"[01](_[01]){7}", path.stem):
            corpus.leave_out(BROKEN_LINE, f"{path}: is not named by eight digits 0 or 1, such as 0_1_1_0_1_0_1_1.wav.")
            continue
        text = " ".join(WORDS[digit] for digit in path.stem.split("_"))
        item = Utterance(path.stem, path, text=text, speaker="yesno", language="he", origin=str(path))
        corpus.add(item, part="test" if path.stem.count("1") % 2 else "train")
    return corpus
