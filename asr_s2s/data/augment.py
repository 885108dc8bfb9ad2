"""How one utterance is varied in one epoch: drawn from (seed, epoch, id), whatever the order, thread or process."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, add_reverberation, audio_duration, change_speed, mix_noise, read_audio
from asr_s2s.data.config import AugmentConfig
from asr_s2s.data.seeds import stable_seed
from asr_s2s.errors import AudioError, ConfigError, ManifestError
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.text import BytePairVocabulary, Vocabulary

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """A noise or an impulse response."""

    path: Path
    offset: float  # seconds
    duration: float  # seconds


@dataclass(frozen=True)
class Variation:
    """What was drawn for one utterance in one epoch."""

    speed: float = 1.0
    trailing_silence: float = 0.0  # seconds
    room: Recording | None = None
    noise: Recording | None = None
    noise_position: float = 0.0  # where in the noise the piece begins, 0 to 1
    snr_db: float = 0.0
    gain_db: float = 0.0

    @property
    def only_speed(self) -> bool:
        """Whether the samples depend on the speed factor alone, so that their features can be kept."""
        return self == Variation(speed=self.speed)

    def duration(self, seconds: float) -> float:
        """Return the seconds that a recording of so many seconds has when it is varied."""
        return seconds / self.speed + self.trailing_silence


@dataclass(frozen=True)
class Augmenter:
    """Draws variations; each kind has its own random stream, so that switching one on leaves the others alone."""

    config: AugmentConfig
    seed: int
    noises: tuple[Recording, ...]
    rooms: tuple[Recording, ...]

    @classmethod
    def build(cls, config: AugmentConfig, *, seed: int) -> "Augmenter":
        """Read the manifests of noises and rooms; lines may say `kind`: "noise" or "rir", and one file may hold both.

        Raises ManifestError if a manifest is broken or holds nothing of the kind.
        """
        noises = _recordings(Path(config.noise.manifest), kind="noise") if config.noise else ()
        rooms = _recordings(Path(config.rooms.manifest), kind="rir") if config.rooms else ()
        return cls(config, seed, noises, rooms)

    def draw_length(self, utterance_id: str, *, epoch: int) -> Variation:
        """Draw what makes an utterance longer or shorter: its speed and the silence after it."""
        speeds, silences = self.config.speed, self.config.trailing_silence
        speed, silence = speeds[0], silences[0]
        if len(speeds) > 1:  # a stream takes longer to set up than to draw from, and an epoch is planned by all lengths
            speed = speeds[int(self._stream(epoch, utterance_id, "speed").integers(len(speeds)))]
        if silences[0] < silences[1]:
            silence = self._stream(epoch, utterance_id, "silence").uniform(*silences)
        return Variation(speed=speed, trailing_silence=silence)

    def draw(self, utterance_id: str, *, epoch: int) -> Variation:
        """Draw the variation of one utterance in one epoch."""
        gain_db = self._stream(epoch, utterance_id, "gain").uniform(*self.config.gain_db)
        room, noise, position, snr_db = None, None, 0.0, 0.0
        if self.config.rooms:
            stream = self._stream(epoch, utterance_id, "room")
            if stream.random() < self.config.rooms.probability:
                room = self.rooms[int(stream.integers(len(self.rooms)))]
        if self.config.noise:
            stream = self._stream(epoch, utterance_id, "noise")
            if stream.random() < self.config.noise.probability:
                noise = self.noises[int(stream.integers(len(self.noises)))]
                position, snr_db = stream.random(), stream.uniform(*self.config.noise.snr_db)
        return replace(
            self.draw_length(utterance_id, epoch=epoch),
            room=room,
            noise=noise,
            noise_position=position,
            snr_db=snr_db,
            gain_db=gain_db,
        )

    def generator(self, utterance_id: str, *, epoch: int) -> torch.Generator:
        """Make the generator for the masks of one utterance's features in one epoch."""
        return torch.Generator().manual_seed(stable_seed(self.seed, epoch, utterance_id, "specaugment"))

    def encode(self, utterance_id: str, text: str, *, epoch: int, vocabulary: Vocabulary) -> list[int]:
        """Spell one utterance's text as it is varied in one epoch."""
        if not any(self.config.merge_dropout):
            return vocabulary.encode(text)
        assert isinstance(vocabulary, BytePairVocabulary), "training refuses the setting for any other"
        stream = self._stream(epoch, utterance_id, "merges")
        return vocabulary.encode_varied(text, dropout=stream.uniform(*self.config.merge_dropout), random=stream)

    def _stream(self, epoch: int, utterance_id: str, kind: str) -> np.random.Generator:
        return np.random.default_rng(stable_seed(self.seed, epoch, utterance_id, kind))


def vary(samples: Samples, variation: Variation) -> Samples:
    """Apply a variation to samples (time,) at 16 kHz: speed, silence, the room, noise (with its own room), level."""
    if variation.speed != 1.0:
        samples = change_speed(samples, variation.speed)
    if variation.trailing_silence:  # before the room, which rings into it, and the noise, which goes on
        samples = np.pad(samples, (0, round(variation.trailing_silence * SAMPLE_RATE)))
    if variation.room:
        room = variation.room
        samples = add_reverberation(samples, _read(room, offset=room.offset, duration=room.duration))
    if variation.noise:
        samples = _with_noise(samples, variation.noise, position=variation.noise_position, snr_db=variation.snr_db)
    if variation.gain_db:
        samples = samples * np.float32(10.0 ** (variation.gain_db / 20))
    return samples


def _with_noise(samples: Samples, noise: Recording, *, position: float, snr_db: float) -> Samples:
    """Read no more of a long noise than is needed; loop a short one."""
    needed = len(samples) / SAMPLE_RATE
    if noise.duration > needed:
        offset = noise.offset + position * (noise.duration - needed)
        return mix_noise(samples, _read(noise, offset=offset, duration=needed), snr_db=snr_db, start=0)
    piece = _read(noise, offset=noise.offset, duration=noise.duration)
    return mix_noise(samples, piece, snr_db=snr_db, start=int(position * len(piece)))


def _read(recording: Recording, *, offset: float, duration: float) -> Samples:
    """Read a noise or a room; that it cannot be read is no fault of the utterance that is varied by it."""
    try:
        return read_audio(recording.path, offset=offset, duration=duration)
    except AudioError as error:
        raise ConfigError(f"data.augment: {error}") from error


def seconds_of(utterance: Utterance) -> float:
    """Return an utterance's duration, from the manifest or else from the file's header."""
    if utterance.duration is not None:
        return utterance.duration
    return audio_duration(utterance.audio_path) - utterance.offset


def _recordings(manifest: Path, *, kind: str) -> tuple[Recording, ...]:
    utterances = [item for item in read_manifest(manifest) if item.extra.get("kind", kind) == kind]
    if not utterances:
        raise ManifestError(f"{manifest}: holds no recording of the kind '{kind}'. Name a manifest that does.")
    return tuple(Recording(item.audio_path, item.offset, seconds_of(item)) for item in utterances)
