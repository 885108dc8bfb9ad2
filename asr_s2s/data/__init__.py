"""From manifests to padded batches: the plan of an epoch, augmentation, features, splits and checks.

What is named here needs no torch; batches, data sets and caches of training are named in modules of their own.
"""

from asr_s2s.data.checks import check_utterances
from asr_s2s.data.plan import cost_of, epoch_plan, padding_share
from asr_s2s.data.readable import seconds_by_decoding, seconds_by_headers
from asr_s2s.data.sets import assert_none_excluded, read_manifests
from asr_s2s.data.split import Split, split_dev

__all__ = [
    "Split",
    "assert_none_excluded",
    "check_utterances",
    "cost_of",
    "epoch_plan",
    "padding_share",
    "read_manifests",
    "seconds_by_decoding",
    "seconds_by_headers",
    "split_dev",
]
