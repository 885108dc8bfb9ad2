"""asr-s2s transcribe FILE...: each transcript is printed or written as soon as it is there."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from asr_s2s.cli.dialogues import Dialogues
from asr_s2s.cli.evidence import Outcome
from asr_s2s.cli.inputs import Input
from asr_s2s.cli.terminal import Progress, moment, say
from asr_s2s.cli.writer import Writer, write_texts

if TYPE_CHECKING:
    from asr_s2s.recognizer import AudioSource, Transcriber, TranscriptionProgress
    from asr_s2s.transcripts import Segment


def transcribe_files(
    recognizer: "Transcriber",
    inputs: list[Input],
    sources: Iterable["AudioSource"],
    writer: "Writer",
    output_dir: Path | None,
    outcome: Outcome,
    dialogues: Dialogues | None,
    *,
    plot: bool,
    live_text: bool,
) -> int:
    """Print or write each transcript as soon as it is there, one text alone segment by segment."""
    from asr_s2s.cli.plot import draw_segments
    from asr_s2s.errors import AudioError, TranscriptError
    from asr_s2s.recognizer import Recognizer
    from asr_s2s.transcripts import Transcript, in_channel
    from asr_s2s.transcripts.captions import one_line

    by_name = {one.name: one for one in inputs}
    flows = len(inputs) == 1 and not (output_dir or dialogues) and writer.formats == ["txt"]
    with outcome, Progress(len(inputs), shown=not outcome.quiet) as progress:

        def on_progress(new: "TranscriptionProgress") -> None:
            progress.reach(new.source.name, new.seconds, of=new.duration)
            for segment in new.segments:
                if flows and segment.text:
                    progress.output(one_line(segment.text))
                if live_text:
                    show_segment(segment, new.source.name if len(inputs) > 1 else "")

        for source, result in recognizer.transcribe_many(sources, in_order=output_dir is None, on_progress=on_progress):
            one = by_name[source.name]
            progress.done(result.duration if isinstance(result, Transcript) else 0.0, name=source.name)
            if not isinstance(result, Transcript):
                outcome.failed(str(result))
                continue
            outcome.recognised(one.name, result)
            found = in_channel(result, one.channel, speaker=one.speaker) if one.channel else result
            try:
                files = 0
                for each, transcript in dialogues.add(one, found) if dialogues else [(one, found)]:
                    texts = writer.texts(transcript, folder=each.target(output_dir or Path(), "").parent)
                    if output_dir:
                        write_texts(each, texts, output_dir)
                        files += len(texts)
                    elif not (flows and result.text):
                        _print(each, texts, progress, is_line=each is one and len(inputs) > 1)
                outcome.written(result, files=files)
                if plot and output_dir and isinstance(recognizer, Recognizer):
                    draw_segments(recognizer, source, result, partial(one.target, output_dir))
            except (AudioError, TranscriptError) as error:
                outcome.failed(f"{one.name}: {error}")
    return outcome.finish(output_dir)


def _print(one: Input, texts: dict[str, str], progress: Progress, *, is_line: bool) -> None:
    """Write a transcript to standard output; is_line: a plain text is one line after the recording's name."""
    for name, text in texts.items():
        progress.output(f"{one.name}: {' '.join(text.split())}" if is_line and name == "txt" else text)


def show_segment(segment: "Segment", name: str) -> None:
    """Show a segment that was just recognised."""
    from asr_s2s.transcripts.captions import one_line

    if segment.text:
        say(": ".join([*filter(None, [name]), f"[{moment(segment.start)}] {one_line(segment.text)}"]))
