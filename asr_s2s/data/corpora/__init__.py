"""Corpora as their publishers lay them out: one plain function each reads one, and all that have one stand here."""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from asr_s2s.data.corpora.an4 import read_an4
from asr_s2s.data.corpora.common_voice import read_common_voice
from asr_s2s.data.corpora.folder import read_folder
from asr_s2s.data.corpora.kaldi import read_kaldi
from asr_s2s.data.corpora.lhotse import read_lhotse
from asr_s2s.data.corpora.lhotse_recipe import read_lhotse_recipe
from asr_s2s.data.corpora.librispeech import read_librispeech
from asr_s2s.data.corpora.ljspeech import read_ljspeech
from asr_s2s.data.corpora.measure import AudioFile, Measured, audio_paths, measure
from asr_s2s.data.corpora.nemo import read_nemo
from asr_s2s.data.corpora.shared import Corpus, LeftOut, first_messages
from asr_s2s.data.corpora.speech_commands import read_speech_commands
from asr_s2s.data.corpora.table import read_table
from asr_s2s.data.corpora.tedlium import read_tedlium
from asr_s2s.data.corpora.transcripts import read_transcripts
from asr_s2s.data.corpora.voxforge import read_voxforge
from asr_s2s.data.corpora.write import left_out_path, write_corpus
from asr_s2s.data.corpora.yesno import read_yesno
from asr_s2s.errors import ManifestError

CORPORA: tuple[tuple[str, Callable[[Path], Corpus]], ...] = (
    ("librispeech", read_librispeech),
    ("common-voice", read_common_voice),
    ("tedlium", read_tedlium),
    ("an4", read_an4),
    ("ljspeech", read_ljspeech),
    ("speech-commands", read_speech_commands),
    ("yesno", read_yesno),
    ("voxforge", read_voxforge),
    ("kaldi", read_kaldi),
    ("folder", read_folder),
    ("transcripts", read_transcripts),
    ("csv", read_table),
    ("nemo", read_nemo),
    ("lhotse", read_lhotse),
)
RECIPE = "lhotse:"

__all__ = [
    "CORPORA",
    "AudioFile",
    "Corpus",
    "LeftOut",
    "Measured",
    "audio_paths",
    "first_messages",
    "left_out_path",
    "measure",
    "read_corpus",
    "write_corpus",
]


def read_corpus(name: str, source: Path) -> Corpus:
    """Read a corpus of a known layout, or one that a recipe of lhotse reads ("lhotse:NAME").

    Raises ManifestError for an unknown layout, and for a source that is not of the layout at all.
    """
    if name.startswith(RECIPE):
        return read_lhotse_recipe(name.removeprefix(RECIPE), source)
    readers = dict(CORPORA)
    if name not in readers:
        near = get_close_matches(name, readers, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ManifestError(f"There is no reader for '{name}'.{hint} Known: {', '.join(readers)}, {RECIPE}NAME.")
    return readers[name](source)
