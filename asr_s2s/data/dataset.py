"""A set of utterances that gives batches: audio, augmentation, features, tokens."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.audio import SAMPLE_RATE, read_audio
from asr_s2s.data.augment import Augmenter, Variation, seconds_of, vary
from asr_s2s.data.batch import Batch
from asr_s2s.data.cache import feature_cache, samples_key
from asr_s2s.data.config import AugmentConfig
from asr_s2s.errors import AudioError, ManifestError, VocabularyError
from asr_s2s.features import FeatureStatistics, FrontEnd, spec_augment
from asr_s2s.manifest import Utterance
from asr_s2s.text import Vocabulary

NUM_FAULTS_SHOWN = 20
UNCHANGED = Variation()


class SpeechDataset:
    """Batches of utterances; a batch depends on (indices, epoch) alone, so that any thread may make any batch.

    Features are made on the CPU, where the front end has to stay.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        front_end: FrontEnd,
        *,
        vocabulary: Vocabulary,
        augment: AugmentConfig | None = None,
        seed: int = 0,
        cache: Path | None = None,
        encoded: int | None = None,
    ) -> None:
        """Take utterances with texts; a duration that the manifest leaves out is read from the file's header.

        encoded: how many layers of an encoder the front end ends with, see Batch
        """
        self.utterances = tuple(utterances)
        self.front_end = front_end
        self.vocabulary = vocabulary
        self._augment = augment or AugmentConfig()
        self._augmenter = Augmenter.build(self._augment, seed=seed)
        self._cache = feature_cache(cache, front_end) if cache else None
        self._encoded = encoded
        self.durations = [self._seconds(utterance) for utterance in self.utterances]

    def __len__(self) -> int:
        return len(self.utterances)

    def augmented_durations(self, epoch: int) -> list[float]:
        """Give the durations as varied in an epoch, to plan it by."""
        drawn = (self._augmenter.draw_length(utterance.id, epoch=epoch) for utterance in self.utterances)
        return [variation.duration(seconds) for seconds, variation in zip(self.durations, drawn, strict=True)]

    def longest_durations(self) -> list[float]:
        """Give the durations at the slowest speed that may be drawn, without what is added behind the sound."""
        return [seconds / min(self._augment.speed) for seconds in self.durations]

    def batch(self, indices: Sequence[int], *, epoch: int = 0, augmented: bool = False) -> Batch:
        """Make the batch of these utterances, as they are or as augmented in an epoch.

        Raises AudioError or VocabularyError that names the utterance and its manifest line.
        """
        utterances = [self.utterances[index] for index in indices]
        rows = [
            self._filterbank(item, self._augmenter.draw(item.id, epoch=epoch) if augmented else UNCHANGED)
            for item in utterances
        ]
        feature_lengths = torch.tensor([len(row) for row in rows])
        padded = pad_sequence(rows, batch_first=True).float()  # encoded speech is kept narrower
        features = self.front_end.normalize(padded, feature_lengths)
        if augmented and (masks := self._augment.specaugment):
            features = spec_augment(
                features,
                feature_lengths,
                **masks.model_dump(),
                generators=[self._augmenter.generator(item.id, epoch=epoch) for item in utterances],
            )
        tokens = [self._tokens(item, epoch=epoch if augmented else None) for item in utterances]
        return Batch(
            ids=tuple(item.id for item in utterances),
            features=features,
            feature_lengths=feature_lengths,
            tokens=pad_sequence(tokens, batch_first=True),
            token_lengths=torch.tensor([len(row) for row in tokens]),
            texts=tuple(item.text or "" for item in utterances),
            encoded=self._encoded,
        )

    def recorded(self, index: int, *, epoch: int) -> NDArray[np.float32]:
        """Give an utterance's samples (time,) at the speed drawn for an epoch, and otherwise as recorded.

        Raises AudioError that names the utterance and its manifest line.
        """
        utterance = self.utterances[index]
        with _naming(utterance):
            return vary(_samples(utterance), Variation(speed=self._speed(utterance, epoch)))

    def recorded_key(self, index: int, *, epoch: int) -> str:
        """Name all that `recorded` depends on."""
        utterance = self.utterances[index]
        return samples_key(utterance, speed=self._speed(utterance, epoch))

    def statistics(self, *, threads: int = 2) -> FeatureStatistics:
        """Sum up the features of all utterances, unvaried and not normalised, for global normalisation.

        Raises ManifestError that lists every utterance whose audio cannot be read.
        """
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(self._statistics_of, self.utterances))
        if faults := [str(part) for part in parts if isinstance(part, AudioError)]:
            shown = "\n".join(faults[:NUM_FAULTS_SHOWN])
            rest = f"\nand {len(faults) - NUM_FAULTS_SHOWN} more" if len(faults) > NUM_FAULTS_SHOWN else ""
            raise ManifestError(f"{len(faults)} of {len(self)} utterances cannot be read:\n{shown}{rest}")
        return reduce(add, (part for part in parts if isinstance(part, FeatureStatistics)))

    def _statistics_of(self, utterance: Utterance) -> FeatureStatistics | AudioError:
        try:
            features = self._filterbank(utterance, UNCHANGED)
        except AudioError as error:
            return error
        return FeatureStatistics.of(features[None], torch.tensor([len(features)]))

    def _filterbank(self, utterance: Utterance, variation: Variation) -> Tensor:
        """Give the features (time, mel) of one utterance before normalisation, from the cache where they can be."""
        with _naming(utterance):
            if self._cache is None or not variation.only_speed:
                return self._compute(utterance, variation)
            key = samples_key(utterance, speed=variation.speed)
            found = self._cache.read(key)
            if found is None:
                found = {"features": self._compute(utterance, variation)}
                self._cache.write(key, found)
            return found["features"]

    def _compute(self, utterance: Utterance, variation: Variation) -> Tensor:
        samples = vary(_samples(utterance), variation)
        sample_lengths = torch.tensor([len(samples)])
        num_frames = int(self.front_end.lengths(sample_lengths))
        if num_frames == 0:
            raise AudioError(f"{utterance.audio_path}: {len(samples)} samples are less than one frame. Leave it out.")
        return self.front_end.filterbank(torch.from_numpy(samples)[None], sample_lengths)[0, :num_frames].contiguous()

    def _speed(self, utterance: Utterance, epoch: int) -> float:
        return self._augmenter.draw_length(utterance.id, epoch=epoch).speed

    def _tokens(self, utterance: Utterance, *, epoch: int | None) -> Tensor:
        """Spell the text of an utterance, as varied in an epoch or as it is."""
        text = utterance.text or ""
        with _naming(utterance):
            if epoch is None:
                return torch.tensor(self.vocabulary.encode(text), dtype=torch.long)
            varied = self._augmenter.encode(utterance.id, text, epoch=epoch, vocabulary=self.vocabulary)
            return torch.tensor(varied, dtype=torch.long)

    @staticmethod
    def _seconds(utterance: Utterance) -> float:
        with _naming(utterance):
            return seconds_of(utterance)


def _samples(utterance: Utterance) -> NDArray[np.float32]:
    samples = read_audio(utterance.audio_path, offset=utterance.offset, duration=utterance.duration)
    if utterance.duration is not None and len(samples) / SAMPLE_RATE < 0.9 * utterance.duration - 0.1:
        held = f"{len(samples) / SAMPLE_RATE:.2f} s from {utterance.offset:.2f} s on"
        raise AudioError(
            f"{utterance.audio_path}: holds {held}, {utterance.duration:.2f} s were stated. Mend the manifest or file."
        )
    return samples


@contextmanager
def _naming(utterance: Utterance) -> Iterator[None]:
    """Put the manifest line and the utterance's name before a message."""
    try:
        yield
    except (AudioError, VocabularyError) as error:
        where = f"{utterance.origin}: " if utterance.origin else ""
        raise type(error)(f"{where}utterance '{utterance.id}': {error}") from error
