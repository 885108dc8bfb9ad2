"""From samples to a sound file, whole or not at all."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr_s2s.audio.decoder import BLOCK_SECONDS
from asr_s2s.errors import AudioError
from asr_s2s.files import atomic_write

SUBTYPES = {".wav": "PCM_16", ".flac": "PCM_16", ".ogg": "VORBIS", ".opus": "OPUS"}


def write_audio(path: Path, samples: NDArray[np.float32], *, sample_rate: int) -> None:
    """Write one channel in the format that the suffix names; what lies beyond [-1, 1] is clipped.

    samples: (time,)
    Raises AudioError for an unknown suffix, a rate the format lacks, and samples that are no numbers.
    """
    subtype = SUBTYPES.get(path.suffix.lower())
    if subtype is None:
        raise AudioError(f"{path}: the suffix '{path.suffix}' names no format. Use {', '.join(SUBTYPES)}.")
    if not np.isfinite(samples).all():
        raise AudioError(f"{path}: is not written: the samples hold NaN or infinite values.")
    container = "OGG" if subtype in ("VORBIS", "OPUS") else path.suffix[1:].upper()
    step = round(
        BLOCK_SECONDS * sample_rate
    )  # libsndfile 1.2.2 crashes when it encodes 2.1 million samples as Vorbis at once
    try:
        with (
            atomic_write(path) as temporary,
            soundfile.SoundFile(temporary, "w", sample_rate, 1, subtype, format=container) as file,
        ):
            for start in range(0, len(samples), step):
                file.write(samples[start : start + step])
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"{path}: cannot be written at {sample_rate} Hz ({error.error_string.strip(' .')}). "
            "Use another rate or format."
        ) from error
