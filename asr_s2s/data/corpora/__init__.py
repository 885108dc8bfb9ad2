"""Corpora as their publishers lay them out, read into utterances: one plain function each."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

from asr_s2s.data.corpora.folder import read_folder
from asr_s2s.data.corpora.kaldi import read_kaldi
from asr_s2s.data.corpora.lhotse import read_lhotse
from asr_s2s.data.corpora.librispeech import read_librispeech
from asr_s2s.data.corpora.nemo import read_nemo
from asr_s2s.errors import ManifestError
from asr_s2s.manifest import Utterance

CORPORA: Mapping[str, Callable[[Path], list[Utterance]]] = {
    "folder": read_folder,
    "kaldi": read_kaldi,
    "lhotse": read_lhotse,
    "librispeech": read_librispeech,
    "nemo": read_nemo,
}

__all__ = ["CORPORA", "read_corpus", "read_folder", "read_kaldi", "read_lhotse", "read_librispeech", "read_nemo"]


def read_corpus(name: str, source: Path) -> list[Utterance]:
    """Read a corpus of a known layout.

    Raises ManifestError for an unknown layout, and with the list of all faults of the corpus.
    """
    if name not in CORPORA:
        near = get_close_matches(name, CORPORA, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ManifestError(f"There is no reader for '{name}'.{hint} Known: {', '.join(CORPORA)}.")
    return CORPORA[name](source)
