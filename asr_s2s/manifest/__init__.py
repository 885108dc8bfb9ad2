"""The project's one data format: a JSON-lines file with an utterance a line, in NeMo's field names."""

from asr_s2s.manifest.file import read_manifest, read_usable_lines, write_manifest
from asr_s2s.manifest.line import parse_record, record_id, unique_keys
from asr_s2s.manifest.utterance import Utterance, Word, relative_path, utterance_to_json

__all__ = [
    "Utterance",
    "Word",
    "parse_record",
    "read_manifest",
    "read_usable_lines",
    "record_id",
    "relative_path",
    "unique_keys",
    "utterance_to_json",
    "write_manifest",
]
