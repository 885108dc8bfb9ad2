"""A check as JSON: all findings, for other programs."""

import json
from dataclasses import asdict
from typing import Any

from asr_s2s.audio import Levels
from asr_s2s.checking.finding import Suspect
from asr_s2s.checking.report import LENGTHS, CheckReport


def to_json(report: CheckReport) -> str:
    """Return the whole report; lengths counts the utterances from each length_edges on, in seconds."""
    record = {
        "sets": [asdict(each) for each in report.sets],
        "length_edges": LENGTHS[:-1],
        "leaks": [asdict(each) for each in report.leaks],
        "kinds": report.kinds,
        "suspects": [_suspect(each) for each in report.suspects],
        "broken": report.broken,
    }
    return json.dumps(record, ensure_ascii=False, indent=1)


def _suspect(suspect: Suspect) -> dict[str, Any]:
    checked = suspect.checked
    return {
        "id": checked.utterance.id,
        "manifest": checked.manifest,
        "origin": checked.utterance.origin,
        "audio_filepath": str(checked.utterance.audio_path),
        "offset": checked.utterance.offset,
        "seconds": checked.sound.seconds if isinstance(checked.sound, Levels) else None,
        "text": checked.utterance.text,
        "speaker": checked.utterance.speaker,
        "weight": round(suspect.weight, 2),
        "findings": [asdict(each) for each in suspect.findings],
    }
