"""A check as JSON: all findings, for other programs."""

import json
from dataclasses import asdict
from typing import Any

from asr_s2s.audio import Levels
from asr_s2s.checking.finding import Suspect
from asr_s2s.checking.report import LENGTHS, CheckReport


def to_json(report: CheckReport) -> str:
    """Give the whole report; lengths counts the utterances from each length_edges on, in seconds."""
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
    heard = suspect.heard
    return {
        "id": heard.utterance.id,
        "manifest": heard.manifest,
        "origin": heard.utterance.origin,
        "audio_filepath": str(heard.utterance.audio_path),
        "offset": heard.utterance.offset,
        "seconds": heard.sound.seconds if isinstance(heard.sound, Levels) else None,
        "text": heard.utterance.text,
        "speaker": heard.utterance.speaker,
        "weight": round(suspect.weight, 2),
        "findings": [asdict(each) for each in suspect.findings],
    }
