"""A set of utterances that gives batches: audio, augmentation, features, tokens."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
from asr_s2s.data.readable import check_stated, naming
from asr_s2s.errors import AudioError, ManifestError, listed
from asr_s2s.features import FeatureStatistics, FrontEnd, spec_augment
from asr_s2s.manifest import Utterance
from asr_s2s.text import Vocabulary

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
        durations: Sequence[float] | None = None,
        leave_out: bool = False,
    ) -> None:
        """Take utterances with texts; a duration that nobody states is read from the file's header.

        encoded: how many layers of an encoder the front end ends with, see Batch
        durations: what batches are planned by, of each utterance, whatever becomes of its file
        leave_out: what cannot be read is left out of its batch, see Batch, instead of an error
        """
        self.utterances = tuple(utterances)
        self.front_end = front_end
        self.vocabulary = vocabulary
        self._augment = augment or AugmentConfig()
        self._augmenter = Augmenter.build(self._augment, seed=seed)
        self._cache = feature_cache(cache, front_end) if cache else None
        self._encoded = encoded
        self.durations = list(map(self._seconds, self.utterances)) if durations is None else list(durations)
        self._leave_out = leave_out

    def __len__(self) -> int:
        return len(self.utterances)

    def augmented_durations(self, epoch: int) -> list[float]:
        """Return the durations as varied in an epoch, to plan it by."""
        drawn = (self._augmenter.draw_length(utterance.id, epoch=epoch) for utterance in self.utterances)
        return [variation.duration(seconds) for seconds, variation in zip(self.durations, drawn, strict=True)]

    def longest_durations(self, *, silence: bool = True) -> list[float]:
        """Return the longest durations that may be drawn; silence: with what is added behind the sound."""
        slowest = Variation(min(self._augment.speed), self._augment.trailing_silence[1] if silence else 0.0)
        return list(map(slowest.duration, self.durations))

    def frames(self, seconds: Sequence[float]) -> list[int]:
        """Count the feature frames of recordings of so many seconds."""
        samples = torch.tensor([round(each * SAMPLE_RATE) for each in seconds])
        lengths: list[int] = self.front_end.lengths(samples).tolist()
        return lengths

    def most_tokens(self) -> list[int]:
        """Count the tokens of each text, spelled at the greatest length."""
        texts = [utterance.text or "" for utterance in self.utterances]
        if any(self._augment.merge_dropout):
            return [len(text.encode()) for text in texts]
        return [len(self.vocabulary.encode(text)) for text in texts]

    def batch(self, indices: Sequence[int], *, epoch: int = 0, augmented: bool = False) -> Batch:
        """Make the batch of these utterances, as they are or as augmented in an epoch.

        Raises AudioError or VocabularyError that names the utterance and its manifest line.
        """
        utterances, rows, unreadable = [], [], {}
        for item in (self.utterances[index] for index in indices):
            variation = self._augmenter.draw(item.id, epoch=epoch) if augmented else UNCHANGED
            try:
                rows.append(self._filterbank(item, variation))
                utterances.append(item)
            except AudioError as error:
                if not self._leave_out:
                    raise
                unreadable[item.id] = str(error)
        if not rows:
            return Batch.empty(unreadable)
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
            unreadable=unreadable,
        )

    def made_up(self, *, frames: int, tokens: int) -> Batch:
        """Make a batch of one silent utterance, to measure what such lengths need."""
        return Batch(
            ids=("made up",),
            features=torch.zeros(1, frames, self.front_end.feature_size),
            feature_lengths=torch.tensor([frames]),
            tokens=torch.full((1, tokens), self.vocabulary.size - 1),
            token_lengths=torch.tensor([tokens]),
            texts=("",),
            encoded=self._encoded,
        )

    def recorded(self, index: int, *, epoch: int) -> NDArray[np.float32]:
        """Return an utterance's samples (time,) at the speed drawn for an epoch, and otherwise as recorded.

        Raises AudioError that names the utterance and its manifest line.
        """
        utterance = self.utterances[index]
        with naming(utterance):
            return vary(_samples(utterance), Variation(speed=self._speed(utterance, epoch)))

    def recorded_key(self, index: int, *, epoch: int) -> str:
        """Name all that `recorded` depends on."""
        utterance = self.utterances[index]
        return samples_key(utterance, speed=self._speed(utterance, epoch))

    def statistics(self, *, threads: int = 2) -> FeatureStatistics:
        """Sum up the features of all utterances that can be read, unvaried and not normalised, to normalise by them.

        Raises ManifestError if none can be read.
        """
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(self._statistics_of, self.utterances))
        found = [part for part in parts if isinstance(part, FeatureStatistics)]
        if not found:
            faults = [str(part) for part in parts if isinstance(part, AudioError)]
            raise ManifestError(f"None of {len(self)} utterances can be read: {listed(faults)}")
        return reduce(add, found)

    def _statistics_of(self, utterance: Utterance) -> FeatureStatistics | AudioError:
        try:
            features = self._filterbank(utterance, UNCHANGED)
        except AudioError as error:
            return error
        return FeatureStatistics.of(features[None], torch.tensor([len(features)]))

    def _filterbank(self, utterance: Utterance, variation: Variation) -> Tensor:
        """Return the features (time, mel) of one utterance before normalisation, from the cache where they can be."""
        with naming(utterance):
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
        with naming(utterance):
            if epoch is None:
                return torch.tensor(self.vocabulary.encode(text), dtype=torch.long)
            varied = self._augmenter.encode(utterance.id, text, epoch=epoch, vocabulary=self.vocabulary)
            return torch.tensor(varied, dtype=torch.long)

    @staticmethod
    def _seconds(utterance: Utterance) -> float:
        with naming(utterance):
            return seconds_of(utterance)


def _samples(utterance: Utterance) -> NDArray[np.float32]:
    samples = read_audio(utterance.audio_path, offset=utterance.offset, duration=utterance.duration)
    check_stated(utterance, len(samples) / SAMPLE_RATE)
    return samples
