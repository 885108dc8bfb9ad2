"""Single words and short phrases, spoken by flite: what sentences do not teach is to end after one word.

Needs flite (Debian: flite) and, in the environment of asr-s2s, pip install wordfreq.

usage: words.py OUTPUT [--count 4800] [--phrases MANIFEST...]

Words are drawn by the root of their frequency, beside letters, numbers, days and months; phrases of two to four words
come from the texts of training manifests. OUTPUT gets manifest.jsonl and audio/.
"""

import argparse
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from wordfreq import top_n_list, word_frequency

from asr_s2s.audio import audio_duration
from asr_s2s.manifest import Utterance, read_manifest, write_manifest

VOICES = ("kal16", "awb", "rms", "slt")
COMMON = 5000
NAMED = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million first second third fourth fifth
sixth seventh eighth ninth tenth January February March April May June July August September October November December
Monday Tuesday Wednesday Thursday Friday Saturday Sunday yes no hello goodbye thanks stop go left right up down on off
A B C D E F G H I J K L M N O P Q R S T U V W X Y Z
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=4800)
    parser.add_argument("--phrases", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    random = np.random.default_rng(1)
    texts = [spoken.text or "" for manifest in arguments.phrases for spoken in read_manifest(manifest)]
    words = [word for word in top_n_list("en", COMMON) if re.fullmatch("[a-z]{2,}", word)]
    weights = np.sqrt([word_frequency(word, "en") for word in words])
    chosen = [*NAMED.split(), *random.choice(words, size=arguments.count // 2, p=weights / weights.sum())]
    while len(chosen) < arguments.count and texts:
        found = re.findall(r"[A-Za-z']+", texts[int(random.integers(len(texts)))])
        size = int(random.integers(2, 5))
        if len(found) > size:
            start = int(random.integers(len(found) - size))
            chosen.append(" ".join(found[start : start + size]))
    (arguments.output / "audio").mkdir(parents=True, exist_ok=True)
    prosodies = [
        ["-voice", VOICES[int(random.integers(4))],
         "--setf", f"duration_stretch={random.uniform(0.8, 1.3):.2f}",
         "--setf", f"int_f0_target_mean={random.uniform(80, 220):.0f}"]
        for _ in chosen
    ]  # fmt: skip
    files = [arguments.output / "audio" / f"flite-{number}.wav" for number in range(len(chosen))]
    with ThreadPoolExecutor(2) as pool:
        utterances = list(pool.map(say, files, chosen, prosodies))
    write_manifest(arguments.output / "manifest.jsonl", utterances)
    print(f"{len(utterances)} utterances, {sum(item.duration or 0 for item in utterances) / 60:.1f} minutes")


def say(file: Path, text: str, prosody: list[str]) -> Utterance:
    subprocess.run(["flite", *prosody, "-t", text, "-o", str(file)], check=True, capture_output=True)
    return Utterance(
        id=file.stem,
        audio_path=file.resolve(),
        text=f"{text[:1].upper()}{text[1:]}.",  # as Whisper writes a word alone
        duration=round(audio_duration(file), 3),
        language="en",
        extra={"license": "flite's voices: free for any use", "voice": prosody[1]},
    )


if __name__ == "__main__":
    main()
