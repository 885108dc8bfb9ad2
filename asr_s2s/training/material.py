"""What a run is made from: utterances divided into training and development, a vocabulary, a front end, a model."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from asr_s2s.audio import SAMPLE_RATE
from asr_s2s.data import check_utterances, read_manifests, split_dev
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.decoding import SearchConfig
from asr_s2s.errors import ConfigError, ManifestError, listed
from asr_s2s.manifest import Utterance
from asr_s2s.model_store.directory import ModelDirectoryConfig, SpeechSystem, build_system
from asr_s2s.models.losses import fits_ctc
from asr_s2s.text import BytePairVocabulary, CharactersConfig, CharacterVocabulary
from asr_s2s.training.experiment import ExperimentConfig
from asr_s2s.training.frozen import encoded_front_end, frozen_layers

TRAIN, UNUSED, GENERAL, GENERAL_UNUSED = "train", "unused", "general", "general_unused"
SETS = (TRAIN, "dev", "test", UNUSED, GENERAL, GENERAL_UNUSED)


@dataclass(frozen=True)
class Material:
    """Utterances to train on, to evaluate on after each epoch, and to judge the result by."""

    sets: dict[str, list[Utterance]]  # every utterance, by the set of SETS that it is in
    dev_left_out: int  # development utterances beyond training.dev_utterances
    unsure: int  # pseudo-labels below data.min_confidence, left out
    too_long: int = 0  # longer than data.max_seconds, left out
    seconds: list[float] = field(default_factory=list)  # of what is trained on, to plan epochs by
    unreadable: dict[str, str] = field(default_factory=dict)  # of what is trained on, by id: why it cannot be read

    @property
    def train(self) -> list[Utterance]:
        """What is trained on."""
        return self.sets[TRAIN]

    @property
    def dev(self) -> list[Utterance]:
        """What is evaluated after each epoch."""
        return self.sets["dev"]

    @property
    def test(self) -> list[Utterance]:
        """What judges the result."""
        return self.sets["test"]

    @property
    def general(self) -> list[Utterance]:
        """Other speech, on which the result is judged too."""
        return self.sets[GENERAL]


def read_material(config: ExperimentConfig) -> Material:
    """Read the manifests, and set apart what the configuration names no manifest for.

    Raises ManifestError for broken lines and for sets that cannot be divided.
    """
    data, limit = config.data, config.training.dev_utterances
    read_manifests(map(Path, (*data.train, *(data.dev or ()), *(data.test or ()))))  # refuses ids that stand in two
    # each manifest gives its share, so that no corpus is missing on either side
    train = [read_manifests([Path(path)]) for path in data.train]
    by_speaker = config.training.dev_by_speaker
    if data.test or not data.test_share:
        test = read_manifests(map(Path, data.test or ()))
    else:
        train, test = _set_apart(train, share=data.test_share, by_speaker=by_speaker)
    if data.dev:
        dev = read_manifests(map(Path, data.dev))
    else:
        train, dev = _set_apart(train, share=config.training.dev_share, by_speaker=by_speaker)
    learned = [utterance for part in train for utterance in part]
    sure = learned if data.min_confidence is None else _pseudo_labelled(learned, at_least=data.min_confidence)
    if not sure or not dev:
        raise ManifestError(
            f"There are {len(sure)} utterances to train on and {len(dev)} to evaluate on. Name manifests with more in "
            "data.train and data.dev."
        )
    general = read_manifests(map(Path, data.general or ()))
    if silent := [one.id for one in (*test, *general) if one.text is None]:
        raise ManifestError(
            f"{len(silent)} utterances to judge the result by have no 'text': {listed(silent)}. Add what is "
            "said in them, or take them out of data.test and data.general."
        )
    chosen, spare = _chosen(dev, limit)
    asked, unasked = _chosen(general, limit)
    names = {one.id for one in sure}
    unsure = [one for one in learned if one.id not in names]
    sets = dict(zip(SETS, (sure, chosen, test, [*spare, *unsure], asked, unasked), strict=True))
    return Material(sets, dev_left_out=len(spare), unsure=len(unsure))


def _chosen(utterances: Sequence[Utterance], limit: int | None) -> tuple[list[Utterance], list[Utterance]]:
    """Take so many utterances, the same ones whatever their order, and when more come; and those that are left."""
    ranked = sorted(utterances, key=_rank)
    return ranked[:limit], ranked[len(ranked[:limit]) :]


def _set_apart(
    parts: Sequence[list[Utterance]], *, share: float, by_speaker: bool | None
) -> tuple[list[list[Utterance]], list[Utterance]]:
    """Take a share of each part, of what has a text: what is left of them, and what was taken."""
    left, taken = [], []
    for part in parts:
        labelled = [one for one in part if one.text is not None]
        chosen = split_dev(labelled, share=share, by_speaker=by_speaker).dev if labelled else []
        names = {one.id for one in chosen}
        left.append([one for one in part if one.id not in names])
        taken += chosen
    return left, taken


def _pseudo_labelled(utterances: Sequence[Utterance], *, at_least: float) -> list[Utterance]:
    """Give utterances without a text the one that a model wrote, where it was confident enough; the others go.

    Raises ManifestError for utterances with neither a text nor a pred_text with its confidence.
    """
    lacking = [one.id for one in utterances if one.text is None and _confidence(one) is None]
    if lacking:
        raise ManifestError(
            f"data.min_confidence: {len(lacking)} utterances have neither text nor pred_text with its confidence: "
            f"{listed(lacking)}. Let a model write it: asr-s2s transcribe --manifest IN.jsonl --output OUT.jsonl."
        )
    return [
        one if one.text is not None else replace(one, text=one.pred_text)
        for one in utterances
        if one.text is not None or (_confidence(one) or 0.0) >= at_least
    ]


def _confidence(utterance: Utterance) -> float | None:
    confidence = utterance.extra.get("confidence")
    return confidence if utterance.pred_text and isinstance(confidence, float | int) else None


def new_system(config: ExperimentConfig, material: Material) -> SpeechSystem:
    """Build the model with fresh weights; its vocabulary is the characters of all texts.

    Raises ConfigError for a part that is not described, and for a vocabulary that cannot be made from text alone.
    """
    if config.input is None or config.vocabulary is None or config.model is None:
        missing = [name for name in ("input", "vocabulary", "model") if getattr(config, name) is None]
        raise ConfigError(
            f"{listed(missing)}: missing from the configuration. Describe the parts of a new model, or start from a "
            "model that has them (--from)."
        )
    if not isinstance(config.vocabulary, CharactersConfig):
        raise ConfigError(
            f"vocabulary.kind: '{config.vocabulary.kind}' comes with a pretrained model only. "
            "Start from one (--from MODEL), or use kind: characters."
        )
    texts = [utterance.text or "" for utterance in (*material.train, *material.dev)]
    vocabulary = CharacterVocabulary.from_texts(texts, lowercase=config.vocabulary.lowercase)
    parts = ModelDirectoryConfig(
        input=config.input,
        vocabulary=config.vocabulary,
        model=config.model,
        search=config.search or SearchConfig(),
    )
    return build_system(parts, vocabulary, name="training")


def adapted_system(config: ExperimentConfig, initial: SpeechSystem) -> SpeechSystem:
    """Return the model that a run starts from, with the input and the search of the configuration where it has them.

    Raises ConfigError for a vocabulary or a network other than those of the model, whose weights would not fit, and for
    features of another width.
    """
    for name in ("vocabulary", "model"):
        given, had = getattr(config, name), getattr(initial.config, name)
        if given is not None and given != had:
            raise ConfigError(
                f"{name}: the configuration describes another one than the model '{initial.name}' has, which the run "
                f"starts from. Leave {name} out, or start without --from."
            )
    given = {name: part for name in ("input", "search") if (part := getattr(config, name)) is not None}
    parts = initial.config.model_copy(update=given)
    if parts.input == initial.config.input:
        return replace(initial, config=parts)
    front_end = parts.input.build()
    if front_end.feature_size != initial.front_end.feature_size:
        raise ConfigError(
            f"input.num_mels: is {front_end.feature_size}, and the model '{initial.name}' was trained with "
            f"{initial.front_end.feature_size}. Give as many, or leave input out."
        )
    return replace(initial, config=parts, front_end=front_end)


def data_sets(
    config: ExperimentConfig, material: Material, system: SpeechSystem
) -> tuple[SpeechDataset, SpeechDataset]:
    """Make the training and the development set.

    Raises ManifestError that lists what cannot be learned: characters, empty texts, texts too long for their audio;
    ConfigError for a variation of texts that the vocabulary or the teacher does not allow.
    """
    _check_merge_dropout(config, system)
    longest = system.model.decoder.max_tokens
    check_utterances(
        [*material.train, *material.dev],
        system.vocabulary,
        max_tokens=None if longest is None else longest - len(system.vocabulary.start_tokens),
        allow_empty=config.data.allow_empty,
    )
    cache = Path(config.data.cache) if config.data.cache else None
    layers = frozen_layers(system.model, config.training.rates) if cache and _hears_as_before(config) else None
    train_set = SpeechDataset(
        material.train,
        system.front_end if layers is None else encoded_front_end(system, layers=layers),
        vocabulary=system.vocabulary,
        augment=config.data.augment,
        seed=config.training.seed,
        cache=cache,
        encoded=layers,
        durations=material.seconds,
        leave_out=True,
    )
    return train_set, SpeechDataset(material.dev, system.front_end, vocabulary=system.vocabulary, cache=cache)


def _hears_as_before(config: ExperimentConfig) -> bool:
    """Return whether the front end stays what it is, so that the states of a frozen encoder do too."""
    return config.input is None and config.data.augment.specaugment is None


def _check_merge_dropout(config: ExperimentConfig, system: SpeechSystem) -> None:
    if not any(config.data.augment.merge_dropout):
        return
    if not isinstance(system.vocabulary, BytePairVocabulary):
        raise ConfigError(f"data.augment.merge_dropout: '{system.name}' has no byte pairs to merge. Leave it out.")
    if config.losses.distillation:
        raise ConfigError(
            "data.augment.merge_dropout: a teacher is asked about one spelling of each text. "
            "Leave it out, or losses.distillation."
        )


def set_statistics(system: SpeechSystem, train_set: SpeechDataset) -> None:
    """Set a new front end's mean and deviation of the training features, if it normalises by them."""
    if system.front_end.needs_statistics:
        statistics = train_set.statistics()
        system.front_end.set_statistics(statistics.mean, statistics.std)


def left_out_by_ctc(system: SpeechSystem, train_set: SpeechDataset) -> list[str]:
    """Name the utterances with more characters than encoder frames, which the CTC loss cannot learn from."""
    samples = torch.tensor([round(seconds * SAMPLE_RATE) for seconds in train_set.durations])
    frames = system.model.encoder.output_lengths(system.front_end.lengths(samples))
    return [
        utterance.id
        for utterance, length in zip(train_set.utterances, frames, strict=True)
        if not _fits(system.vocabulary.encode(utterance.text or ""), length)
    ]


def _fits(tokens: Sequence[int], encoder_length: torch.Tensor) -> bool:
    row = torch.tensor([tokens])
    return bool(fits_ctc(encoder_length[None], row, torch.tensor([len(tokens)])))


def _rank(utterance: Utterance) -> bytes:
    return hashlib.sha256(utterance.id.encode()).digest()
