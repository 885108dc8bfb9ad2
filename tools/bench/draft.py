"""Greedy search drafted by CTC beside plain greedy search: are the texts the same, and what time does it take?

usage: draft.py MODEL MANIFEST... [--threads 1]

MODEL has a Transformer decoder and a CTC head. The character error rate of the draft alone is shown with each set: the
draft pays where it is low.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch

from asr_s2s.audio import read_audio
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.model_store import SpeechSystem, load_model
from asr_s2s.recognizer import Recognizer
from asr_s2s.scoring import character_errors
from asr_s2s.search.draft import DraftSearch
from asr_s2s.text.normalizers import normalizer
from asr_s2s.transcripts import Transcript


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    normalise = normalizer("basic").apply
    for manifest in arguments.manifests:
        clips = [clip for clip in read_manifest(manifest) if clip.text]
        references = [normalise(clip.text or "") for clip in clips]
        texts, seconds = {}, {}
        for draft in (False, True, False, True):  # the second time is what counts
            texts[draft], seconds[draft] = searched(load_model(arguments.model), clips, draft=draft)
        same = sum(one == other for one, other in zip(texts[False], texts[True], strict=True))
        rates = [
            character_errors(references, list(map(normalise, found))).percent
            for found in (texts[False], drafts(load_model(arguments.model), clips))
        ]
        print(
            f"{manifest}: {same} of {len(clips)} texts the same; search {seconds[False]:.2f} s, drafted "
            f"{seconds[True]:.2f} s; CER {rates[0]:.1f} %, of the draft alone {rates[1]:.1f} %",
            flush=True,
        )


def searched(system: SpeechSystem, clips: list[Utterance], *, draft: bool) -> tuple[list[str], float]:
    """Transcribe clips; give their texts, and the seconds that the search took of it."""
    search = system.config.search.model_copy(update={"draft": draft})
    system = replace(system, config=system.config.model_copy(update={"search": search}))
    recognizer = Recognizer(system, beam=1, find_speech=False, repair=False)
    plain, seconds = recognizer._search, 0.0

    def timed(*given: torch.Tensor, **options: torch.Tensor) -> object:
        nonlocal seconds
        began = time.perf_counter()
        found = plain(*given, **options)
        seconds += time.perf_counter() - began
        return found

    recognizer._search = timed
    results = [result for _, result in recognizer.transcribe_many(clips)]
    return [result.text if isinstance(result, Transcript) else "" for result in results], seconds


@torch.inference_mode()
def drafts(system: SpeechSystem, clips: list[Utterance]) -> list[str]:
    """Give what CTC alone writes."""
    search = system.config.search.model_copy(update={"draft": True})
    drafted = search.model_copy(update={"beam": 1}).build(system.model.eval(), system.token_rules)
    assert isinstance(drafted, DraftSearch)
    texts = []
    for clip in clips:
        samples = torch.from_numpy(read_audio(clip.audio_path))[None]
        encoded = system.model.encode(*system.front_end(samples, torch.tensor([samples.size(1)])))
        (draft,) = drafted._drafts(*encoded)
        texts.append(system.vocabulary.decode(draft))
    return texts


if __name__ == "__main__":
    main()
