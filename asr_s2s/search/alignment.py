"""When each token was spoken: the path through an attention, or through CTC's probabilities, that agrees best with it.

Graves 2006: Graves et al., "Connectionist temporal classification", ICML 2006 (the paths that spell a label sequence).
Kim 2020: Kim et al., "Glow-TTS: a generative flow for text-to-speech via monotonic alignment search", NeurIPS 2020,
algorithm 1, with frames of no token at both ends and between tokens.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.protocol import Attention, LogProbs

# Chosen on training commands whose word times are known (tools/bench/word_times.py): 40 ms median error with these, and
# with less of both the first word begins with the silence before it
FAINT = 0.03  # a share of attention that is hardly any
CLEAR = 0.2  # of the spread among tokens
STAYED, AFTER_PAUSE = 0, 1  # how a path comes to a token at a frame; otherwise right after the token before


def token_frames(attentions: Sequence[Attention]) -> list[list[tuple[int, int]]]:
    """Return the frames of each token of each hypothesis, from the first up to the one after its last.

    Frames that no token clearly attends to lie between tokens and belong to none: pauses, and speech that the text
    leaves out.
    attentions: (token, time') each, of the frames that hold sound alone; where there are fewer frames than tokens,
        those at the end have none
    """
    weights = [_contrast(attention.astype(np.float64)) for attention in attentions]
    fitting = [place for place, each in enumerate(weights) if 0 < each.shape[0] <= each.shape[1]]
    paths = dict(zip(fitting, _best_paths([weights[place] for place in fitting]), strict=True))
    return [paths[place] if place in paths else _crowded(*each.shape) for place, each in enumerate(weights)]


def _crowded(num_tokens: int, num_frames: int) -> list[tuple[int, int]]:
    """Assign a frame to each token as long as there are any."""
    return list(itertools.pairwise(min(token, num_frames) for token in range(num_tokens + 1)))


def ctc_token_frames(log_probs: LogProbs, tokens: Sequence[int], *, blank: int) -> list[tuple[int, int]]:
    """Return each token's frames on the most probable path that spells the tokens (Graves 2006, section 4.1).

    It is what torchaudio.functional.forced_align finds, which the core install is without. Frames of the blank belong
    to no token. Where there are fewer frames than the path needs, those at the end have none.
    log_probs: (time', vocabulary), of the frames that hold sound alone
    """
    num_frames = len(log_probs)
    repeats = sum(one == other for one, other in itertools.pairwise(tokens))
    if not tokens:
        return []
    if num_frames < len(tokens) + repeats:
        return _crowded(len(tokens), num_frames)
    labels = np.full(2 * len(tokens) + 1, blank)
    labels[1::2] = tokens
    path = _best_labels(log_probs.astype(np.float64)[:, labels], labels)
    frames = [np.flatnonzero(path == 2 * token + 1) for token in range(len(tokens))]
    return [(int(found[0]), int(found[-1]) + 1) for found in frames]


def _best_labels(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place in the labels (blank, token, blank, ..., blank) of each frame on the best path.

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
    if not len(attention):
        return attention
    shares = attention / np.maximum(attention.sum(axis=1, keepdims=True), 1e-12)
    axis = 0 if len(shares) > 1 else 1
    spread = shares.std(axis=axis, keepdims=True)
    return np.asarray((shares - shares.mean(axis=axis, keepdims=True)) / (spread + FAINT) - CLEAR)


def _best_paths(weights: Sequence[NDArray[np.float64]]) -> list[list[tuple[int, int]]]:
    """Find the frames of each token, such that the sum of the weights on them is largest; all texts side by side.

    A path is on a token, or behind one and not yet on the next, which adds nothing; each token has a frame.
    weights: (token, frame) each, at least as many frames as tokens
    """
    if not weights:
        return []
    num_tokens, num_frames = (max(each.shape[axis] for each in weights) for axis in (0, 1))
    padded = np.full((num_frames, len(weights), num_tokens), -np.inf)  # a path waits there behind its last token
    for text, each in enumerate(weights):
        padded[: each.shape[1], text, : each.shape[0]] = each.T
    on = np.full((len(weights), num_tokens), -np.inf)  # the best sum of a path that is on a token
    behind = np.full((len(weights), num_tokens), -np.inf)
    came = np.zeros((num_frames, len(weights), num_tokens), np.int8)
    left = np.zeros((num_frames, len(weights), num_tokens), bool)  # the token, with the frame before
    for frame in range(num_frames):
        entered = np.stack([on, _shifted(behind, first=0.0), _shifted(on, first=-np.inf)])
        left[frame] = on > behind
        behind = np.maximum(on, behind)
        came[frame] = entered.argmax(axis=0)
        on = entered.max(axis=0) + padded[frame]
    return [
        _frames_back(
            came[:, text], left[:, text], len(each), is_behind=behind[text, len(each) - 1] >= on[text, len(each) - 1]
        )
        for text, each in enumerate(weights)
    ]


def _shifted(values: NDArray[np.float64], *, first: float) -> NDArray[np.float64]:
    """Move the values of each token to the next one."""
    return np.concatenate([np.full((len(values), 1), first), values[:, :-1]], axis=1)


def _frames_back(
    came: NDArray[np.int8], left: NDArray[np.bool_], num_tokens: int, *, is_behind: bool
) -> list[tuple[int, int]]:
    """Follow the best path back from its last frame; came and left are (frame, token)."""
    frame, found = len(came) - 1, []
    end = len(came)
    for token in reversed(range(num_tokens)):
        if is_behind:
            while not left[frame, token]:
                frame -= 1
            end, frame = frame, frame - 1
        while came[frame, token] == STAYED:
            frame -= 1
        found.append((frame, end))
        is_behind = bool(came[frame, token] == AFTER_PAUSE)
        end, frame = frame, frame - 1
    return found[::-1]
