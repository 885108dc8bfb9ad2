"""When each token was said: the path through an attention, or through CTC's probabilities, that agrees best with it.

Graves 2006: Graves et al., "Connectionist temporal classification", ICML 2006 (the paths that spell a label sequence).
Kim 2020: Kim et al., "Glow-TTS: a generative flow for text-to-speech via monotonic alignment search", NeurIPS 2020,
algorithm 1, with a free start and a free end: nobody speaks there.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

# Chosen on training commands whose word times are known (tools/bench/word_times.py): 40 ms median error with these, and
# with less of both the first word begins with the silence before it
FAINT = 0.03  # a share of attention that is hardly any
CLEAR = 0.3  # of the spread among tokens


def token_frames(attention: Tensor) -> list[tuple[int, int]]:
    """Give each token's frames, from the first up to the one after its last; tokens follow each other without gaps.

    attention: (token, time'), of the frames that hold sound alone; where there are fewer frames than tokens, those at
    the end have none
    """
    num_tokens, num_frames = attention.shape
    if num_tokens == 0:
        return []
    if num_frames < num_tokens:
        edges = [min(token, num_frames) for token in range(num_tokens + 1)]
    else:
        edges = _best_edges(_contrast(attention.double().cpu().numpy()))
    return list(itertools.pairwise(edges))


def ctc_token_frames(log_probs: Tensor, tokens: Sequence[int], *, blank: int) -> list[tuple[int, int]]:
    """Give each token's frames on the most probable path that spells the tokens (Graves 2006, section 4.1).

    It is what torchaudio.functional.forced_align finds, which the core install is without. Frames of the blank belong
    to no token. Where there are fewer frames than the path needs, those at the end have none.
    log_probs: (time', vocabulary), of the frames that hold sound alone
    """
    num_frames = len(log_probs)
    repeats = sum(one == other for one, other in itertools.pairwise(tokens))
    if not tokens:
        return []
    if num_frames < len(tokens) + repeats:
        edges = [min(token, num_frames) for token in range(len(tokens) + 1)]
        return list(itertools.pairwise(edges))
    labels = np.full(2 * len(tokens) + 1, blank)
    labels[1::2] = tokens
    path = _best_labels(log_probs.double().cpu().numpy()[:, labels], labels)
    frames = [np.flatnonzero(path == 2 * token + 1) for token in range(len(tokens))]
    return [(int(found[0]), int(found[-1]) + 1) for found in frames]


def _best_labels(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the place in the labels (blank, token, blank, ..., blank) of each frame on the best path.

    scores: (frame, label)
    """
    may_skip = np.zeros(len(labels), bool)  # the blank between two different tokens
    may_skip[3::2] = labels[3::2] != labels[1:-2:2]
    best = np.full(len(labels), -np.inf)
    best[:2] = scores[0, :2]
    steps = np.zeros(scores.shape, np.int64)  # how many labels further than a frame before
    for frame in range(1, len(scores)):
        came = np.stack([best, np.append(-np.inf, best[:-1]), np.append([-np.inf] * 2, best[:-2])])
        came[2, ~may_skip] = -np.inf
        steps[frame] = came.argmax(axis=0)
        best = came.max(axis=0) + scores[frame]
    place = len(labels) - 1 if best[-1] > best[-2] else len(labels) - 2
    path = np.empty(len(scores), np.int64)
    for frame in reversed(range(len(scores))):
        path[frame] = place
        place -= int(steps[frame, place])
    return path


def _contrast(attention: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how much more a token attends to each frame than the other tokens do; below 0 where it does not clearly.

    A single token has no others: its frames are compared with each other.
    """
    shares = attention / np.maximum(attention.sum(axis=1, keepdims=True), 1e-12)
    axis = 0 if len(shares) > 1 else 1
    spread = shares.std(axis=axis, keepdims=True)
    return np.asarray((shares - shares.mean(axis=axis, keepdims=True)) / (spread + FAINT) - CLEAR)


def _best_edges(weights: NDArray[np.float64]) -> list[int]:
    """Find the first frame of each token and the end of the last, such that the sum of weights on the path is largest.

    weights: (token, frame), at least as many frames as tokens
    """
    num_tokens, num_frames = weights.shape
    entered = np.zeros((num_tokens, num_frames), bool)  # the best path to here comes from the token before
    best = np.full(num_tokens, -np.inf)
    last = np.empty(num_frames)  # best sum of a path whose last token is on this frame
    for frame in range(num_frames):
        before = np.concatenate([[0.0], best[:-1]])
        entered[:, frame] = before > best
        best = np.maximum(before, best) + weights[:, frame]
        last[frame] = best[-1]
    frame = int(last.argmax())
    edges = [frame + 1]
    for token in reversed(range(num_tokens)):
        while not entered[token, frame]:
            frame -= 1
        edges.append(frame)
        frame -= 1
    return edges[::-1]
