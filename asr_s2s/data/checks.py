"""What is wrong with a training set, found before the first step and told all at once."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from asr_s2s.errors import ManifestError, listed
from asr_s2s.manifest import Utterance
from asr_s2s.text import Vocabulary, unknown_characters

# Nobody says 50 characters a second: the fastest of 11,000 clips of eight corpora has 28. The text is another clip's.
FASTEST_TOKEN_SECONDS = 0.02


def check_utterances(
    utterances: Sequence[Utterance],
    vocabulary: Vocabulary,
    *,
    token_seconds: float = FASTEST_TOKEN_SECONDS,
    max_tokens: int | None = None,
    allow_empty: bool = False,
) -> None:
    """Refuse utterances that cannot be learned from.

    token_seconds: the shortest time that a token can take; with CTC the time of one encoder frame
    max_tokens: the longest text that the decoder can write, where it is bounded
    allow_empty: an empty text says that nobody speaks
    Raises ManifestError with the count and the first utterances of each fault: no text, empty text, characters that
    the vocabulary cannot spell, too short for the text, too long for the decoder.
    """
    spelled = [(item.id, item.text) for item in utterances if item.text]
    faults = {
        f"have {character!r}, which the vocabulary cannot spell. Fix the text, or make the vocabulary from it": names
        for character, names in sorted(unknown_characters(spelled, vocabulary).items())
    }
    unspeakable = {name for names in faults.values() for name in names}
    found = defaultdict(list, faults)
    for item in utterances:
        where = f"{item.id} ({item.origin})" if item.origin else item.id
        if item.text is None:
            found["have no 'text'. Add it"].append(where)
        elif not item.text.strip():
            if not allow_empty:
                advice = "Take them out of what is trained on, or set data.allow_empty where nobody speaks in them"
                found[f"have an empty text. {advice}"].append(where)
        elif item.id not in unspeakable:
            tokens = vocabulary.encode(item.text)
            shortest = _num_steps(tokens) * token_seconds
            if item.duration is not None and item.duration < shortest:
                short = f"{where}: {item.duration:.2f} s for a text of at least {shortest:.2f} s"
                found["are too short for their text. Fix the text or the duration"].append(short)
            if max_tokens is not None and len(tokens) > max_tokens:
                advice = f"Cut them into pieces, or raise model.decoder.max_tokens, which leaves room for {max_tokens}"
                found[f"are too long for the decoder. {advice}"].append(f"{where}: {len(tokens)} tokens")
    if found:
        lines = [f"{len(names)} {fault}: {listed(names)}" for fault, names in found.items()]
        raise ManifestError("\n".join([f"Of {len(utterances)} utterances these cannot be trained on:", *lines]))


def _num_steps(tokens: list[int]) -> int:
    """Count the frames that CTC needs: one a token, and a blank between equal neighbours."""
    return len(tokens) + sum(first == second for first, second in pairwise(tokens))
