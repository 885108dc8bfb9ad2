"""When each token was said: the path through an attention that agrees best with moving from token to token.

Kim 2020: Kim et al., "Glow-TTS: a generative flow for text-to-speech via monotonic alignment search", NeurIPS 2020,
algorithm 1, with a free start and a free end: nobody speaks there.
"""

import itertools

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
