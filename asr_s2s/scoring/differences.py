"""How two systems differ on the same references."""

import numpy as np

from asr_s2s.scoring.bootstrap import by_block, difference
from asr_s2s.scoring.report import Difference, Report
from asr_s2s.scoring.significance import MatchedSegments, mcnemar, sign_test


def difference_of(first: Report, second: Report, segments: MatchedSegments) -> Difference:
    """Compare two systems on the utterances that both were scored on."""
    _, in_first, in_second = np.intersect1d(
        first.counts.places, second.counts.places, assume_unique=True, return_indices=True
    )
    one, other = first.counts.words[in_first], second.counts.words[in_second]
    errors, other_errors, lengths = one[:, :3].sum(axis=1), other[:, :3].sum(axis=1), one[:, 3]
    num_words = int(lengths.sum())
    points = (int(other_errors.sum()) - int(errors.sum())) / num_words if num_words else 0.0
    speakers = first.counts.speakers
    several = speakers is not None and len(np.unique(speakers[in_first])) > 1
    blocks = speakers[in_first] if speakers is not None and several else np.arange(len(lengths))
    by_blocks = (by_block(blocks, column) for column in (errors, other_errors, lengths))
    low, high, p_bootstrap = difference(*by_blocks) or (points, points, 1.0)
    return Difference(
        first=first.system,
        second=second.system,
        points=points,
        low=low,
        high=high,
        p_bootstrap=p_bootstrap,
        p_mapsswe=segments.p,
        p_sign=sign_test(errors, other_errors),
        p_mcnemar=mcnemar(errors, other_errors),
        num_utterances=len(lengths),
        num_segments=segments.count,
    )
