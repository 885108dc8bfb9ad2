"""Count the clips of a set whose language was not detected, and transcribe these with the language given.

usage: python recipes/multi/given.py SET MODEL DETECTED.jsonl GIVEN.jsonl
"""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import asr_s2s
from asr_s2s.manifest import read_manifest, write_manifest
from asr_s2s.transcripts import Transcript

LANGUAGES = {"german": "de"}  # of the other sets it is English


def main() -> None:
    """Write the manifest with the texts of the given language, and print what was detected."""
    name, model, detected, given = sys.argv[1:]
    language = LANGUAGES.get(name, "en")
    lines = read_manifest(Path(detected))
    if name == "no_speech":
        print(f"{name}: {sum(len((line.pred_text or '').split()) for line in lines)} words in {len(lines)} clips")
        return
    spoken = [line for line in lines if "pred_language" in line.extra]
    wrong = [line for line in spoken if line.extra["pred_language"] != language]
    found = Counter(line.extra["pred_language"] for line in wrong)
    print(f"{name}: {language} detected in {len(spoken) - len(wrong)} of {len(spoken)} clips; others: {dict(found)}")
    again = asr_s2s.load(model, language=language).transcribe_many(wrong) if wrong else []
    texts = {source.name: result.text for source, result in again if isinstance(result, Transcript)}
    write_manifest(Path(given), [replace(line, pred_text=texts.get(line.id, line.pred_text)) for line in lines])


if __name__ == "__main__":
    main()
