import os
import threading
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from asr_s2s.audio import read_audio, write_audio
from asr_s2s.data import epoch_plan
from asr_s2s.data.batch import Batch
from asr_s2s.data.config import AugmentConfig, NoiseConfig, RoomConfig, SpecAugmentConfig
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.data.loading import load_batches
from asr_s2s.errors import AudioError, ConfigError, ManifestError, VocabularyError
from asr_s2s.features import KaldiConfig, WhisperConfig
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.text import CharacterVocabulary

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"
UTTERANCES = read_manifest(DATA / "manifest.jsonl")
SHORT = UTTERANCES[4:10]  # three commands of 3 s, three digits
VOCABULARY = CharacterVocabulary.from_texts([item.text or "" for item in UTTERANCES])
KALDI = KaldiConfig(kind="kaldi", num_mels=40)
EVERYTHING = AugmentConfig(
    speed=(0.9, 1.0, 1.1),
    noise=NoiseConfig(manifest=str(DATA / "noise.jsonl")),
    rooms=RoomConfig(manifest=str(DATA / "rooms.jsonl")),
    specaugment=SpecAugmentConfig(),
)


def dataset(
    utterances: list[Utterance] = UTTERANCES,
    *,
    features: KaldiConfig | WhisperConfig = KALDI,
    augment: AugmentConfig | None = None,
    cache: Path | None = None,
) -> SpeechDataset:
    return SpeechDataset(utterances, features.build(), vocabulary=VOCABULARY, augment=augment, seed=1, cache=cache)


def assert_equal(first: Batch, second: Batch) -> None:
    assert first.ids == second.ids
    for name in ("features", "feature_lengths", "tokens", "token_lengths"):
        assert torch.equal(getattr(first, name), getattr(second, name)), name


@pytest.mark.parametrize(
    "features",
    [
        KALDI,
        KaldiConfig(kind="kaldi", num_mels=40, normalize="utterance"),
        KaldiConfig(kind="kaldi", num_mels=40, normalize="none"),
        WhisperConfig(kind="whisper", pad_to_seconds=None),
    ],
    ids=["global", "utterance", "none", "whisper"],
)
def test_a_batch_holds_what_the_front_end_makes_of_each_recording_alone(features: KaldiConfig | WhisperConfig) -> None:
    data = dataset(features=features)
    if data.front_end.needs_statistics:
        statistics = data.statistics()
        data.front_end.set_statistics(statistics.mean, statistics.std)
    batch = data.batch(range(len(UTTERANCES)))
    for row, utterance in enumerate(UTTERANCES):
        samples = torch.from_numpy(read_audio(utterance.audio_path, duration=utterance.duration))
        alone, length = data.front_end(samples[None], torch.tensor([len(samples)]))
        assert batch.feature_lengths[row] == length
        torch.testing.assert_close(batch.features[row, :length], alone[0], rtol=0, atol=1e-5)  # order of sums
        assert not batch.features[row, length:].any()


def test_tokens_spell_the_texts_and_nothing_follows_them() -> None:
    batch = dataset().batch([0, 8, 10])
    for row, index in enumerate([0, 8, 10]):
        length = int(batch.token_lengths[row])
        assert VOCABULARY.decode(batch.tokens[row, :length].tolist()) == UTTERANCES[index].text == batch.texts[row]
        assert not batch.tokens[row, length:].any()
    assert batch.ids == tuple(UTTERANCES[index].id for index in [0, 8, 10])


def test_augmentation_does_not_depend_on_neighbours_or_order() -> None:
    data = dataset(augment=EVERYTHING)
    together = data.batch([4, 5, 6, 7], epoch=3, augmented=True)
    for row, index in enumerate([4, 5, 6, 7]):
        alone = dataset(augment=EVERYTHING).batch([index], epoch=3, augmented=True)
        length = int(alone.feature_lengths)
        assert together.feature_lengths[row] == length
        # the mean that SpecAugment fills in is summed over padding too, in another order
        torch.testing.assert_close(together.features[row, :length], alone.features[0], rtol=0, atol=1e-4)


def test_each_epoch_varies_an_utterance_anew_and_again_the_same() -> None:
    data = dataset(augment=EVERYTHING)
    first, second = (data.batch([4, 5, 6], epoch=epoch, augmented=True) for epoch in (0, 1))
    assert first.features.shape != second.features.shape or not torch.equal(first.features, second.features)
    assert_equal(first, data.batch([4, 5, 6], epoch=0, augmented=True))


def test_masks_differ_from_epoch_to_epoch_and_from_utterance_to_utterance() -> None:
    twice = [UTTERANCES[4], replace(UTTERANCES[4], id="another")]
    data = dataset(twice, augment=AugmentConfig(specaugment=SpecAugmentConfig()))
    plain = data.batch([0, 1]).features
    masks = [data.batch([0, 1], epoch=epoch, augmented=True).features != plain for epoch in range(2)]
    assert all(mask.any() for mask in masks)
    assert not torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0][0], masks[0][1])


def test_what_is_not_augmented_is_the_same_in_every_epoch() -> None:
    data = dataset(augment=EVERYTHING)
    assert_equal(data.batch([4, 5], epoch=0), data.batch([4, 5], epoch=7))
    assert_equal(data.batch([4, 5], epoch=0), dataset().batch([4, 5], epoch=0))


def test_planned_durations_follow_the_speed_factors() -> None:
    data = dataset(SHORT, augment=AugmentConfig(speed=(0.8, 1.25)))
    batch = data.batch(range(len(SHORT)), epoch=2, augmented=True)
    planned = data.augmented_durations(2)
    assert planned != data.durations
    for frames, seconds in zip(batch.feature_lengths.tolist(), planned, strict=True):
        assert frames * 0.01 == pytest.approx(seconds, abs=0.03)  # the last window of 25 ms has to be whole


def test_a_cached_batch_equals_a_computed_one_and_needs_no_audio(tmp_path: Path) -> None:
    augment = AugmentConfig(speed=(0.9, 1.0, 1.1), specaugment=SpecAugmentConfig())
    copies = [replace(item, audio_path=tmp_path / item.audio_path.name) for item in UTTERANCES[4:8]]
    for original, copy in zip(UTTERANCES[4:8], copies, strict=True):
        copy.audio_path.write_bytes(original.audio_path.read_bytes())
    computed = [dataset(copies, augment=augment).batch(range(4), epoch=epoch, augmented=True) for epoch in range(3)]

    filling = dataset(copies, augment=augment, cache=tmp_path / "cache")
    for epoch in range(3):
        assert_equal(filling.batch(range(4), epoch=epoch, augmented=True), computed[epoch])
    for copy in copies:  # of the same size and time, but no audio any more: only the cache can give features
        state = copy.audio_path.stat()
        copy.audio_path.write_bytes(bytes(state.st_size))

        os.utime(copy.audio_path, ns=(state.st_atime_ns, state.st_mtime_ns))
    reading = dataset(copies, augment=augment, cache=tmp_path / "cache")
    for epoch in range(3):
        assert_equal(reading.batch(range(4), epoch=epoch, augmented=True), computed[epoch])


def test_a_changed_recording_or_front_end_is_not_taken_from_the_cache(tmp_path: Path) -> None:
    item = replace(UTTERANCES[4], audio_path=tmp_path / "speech.ogg")
    item.audio_path.write_bytes(UTTERANCES[4].audio_path.read_bytes())
    before = dataset([item], cache=tmp_path / "cache").batch([0])
    item.audio_path.write_bytes(UTTERANCES[5].audio_path.read_bytes())
    after = dataset([item], cache=tmp_path / "cache").batch([0])
    assert not torch.equal(before.features, after.features)
    assert torch.equal(after.features, dataset([UTTERANCES[5]]).batch([0]).features)
    wider = dataset([item], features=KaldiConfig(kind="kaldi", num_mels=41), cache=tmp_path / "cache").batch([0])
    assert wider.features.shape[2] == 41


def test_noise_and_rooms_are_mixed_anew_whatever_the_cache_holds(tmp_path: Path) -> None:
    for epoch in range(3):
        with_cache, without = (
            dataset(SHORT, augment=EVERYTHING, cache=cache).batch(range(6), epoch=epoch, augmented=True)
            for cache in (tmp_path, None)
        )
        assert_equal(with_cache, without)


def test_settings_that_leave_no_table_behind_have_entries_of_their_own(tmp_path: Path) -> None:
    frames = [
        dataset([UTTERANCES[4]], features=WhisperConfig(kind="whisper", pad_to_seconds=seconds), cache=tmp_path)
        .batch([0])
        .features.shape[1]
        for seconds in (None, 5.0, 10.0)
    ]
    assert frames == [298, 500, 1000]


def test_pieces_of_one_file_have_entries_of_their_own(tmp_path: Path) -> None:
    recording = replace(UTTERANCES[2], audio_path=tmp_path / "speech.flac")  # Opus settles for 80 ms after a seek
    write_audio(recording.audio_path, read_audio(UTTERANCES[2].audio_path), sample_rate=16_000)
    pieces = [replace(recording, offset=offset, duration=1.0) for offset in (0.0, 2.0)]
    whole = dataset([recording]).batch([0]).features[0]
    for _ in range(2):
        batch = dataset(pieces, cache=tmp_path / "cache").batch([0, 1])
        assert torch.equal(batch.features[0], whole[:98])
        assert torch.equal(batch.features[1], whole[200:298])


def test_global_normalisation_comes_after_the_cache(tmp_path: Path) -> None:
    data = dataset(cache=tmp_path)
    raw = data.batch([4]).features
    data.front_end.set_statistics(torch.full((40,), 3.0), torch.full((40,), 2.0))
    torch.testing.assert_close(data.batch([4]).features, (raw - 3) / 2)


def test_a_damaged_entry_is_computed_again(tmp_path: Path) -> None:
    expected = dataset(cache=tmp_path).batch([4])
    (entry,) = tmp_path.rglob("*.safetensors")
    for damage in (entry.read_bytes()[:-100], b"", b"no tensors"):
        entry.write_bytes(damage)
        assert_equal(dataset(cache=tmp_path).batch([4]), expected)
    assert len(load_file(entry)["features"]) == int(expected.feature_lengths)  # and mended


def test_many_threads_may_fill_one_cache(tmp_path: Path) -> None:
    sets = [dataset(SHORT, cache=tmp_path) for _ in range(4)]
    threads = [threading.Thread(target=one.batch, args=(range(len(SHORT)),)) for one in sets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.rglob("*.safetensors"))) == len(SHORT)
    assert not list(tmp_path.rglob("*.tmp"))
    assert_equal(sets[0].batch(range(len(SHORT))), dataset(SHORT).batch(range(len(SHORT))))


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"nothing can be kept here .*Name another folder as cache"):
        dataset(cache=tmp_path / "file")


def test_statistics_are_the_mean_and_deviation_of_all_frames() -> None:
    data = dataset()
    statistics = data.statistics()
    batch = data.batch(range(len(UTTERANCES)))
    lengths = batch.feature_lengths.tolist()
    frames = torch.cat([row[:length] for row, length in zip(batch.features, lengths, strict=True)]).double()
    assert statistics.count == len(frames)
    torch.testing.assert_close(statistics.mean, frames.mean(dim=0))
    torch.testing.assert_close(statistics.std, frames.std(dim=0, unbiased=False))


def test_statistics_are_those_of_the_recordings_that_can_be_read() -> None:
    lost = replace(UTTERANCES[0], audio_path=Path("lost.wav"))
    whole, without = dataset(SHORT).statistics(), dataset([SHORT[0], lost, *SHORT[1:]]).statistics()
    assert torch.equal(without.mean, whole.mean)
    assert torch.equal(without.std, whole.std)
    with pytest.raises(ManifestError, match=r"None of 1 utterances can be read: .*lost\.wav"):
        dataset([lost]).statistics()


def test_what_cannot_be_read_is_left_out_of_its_batch_which_is_otherwise_the_same() -> None:
    lost = replace(SHORT[1], id="lost", audio_path=Path("lost.wav"), origin="train.jsonl:17")
    data = SpeechDataset(
        [*SHORT, lost], KALDI.build(), vocabulary=VOCABULARY, augment=EVERYTHING, seed=1, leave_out=True
    )
    for epoch in (0, 1):
        left = data.batch([0, 6, 2], epoch=epoch, augmented=True)
        assert_equal(left, data.batch([0, 2], epoch=epoch, augmented=True))
        assert list(left.unreadable) == ["lost"]
        assert left.unreadable["lost"].startswith("train.jsonl:17: utterance 'lost': lost.wav: there is no such file")
    assert len(data.batch([6])) == 0
    assert data.durations[6] == SHORT[1].duration  # what epochs are planned by


@pytest.mark.parametrize("cached", [False, True])
def test_audio_that_cannot_be_read_names_the_utterance_and_its_line(tmp_path: Path, cached: bool) -> None:
    lost = replace(UTTERANCES[0], audio_path=Path("lost.wav"), origin="train.jsonl:17")
    with pytest.raises(AudioError, match=r"train\.jsonl:17: utterance 'arctic_a0015_1592748256': lost\.wav"):
        dataset([lost], cache=tmp_path if cached else None).batch([0])
    with pytest.raises(AudioError, match=r"train\.jsonl:17: utterance"):
        dataset([replace(lost, duration=None)])


def test_audio_much_shorter_than_stated_is_refused() -> None:
    with pytest.raises(AudioError, match=r"holds 2\.98 s from 0\.00 s on, 9\.00 s were stated\. Correct"):
        dataset([replace(UTTERANCES[4], duration=9.0)]).batch([0])


def test_audio_shorter_than_one_frame_is_refused() -> None:
    with pytest.raises(AudioError, match="160 samples are less than one frame"):
        dataset([replace(UTTERANCES[4], duration=0.01)]).batch([0])


def test_text_that_cannot_be_spelled_names_the_utterance() -> None:
    with pytest.raises(VocabularyError, match=r"utterance 'lbby5a': .*☃"):
        dataset([replace(UTTERANCES[4], text="☃")]).batch([0])


def test_a_missing_duration_is_read_from_the_header() -> None:
    data = dataset([replace(UTTERANCES[4], duration=None), replace(UTTERANCES[4], duration=None, offset=1.0)])
    assert data.durations == [pytest.approx(2.978, abs=0.002), pytest.approx(1.978, abs=0.002)]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_come_as_they_are_wanted_with_any_number_of_workers(workers: int) -> None:
    data = dataset(SHORT, augment=EVERYTHING)
    wanted = [
        (epoch, indices)
        for epoch in (1, 2)
        for indices in epoch_plan(data.durations, batch_seconds=4.0, seed=0, epoch=epoch)
    ]
    loaded = list(load_batches(data, wanted, augmented=True, workers=workers))
    assert len(loaded) == len(wanted) > 6
    for (epoch, indices), batch in zip(wanted, loaded, strict=True):
        assert_equal(batch, data.batch(indices, epoch=epoch, augmented=True))


def test_the_rest_of_a_plan_gives_the_rest_of_the_batches() -> None:
    data = dataset(SHORT, augment=EVERYTHING)
    plan = epoch_plan(data.durations, batch_seconds=4.0, seed=0, epoch=1)
    wanted = [(1, indices) for indices in plan]
    whole = list(load_batches(data, wanted, augmented=True))
    for unbroken, resumed in zip(whole[2:], load_batches(data, wanted[2:], augmented=True), strict=True):
        assert_equal(unbroken, resumed)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_loading_ahead_stops_with_its_reader_and_passes_errors_on(workers: int) -> None:
    broken = [*UTTERANCES[4:7], replace(UTTERANCES[4], audio_path=Path("lost.wav"))]
    batches = load_batches(dataset(broken), [(0, [0]), (0, [1]), (0, [3]), (0, [2])], workers=workers)
    assert next(batches).ids == ("lbby5a",)
    assert next(batches).ids == ("prac8p",)
    with pytest.raises(AudioError, match="lost"):
        next(batches)
    batches.close()
    before = threading.active_count(), len(active_children())
    batches = load_batches(dataset(), [(0, [4])] * 50, workers=workers)
    next(batches)
    batches.close()
    assert (threading.active_count(), len(active_children())) == before


def test_a_batch_repeated_is_the_batch_of_its_utterances_so_many_times() -> None:
    data = dataset()
    assert_equal(data.batch([4, 5]).repeated(3), data.batch([4, 5] * 3))


def test_a_batch_goes_to_a_device_as_a_whole() -> None:
    batch = dataset().batch([4]).to(torch.device("meta"))
    tensors = (batch.features, batch.feature_lengths, batch.tokens, batch.token_lengths)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert batch.ids == ("lbby5a",)
