"""What hot words do: recall of rare words and word error rate without and with them.

Needs pip install wordfreq, which says what is rare.

usage: hotwords.py MANIFEST... [--model en] [--rarer 2e-6] [--more FILE] [--bonus 0.5,1,1.5,2] [--output FILE]

Every rare word of the references is in the list, in its spelling there, and with it the lines of --more, which nobody
says. The bonus is chosen on training sets; an evaluation set is for the figure of the default alone.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from record import record
from wordfreq import word_frequency

from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.recognizer import DecodeOptions, Recognizer, load
from asr_s2s.scoring import word_errors
from asr_s2s.text.normalizers import normalizer
from asr_s2s.transcripts import Transcript


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--model", default="en")
    parser.add_argument("--rarer", type=float, default=2e-6, help="share of all words below which one is rare")
    parser.add_argument("--more", type=Path)
    parser.add_argument("--bonus", default="")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    clips = [clip for manifest in arguments.manifests for clip in read_manifest(manifest)]
    rare = sorted(rare_words([clip.text or "" for clip in clips], limit=arguments.rarer))
    more = arguments.more.read_text(encoding="utf-8").split() if arguments.more else []
    print(f"{len(rare)} rare words, {len(more)} that nobody says: {', '.join(rare[:20])} ...")
    bonuses = [float(value) for value in arguments.bonus.split(",") if value] or [None]
    rows = [measured(arguments.model, clips, rare, words=[], bonus=None)]
    rows += [measured(arguments.model, clips, rare, words=[*rare, *more], bonus=bonus) for bonus in bonuses]
    if arguments.output:
        record(arguments.output, rows)


def rare_words(texts: Sequence[str], *, limit: float) -> set[str]:
    """Find words of five letters and more that are rarer than the limit, not in capitals alone."""
    words = {word for text in texts if not text.isupper() for word in re.findall(r"[A-Za-z][A-Za-z']{4,}", text)}
    return {word for word in words if word_frequency(word, "en") < limit}


def measured(
    model: str, clips: Sequence[Utterance], rare: Sequence[str], *, words: Sequence[str], bonus: float | None
) -> dict[str, Any]:
    ready = load(model).model
    if bonus is not None:
        ready = ready.with_search(hotword_bonus=bonus)
    recognizer = Recognizer(ready, DecodeOptions(hotwords=tuple(words)))
    results = [result for _, result in recognizer.transcribe_many(clips)]
    texts = [result.text if isinstance(result, Transcript) else "" for result in results]
    normalise = normalizer("whisper-english").apply
    names = {normalise(word) for word in rare}
    spoken: Counter[str] = Counter()
    found: Counter[str] = Counter()
    invented = 0
    for clip, text in zip(clips, texts, strict=True):
        said, heard = (Counter(w for w in normalise(t).split() if w in names) for t in (clip.text or "", text))
        spoken += said
        found += said & heard
        invented += (heard - said).total()
    errors = word_errors([normalise(clip.text or "") for clip in clips], [normalise(text) for text in texts])
    row = {
        "hot words": len(words),
        "bonus": bonus if words else None,
        "rare words said": spoken.total(),
        "recall": round(100 * found.total() / max(spoken.total(), 1), 1),
        "written but not said": invented,
        "wer": round(errors.percent, 2),
    }
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    main()
