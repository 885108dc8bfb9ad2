"""asr-s2s transcribe --manifest: each line with what was recognised."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr_s2s.cli.evidence import ONE_LINE, Outcome
from asr_s2s.cli.terminal import Progress
from asr_s2s.cli.transcribe_files import show_segment

if TYPE_CHECKING:
    from asr_s2s.manifest import Utterance
    from asr_s2s.recognizer import AudioSource, Transcriber, TranscriptionProgress
    from asr_s2s.transcripts import Transcript

SAVE_SECONDS = 60.0
# keys that a recognition adds to a manifest's line, beside pred_text, words or pred_words, and segments
EVIDENCE = (
    *("pred_language", "pred_language_probability", "confidence", "flags"),
    *("model", "time_source", "damage", "notes"),
)


def transcribe_manifest(
    recognizer: "Transcriber",
    manifest: Path,
    target: Path,
    given: "Callable[[Utterance], AudioSource]",
    *,
    resume: bool,
    live_text: bool,
    quiet: bool,
    hotwords: list[str],
) -> int:
    """Copy each line and add pred_text with its evidence; a line whose audio failed is copied without it.

    What a line of the manifest holds of an earlier recognition is replaced: another model may have written it.

    What is finished is written every so often, and when the work is broken off.
    """
    from asr_s2s.manifest import read_manifest, read_usable_lines, write_manifest
    from asr_s2s.transcripts import Transcript

    utterances, faults = read_usable_lines(manifest)
    outcome = Outcome(len(utterances) + len(faults), each=ONE_LINE, quiet=quiet, hotwords=hotwords)
    for line, found in faults.items():
        outcome.failed(f"{manifest}:{line}: {' '.join(found)}")
    done = {item.id: item for item in read_manifest(target)} if resume and target.exists() else {}
    written = {item.id: done.get(item.id) or _unrecognised(item) for item in utterances}
    todo = [written[item.id] for item in utterances if written[item.id].pred_text is None]
    saved = time.monotonic()
    by_id = {item.id: item for item in todo}
    with outcome, Progress(len(todo), shown=not quiet) as progress:

        def on_progress(new: "TranscriptionProgress") -> None:
            progress.reach(new.source.name, new.seconds, of=new.duration)
            for segment in new.segments if live_text else ():
                show_segment(segment, new.source.name)

        try:
            for source, result in recognizer.transcribe_many(map(given, todo), in_order=False, on_progress=on_progress):
                utterance = by_id[source.name]
                progress.done(result.duration if isinstance(result, Transcript) else 0.0, name=source.name)
                if isinstance(result, Transcript):
                    outcome.recognised(utterance.id, result)
                    written[utterance.id] = recognised(utterance, result)
                    outcome.written(result)
                else:
                    outcome.failed(f"{utterance.origin}: utterance '{utterance.id}': {result}")
                if time.monotonic() - saved > SAVE_SECONDS:
                    write_manifest(target, written.values())
                    saved = time.monotonic()
        finally:
            write_manifest(target, written.values())
    return outcome.finish(target)


def _unrecognised(utterance: "Utterance") -> "Utterance":
    """Leave out what an earlier recognition added; words are its own where it says where their times come from."""
    from dataclasses import replace

    if utterance.pred_text is None:
        return utterance
    are_recognised = "time_source" in utterance.extra and "pred_words" not in utterance.extra
    words = None if are_recognised else utterance.words
    return replace(utterance, pred_text=None, words=words, extra=_given(utterance))


def _given(utterance: "Utterance") -> dict[str, Any]:
    """Return the further keys of a line that no recognition added."""
    return {key: value for key, value in utterance.extra.items() if key not in (*EVIDENCE, "pred_words", "segments")}


def recognised(utterance: "Utterance", transcript: "Transcript") -> "Utterance":
    """Add what was recognised; words that the line has already are the truth, and stay."""
    from dataclasses import replace

    from asr_s2s.transcripts.jsonl import manifest_fields, segment_fields

    fields = manifest_fields(transcript)
    evidence = {name: value for name, value in fields.items() if name in EVIDENCE}
    if utterance.words is None:
        utterance = replace(utterance, words=transcript.words or None)
    elif "words" in fields:
        evidence["pred_words"] = fields["words"]
    if len(transcript.segments) > 1:  # which of them are flagged, `score` asks
        evidence["segments"] = segment_fields(transcript)
    return replace(utterance, pred_text=transcript.text, extra=_given(utterance) | evidence)
