"""From manifests to padded batches: the plan of an epoch, augmentation, features, splits and checks."""

from asr_s2s.data.batch import Batch
from asr_s2s.data.cache import TensorCache
from asr_s2s.data.checks import check_utterances
from asr_s2s.data.config import AugmentConfig, DataConfig, NoiseConfig, RoomConfig, SpecAugmentConfig
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.data.loading import load_batches
from asr_s2s.data.plan import cost_of, epoch_plan, padding_share
from asr_s2s.data.readable import seconds_by_decoding, seconds_by_headers
from asr_s2s.data.sets import assert_none_excluded, read_manifests
from asr_s2s.data.split import Split, split_dev

__all__ = [
    "AugmentConfig",
    "Batch",
    "DataConfig",
    "NoiseConfig",
    "RoomConfig",
    "SpecAugmentConfig",
    "SpeechDataset",
    "Split",
    "TensorCache",
    "assert_none_excluded",
    "check_utterances",
    "cost_of",
    "epoch_plan",
    "load_batches",
    "padding_share",
    "read_manifests",
    "seconds_by_decoding",
    "seconds_by_headers",
    "split_dev",
]
