"""What a learner takes from its teacher: the losses written out, and what the teacher remembers."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from training_tiny import DATA

from asr_s2s.config import check_config
from asr_s2s.data.config import AugmentConfig
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.errors import ConfigError
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.model_store.directory import ModelDirectoryConfig, SpeechSystem, build_system, load_model
from asr_s2s.models import DistillationConfig
from asr_s2s.models.distillation import state_loss, token_divergence
from asr_s2s.text import CharacterVocabulary
from asr_s2s.training.teacher import Teacher, check_teacher

pytestmark = pytest.mark.unit

NAMES = ("lbby5a", "9_george_9", "3_yweweler_37")
SPEEDS = AugmentConfig(speed=(0.9, 1.0, 1.1), trailing_silence=(0.2, 0.5))


def scores(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_divergence_over_all_tokens_is_kullback_and_leiblers() -> None:
    taught, learned = scores(2, 5, 7), scores(2, 5, 7, seed=1)
    log_probs, tokens = taught.log_softmax(2).topk(7, dim=2)
    lengths = torch.tensor([5, 3])
    found = token_divergence(learned, tokens, log_probs, lengths)
    each = functional.kl_div(learned.log_softmax(2), taught.log_softmax(2), log_target=True, reduction="none").sum(2)
    assert float(found) == pytest.approx(float(each[0].sum() + each[1, :3].sum()) / 8, abs=1e-5)


def test_the_divergence_takes_all_tokens_that_are_not_kept_as_one() -> None:
    taught, learned = scores(1, 1, 6), scores(1, 1, 6, seed=1)
    log_probs, tokens = taught.log_softmax(2).topk(2, dim=2)
    probabilities = learned.softmax(2)[0, 0, tokens[0, 0]].tolist()
    told = log_probs[0, 0].exp().tolist()
    pairs = [*zip(told, probabilities, strict=True), (1 - sum(told), 1 - sum(probabilities))]
    written_out = sum(one * math.log(one / other) for one, other in pairs)
    found = token_divergence(learned, tokens, log_probs, torch.tensor([1]))
    assert float(found) == pytest.approx(written_out, abs=1e-5)


def test_a_learner_that_agrees_diverges_by_nothing_and_stays() -> None:
    logits = scores(2, 4, 50).requires_grad_()
    log_probs, tokens = logits.detach().log_softmax(2).topk(8, dim=2)
    divergence = token_divergence(logits, tokens, log_probs, torch.tensor([4, 2]))
    divergence.backward()
    assert abs(float(divergence.detach())) < 1e-6
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) < 1e-6


def test_a_text_that_the_teacher_was_not_asked_about_may_be_the_longest() -> None:
    logits, taught = scores(2, 5, 6), scores(2, 3, 6, seed=1).log_softmax(dim=2)
    best, tokens = taught.topk(2, dim=2)
    alone = token_divergence(logits[:1, :3], tokens[:1], best[:1], torch.tensor([3]))
    both = token_divergence(logits, tokens, best, torch.tensor([3, 0]))
    assert float(both) == pytest.approx(float(alone), rel=1e-6)


def test_a_teacher_that_is_certain_leaves_finite_gradients() -> None:
    logits = scores(1, 1, 5).requires_grad_()
    certain = torch.tensor([[[0.0, -100.0]]])
    token_divergence(logits, torch.tensor([[[2, 3]]]), certain, torch.tensor([1])).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert float(logits.grad[0, 0, 2]) < 0  # more of what the teacher is certain of


def test_the_states_loss_is_the_mean_absolute_error_over_the_teachers_frames() -> None:
    learned, taught = scores(2, 6, 3), scores(2, 4, 3, seed=1)  # the learner also hears what comes after
    lengths = torch.tensor([4, 2])
    errors = [(learned[0, :4] - taught[0]).abs(), (learned[1, :2] - taught[1, :2]).abs()]
    assert float(state_loss(learned, taught, lengths)) == pytest.approx(float(torch.cat(errors).mean()), abs=1e-6)


def system(*, pad: float | None, letters: str, channels: int = 16, seed: int = 0) -> SpeechSystem:
    tree = {
        "input": {"kind": "whisper", "pad_to_seconds": pad},
        "vocabulary": {"kind": "characters"},
        "model": {
            "encoder": {
                "kind": "transformer",
                "channels": channels,
                "heads": 2,
                "layers": 1,
                "feedforward": 16,
                "dropout": 0.5,
                "stem": {"kind": "conv1d", "factor": 2},
            },
            "decoder": {"kind": "transformer", "channels": 16, "heads": 2, "layers": 1, "feedforward": 16},
        },
    }
    torch.manual_seed(seed)
    config = check_config(tree, ModelDirectoryConfig, origin="test")
    return build_system(config, CharacterVocabulary.from_texts([letters]), name="tiny")


@pytest.fixture
def utterances() -> list[Utterance]:
    return [one for one in read_manifest(DATA / "manifest.jsonl") if one.id in NAMES]


def teacher_of(utterances: list[Utterance], folder: Path, *, seed: int = 0) -> tuple[Teacher, SpeechDataset]:
    letters = "".join(one.text or "" for one in utterances)
    learner = system(pad=None, letters=letters)
    data = SpeechDataset(utterances, learner.front_end, vocabulary=learner.vocabulary, augment=SPEEDS, seed=3)
    config = DistillationConfig(teacher="tiny", cache=str(folder), kept=4)
    taught = system(pad=8.0, letters=letters, seed=seed)
    return Teacher(taught, data, config=config, device=torch.device("cpu")), data


def test_a_teacher_hears_the_recording_at_the_epochs_speed_padded_and_clean(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    teacher, data = teacher_of(utterances, tmp_path)
    batch = data.batch([0, 1, 2], epoch=1, augmented=True)
    found = teacher.output(batch, epoch=1, arithmetic="float32")
    taught = system(pad=8.0, letters="".join(one.text or "" for one in utterances))
    for row in range(3):
        samples = torch.from_numpy(data.recorded(row, epoch=1))
        features, lengths = taught.front_end(samples[None], torch.tensor([len(samples)]))
        tokens = torch.tensor([[1, *taught.vocabulary.encode(utterances[row].text or "")]])
        with torch.no_grad():
            expected = taught.model.eval()(features, lengths, tokens)
        frames = math.ceil(math.ceil(len(samples) / 160) / 2)
        assert int(found.state_lengths[row]) == frames < expected.encoder_out.shape[1]
        # bfloat16 keeps 8 bits of a state, which are about 1
        torch.testing.assert_close(
            found.states[row, :frames].float(), expected.encoder_out[0, :frames], rtol=0.01, atol=0.01
        )
        log_probs, best = expected.logits[0].log_softmax(1).topk(4, dim=1)
        assert int(found.token_lengths[row]) == len(best)
        torch.testing.assert_close(found.log_probs[row, : len(best)], log_probs, rtol=0, atol=1e-4)
        assert torch.equal(found.tokens[row, : len(best)], best)


def test_what_a_teacher_made_of_a_batch_repeated_is_what_it_makes_of_the_repeated_batch(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    teacher, data = teacher_of(utterances, tmp_path)
    batch = data.batch([0, 1])
    once = teacher.output(batch, epoch=0, arithmetic="float32").repeated(3)
    asked = teacher.output(batch.repeated(3), epoch=0, arithmetic="float32")
    for name in ("states", "state_lengths", "tokens", "log_probs", "token_lengths"):
        assert torch.equal(getattr(once, name), getattr(asked, name)), name


def test_what_a_teacher_said_is_kept_by_speed_and_text_and_asked_once(
    utterances: list[Utterance], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher, data = teacher_of(utterances, tmp_path)
    batches = [data.batch([0, 1, 2], epoch=epoch, augmented=True) for epoch in range(12)]
    first = [teacher.output(batch, epoch=epoch, arithmetic="float32") for epoch, batch in enumerate(batches)]
    assert len(list(tmp_path.rglob("*.safetensors"))) == 9  # three speeds of three utterances
    again, data = teacher_of(utterances, tmp_path)
    monkeypatch.setattr(Teacher, "_ask", lambda *_, **__: pytest.fail("asked twice"))
    for epoch, batch in enumerate(batches):
        found = again.output(batch, epoch=epoch, arithmetic="float32")
        assert torch.equal(found.states, first[epoch].states)
        assert torch.equal(found.log_probs, first[epoch].log_probs)
    other, data = teacher_of(utterances, tmp_path, seed=5)  # other weights: nothing of the first one's is used
    with pytest.raises(pytest.fail.Exception, match="asked twice"):
        other.output(data.batch([0], epoch=0, augmented=True), epoch=0, arithmetic="float32")


def test_a_teacher_of_byte_pairs_tells_a_learner_of_characters_what_could_come(tmp_path: Path) -> None:
    clips = [one for one in read_manifest(DATA / "manifest.jsonl") if one.id.startswith(("arctic", "LJ001"))]
    learner = system(pad=None, letters="".join(one.text or "" for one in clips))
    taught = load_model("en")
    config = DistillationConfig(teacher="en", cache=str(tmp_path), states=0.0, kept=4)
    check_teacher(taught, learner, config=config)
    data = SpeechDataset(clips, learner.front_end, vocabulary=learner.vocabulary)
    batch = data.batch(range(len(clips)))
    found = Teacher(taught, data, config=config, device=torch.device("cpu")).output(
        batch, epoch=0, arithmetic="float32"
    )
    assert found.token_lengths.tolist() == [len(one.text or "") + 1 for one in clips]
    for row, clip in enumerate(clips):
        said = torch.tensor([*learner.vocabulary.encode(clip.text or ""), learner.vocabulary.end_token])
        kept = found.tokens[row, : len(said)] == said[:, None]
        probability = (found.log_probs[row, : len(said)].exp() * kept).sum(dim=1)
        assert float(probability.mean()) > 0.9, clip.id


def test_a_teacher_is_not_asked_what_is_said_where_nobody_speaks(utterances: list[Utterance], tmp_path: Path) -> None:
    silent = [Utterance(id="dishes", audio_path=DATA / "dishes.ogg", text=""), *utterances]
    teacher, data = teacher_of(silent, tmp_path)
    found = teacher.output(data.batch([0, 1], augmented=True), epoch=0, arithmetic="float32")
    assert found.token_lengths.tolist() == [0, len(silent[1].text or "") + 1]
    assert int(found.state_lengths[0]) > 0


def test_a_teacher_of_other_tokens_or_another_width_is_refused_with_both_values() -> None:
    config = DistillationConfig(teacher="big", cache="x")
    learner = system(pad=None, letters="abc")
    with pytest.raises(ConfigError, match=r"'big' has another vocabulary \(9 tokens\) .* \(8 tokens\).*--from"):
        check_teacher(system(pad=4.0, letters="abcd"), learner, config=config)
    wide = system(pad=4.0, letters="abc", channels=32)
    with pytest.raises(ConfigError, match=r"the teacher's encoder has 32 channels, this one 16\. Set the weight to 0"):
        check_teacher(wide, learner, config=config)
    check_teacher(wide, learner, config=config.model_copy(update={"states": 0.0}))
