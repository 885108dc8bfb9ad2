"""What another model makes of the training data: computed once an utterance and speed, kept on disk for all epochs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.data.batch import Batch
from asr_s2s.data.cache import TensorCache
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.errors import ConfigError, ManifestError, listed
from asr_s2s.features import WhisperConfig
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.models import DistillationConfig, TeacherOutput, with_start_and_end
from asr_s2s.text import BytePairVocabulary, CharacterVocabulary, Vocabulary
from asr_s2s.training.next_characters import NextCharacters
from asr_s2s.training.precision import autocast

TeacherAnswer = dict[str, Tensor]  # of one utterance: states (time', channel), tokens and log_probs (token, kept)


class Teacher:
    """A model that is imitated; it gets each utterance as it was recorded, at the speed that the learner gets."""

    def __init__(
        self, system: SpeechSystem, dataset: SpeechDataset, *, config: DistillationConfig, device: torch.device
    ) -> None:
        """Take the learner's training set."""
        self._system = system
        self._model = system.model.to(device).eval()
        self._front_end = system.front_end.to(device).eval()
        self._dataset = dataset
        self._index = {utterance.id: index for index, utterance in enumerate(dataset.utterances)}
        self._kept = config.kept
        self._device = device
        self._compares_states = config.states > 0
        words, learned = system.vocabulary, dataset.vocabulary
        self._next_characters: NextCharacters | None = None
        if isinstance(words, BytePairVocabulary) and isinstance(learned, CharacterVocabulary):
            self._next_characters = NextCharacters(words, learned)
        self._cache = TensorCache(Path(config.cache) / _fingerprint(system, dataset.vocabulary, config=config))

    def output(self, batch: Batch, *, epoch: int, arithmetic: str) -> TeacherOutput:
        """Return what the teacher makes of a batch's utterances and texts; what it was not asked before is kept."""
        index = [self._index[name] for name in batch.ids]
        recorded = [self._dataset.recorded_key(one, epoch=epoch) for one in index]
        keys = [_key(one, text, arithmetic=arithmetic) for one, text in zip(recorded, batch.texts, strict=True)]
        answers = {key: found for key in keys if (found := self._cache.read(key))}
        rows = [row for row, key in enumerate(keys) if key not in answers]
        if rows:
            asked = self._ask(batch, rows, epoch=epoch, arithmetic=arithmetic)
            for row, answer in zip(rows, asked, strict=True):
                answers[keys[row]] = answer
                self._cache.write(keys[row], answer)
        return self._joined([answers[key] for key in keys], batch)

    @torch.no_grad()
    def _ask(self, batch: Batch, rows: Sequence[int], *, epoch: int, arithmetic: str) -> list[TeacherAnswer]:
        """Run the teacher over some of a batch's utterances, with their texts given."""
        sounds = [
            torch.from_numpy(self._dataset.recorded(self._index[batch.ids[row]], epoch=epoch)).to(self._device)
            for row in rows
        ]
        sample_lengths = torch.tensor([len(sound) for sound in sounds], device=self._device)
        features, feature_lengths = self._front_end(pad_sequence(sounds, batch_first=True), sample_lengths)
        words = self._system.vocabulary
        spelled = [batch.tokens[row, : int(batch.token_lengths[row])].cpu() for row in rows]
        texts = [batch.texts[row] for row in rows]
        if self._next_characters:
            texts = [self._dataset.vocabulary.decode(tokens.tolist()) for tokens in spelled]
            spelled = [torch.tensor(words.encode(text)) for text in texts]
        inputs, targets, target_lengths = with_start_and_end(
            pad_sequence(spelled, batch_first=True).long().to(self._device),
            torch.tensor([len(tokens) for tokens in spelled], device=self._device),
            start_tokens=words.start_tokens,
            end_token=words.end_token,
        )
        with autocast(self._device, arithmetic):
            output = self._model(features, feature_lengths, inputs)
        logits = output.logits[:, -targets.shape[1] :].float()
        state_lengths = self._model.encoder.output_lengths(self._front_end.sound_lengths(sample_lengths))
        answers = []
        for row, text in enumerate(texts):
            log_probs, tokens = self._expected(logits[row, : int(target_lengths[row])], text)
            states = output.encoder_out[row, : int(state_lengths[row]) if self._compares_states else 0]
            answers.append({"states": states.to("cpu", torch.bfloat16), "tokens": tokens, "log_probs": log_probs})
        return answers

    def _expected(self, logits: Tensor, text: str) -> tuple[Tensor, Tensor]:
        """Return what the teacher has as the learner's most probable tokens: log probabilities, ids (token, kept)."""
        if self._next_characters is None:
            log_probs = logits.log_softmax(dim=1)
        else:
            found = self._next_characters.log_probs(logits.cpu(), text)
            log_probs = torch.empty(0, self._dataset.vocabulary.size) if found is None else found
        best, tokens = log_probs.topk(min(self._kept, log_probs.shape[1]), dim=1)
        return best.cpu().contiguous(), tokens.to("cpu", torch.int32)

    def _joined(self, answers: Sequence[TeacherAnswer], batch: Batch) -> TeacherOutput:
        def padded(name: str) -> Tensor:
            return pad_sequence([one[name] for one in answers], batch_first=True).to(self._device)

        # where nobody speaks, the teacher is not asked what comes next: it may invent
        num_tokens = [len(one["tokens"]) * bool(text.strip()) for one, text in zip(answers, batch.texts, strict=True)]
        return TeacherOutput(
            states=padded("states"),
            state_lengths=torch.tensor([len(one["states"]) for one in answers], device=self._device),
            tokens=padded("tokens").long(),
            log_probs=padded("log_probs"),
            token_lengths=torch.tensor(num_tokens, device=self._device),
        )


def check_teacher(teacher: SpeechSystem, learner: SpeechSystem, *, config: DistillationConfig) -> None:
    """Refuse a teacher whose tokens or states cannot be compared with the learner's.

    Raises ConfigError with both values.
    """
    ours, theirs = learner.vocabulary, teacher.vocabulary
    spells = isinstance(theirs, BytePairVocabulary) and isinstance(ours, CharacterVocabulary)
    if ours.fingerprint != theirs.fingerprint and not spells:
        raise ConfigError(
            f"losses.distillation.teacher: '{config.teacher}' has another vocabulary ({theirs.size} tokens) than the "
            f"model that learns from it ({ours.size} tokens). Start from a model with its vocabulary (--from), or take "
            "a teacher of byte pairs for a model of characters."
        )
    widths = teacher.model.encoder.channels, learner.model.encoder.channels
    if config.states and widths[0] != widths[1]:
        raise ConfigError(
            f"losses.distillation.states: the teacher's encoder has {widths[0]} channels, this one {widths[1]}. "
            "Set the weight to 0, so that only the decoders are compared."
        )


def check_window(teacher: SpeechSystem, dataset: SpeechDataset, *, config: DistillationConfig) -> None:
    """Refuse utterances longer than the window that a teacher pads to, at the slowest speed that is drawn.

    Raises ManifestError that names them.
    """
    given = teacher.config.input
    if not isinstance(given, WhisperConfig) or given.pad_to_seconds is None:
        return
    seconds = zip(dataset.utterances, dataset.longest_durations(silence=False), strict=True)
    longer = [f"{item.id}: {length:.1f} s" for item, length in seconds if length > given.pad_to_seconds]
    if longer:
        raise ManifestError(
            f"{len(longer)} utterances are longer than the {given.pad_to_seconds:g} s that the teacher "
            f"'{config.teacher}' hears: {listed(longer)}. Cut them into pieces."
        )


def _key(recorded: str, text: str, *, arithmetic: str) -> str:
    return hashlib.blake2b(f"{recorded} {arithmetic} {text}".encode(), digest_size=16).hexdigest()


def _fingerprint(system: SpeechSystem, learned: Vocabulary, *, config: DistillationConfig) -> str:
    """Name all that a teacher's answers depend on beside the utterance: its parts, and what is kept of them."""
    kept = f"{learned.fingerprint} {config.kept} {config.states > 0}"
    digest = hashlib.blake2b(f"{system.config.fingerprint()} {kept}".encode(), digest_size=8)
    for name, value in sorted(system.model.state_dict().items()):
        digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
