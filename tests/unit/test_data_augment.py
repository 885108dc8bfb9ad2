import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from asr_s2s.audio import SAMPLE_RATE, read_audio
from asr_s2s.data.augment import Augmenter, Recording, Variation, vary
from asr_s2s.data.config import AugmentConfig, NoiseConfig, RoomConfig
from asr_s2s.data.seeds import stable_seed
from asr_s2s.errors import ManifestError

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"
NAMES = [f"utterance-{index}" for index in range(400)]
EVERYTHING = AugmentConfig(
    speed=(0.9, 1.0, 1.1),
    noise=NoiseConfig(manifest=str(DATA / "noise.jsonl"), snr_db=(5.0, 20.0), probability=0.5),
    rooms=RoomConfig(manifest=str(DATA / "rooms.jsonl"), probability=0.25),
    trailing_silence=(0.2, 1.0),
    gain_db=(-20.0, 5.0),
)
NOISE = Recording(DATA / "noise.flac", 0.0, 5.0)


def test_a_variation_does_not_depend_on_what_was_drawn_before() -> None:
    augmenter = Augmenter.build(EVERYTHING, seed=3)
    there = [augmenter.draw(name, epoch=2) for name in NAMES]
    back = [augmenter.draw(name, epoch=2) for name in reversed(NAMES)]
    assert there == back[::-1]


def test_seeds_are_a_hash_of_their_parts_and_so_the_same_in_every_process() -> None:
    # printf '1\0002\000ä\000speed' | b2sum -l 64 (coreutils), little-endian, halved
    assert stable_seed(1, 2, "ä", "speed") == 0x4D04E85DFB7B173E >> 1


@pytest.mark.parametrize(("seed", "epoch"), [(0, 1), (1, 0)])
@pytest.mark.parametrize("kind", ["speed", "room", "noise", "noise_position", "snr_db", "trailing_silence", "gain_db"])
def test_another_seed_or_epoch_draws_otherwise(kind: str, seed: int, epoch: int) -> None:
    usual = [getattr(Augmenter.build(EVERYTHING, seed=0).draw(name, epoch=0), kind) for name in NAMES]
    other = [getattr(Augmenter.build(EVERYTHING, seed=seed).draw(name, epoch=epoch), kind) for name in NAMES]
    assert sum(first != second for first, second in zip(usual, other, strict=True)) > 0.2 * len(NAMES)


def test_speed_room_and_noise_are_drawn_apart() -> None:
    drawn = [Augmenter.build(EVERYTHING, seed=0).draw(name, epoch=0) for name in NAMES]
    kinds = [[one.speed for one in drawn], [bool(one.room) for one in drawn], [bool(one.noise) for one in drawn]]
    correlations = np.corrcoef(kinds)[np.triu_indices(3, k=1)]
    assert np.abs(correlations).max() < 0.2  # four standard deviations of 400 draws


def test_what_is_drawn_is_spread_as_configured() -> None:
    augmenter = Augmenter.build(EVERYTHING, seed=0)
    drawn = [augmenter.draw(name, epoch=epoch) for name in NAMES for epoch in range(5)]
    # 2000 draws: four standard deviations of a share are at most 0.045
    for speed in EVERYTHING.speed:
        assert np.mean([one.speed == speed for one in drawn]) == pytest.approx(1 / 3, abs=0.045)
    assert np.mean([one.noise is not None for one in drawn]) == pytest.approx(0.5, abs=0.045)
    assert np.mean([one.room is not None for one in drawn]) == pytest.approx(0.25, abs=0.045)
    assert {one.noise.path.name for one in drawn if one.noise} == {"noise.flac", "dishes.ogg"}
    levels = [one.snr_db for one in drawn if one.noise]
    assert 5.0 <= min(levels) < 5.5
    assert 19.5 < max(levels) <= 20.0
    for kind, (low, high) in {"trailing_silence": (0.2, 1.0), "gain_db": (-20.0, 5.0)}.items():
        values = [getattr(one, kind) for one in drawn]
        assert low <= min(values) < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < max(values) <= high


def test_switching_noise_on_leaves_speeds_and_rooms_as_they_were() -> None:
    quiet = Augmenter.build(EVERYTHING.model_copy(update={"noise": None}), seed=0)
    noisy = Augmenter.build(EVERYTHING, seed=0)
    for name in NAMES:
        without, with_noise = quiet.draw(name, epoch=0), noisy.draw(name, epoch=0)
        assert (without.speed, without.room) == (with_noise.speed, with_noise.room)


def test_trailing_silence_follows_the_recording_and_counts_in_its_duration() -> None:
    samples = read_audio(DATA / "9_george_9.ogg")
    variation = Variation(trailing_silence=0.5)
    varied = vary(samples, variation)
    np.testing.assert_array_equal(varied[: len(samples)], samples)
    np.testing.assert_array_equal(varied[len(samples) :], np.zeros(8000))
    assert variation.duration(len(samples) / SAMPLE_RATE) == pytest.approx(len(varied) / SAMPLE_RATE, abs=1e-4)


def test_noise_goes_on_through_trailing_silence() -> None:
    samples = read_audio(DATA / "9_george_9.ogg")
    varied = vary(samples, Variation(trailing_silence=0.5, noise=NOISE, snr_db=10.0))
    assert np.sqrt(np.mean(varied[len(samples) :] ** 2)) > 0.001


def test_gain_changes_the_level_alone_and_last() -> None:
    samples = read_audio(DATA / "9_george_9.ogg")
    quiet = vary(samples, Variation(noise=NOISE, snr_db=10.0, gain_db=-20.0))
    np.testing.assert_allclose(quiet, vary(samples, Variation(noise=NOISE, snr_db=10.0)) / 10, rtol=1e-5)


@pytest.mark.parametrize("variation", [Variation(trailing_silence=0.1), Variation(gain_db=-3.0), Variation(speed=1.1)])
def test_features_may_be_kept_where_speed_alone_varies(variation: Variation) -> None:
    assert variation.only_speed is (variation.speed != 1.0)


def test_ranges_that_run_backwards_are_refused_with_both_ends() -> None:
    with pytest.raises(ValidationError, match=r"gain_db begins at 3\.0 and ends at -3\.0\. Write the lower first"):
        AugmentConfig(gain_db=(3.0, -3.0))


def test_one_manifest_may_hold_noises_and_rooms_told_apart_by_kind(tmp_path: Path) -> None:
    lines = [
        {"audio_filepath": str(DATA / "noise.flac"), "kind": "noise"},
        {"audio_filepath": str(DATA / "room.flac"), "kind": "rir"},
    ]
    manifest = tmp_path / "both.jsonl"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = AugmentConfig(noise=NoiseConfig(manifest=str(manifest)), rooms=RoomConfig(manifest=str(manifest)))
    augmenter = Augmenter.build(config, seed=0)
    assert [item.path.name for item in augmenter.noises] == ["noise.flac"]
    assert [item.path.name for item in augmenter.rooms] == ["room.flac"]
    assert augmenter.noises[0].duration == pytest.approx(5.0, abs=0.01)


def test_a_manifest_without_the_kind_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "rooms.jsonl"
    manifest.write_text(json.dumps({"audio_filepath": "room.flac", "kind": "rir"}) + "\n")
    with pytest.raises(ManifestError, match=r"rooms\.jsonl: holds no recording of the kind 'noise'\. Name"):
        Augmenter.build(AugmentConfig(noise=NoiseConfig(manifest=str(manifest))), seed=0)


@pytest.mark.parametrize("snr_db", [0.0, 15.0])
@pytest.mark.parametrize("name", ["lbby5a", "LJ001-0076"])  # 3 s, shorter than the noise of 5 s, and 9 s, longer
def test_noise_has_the_level_that_was_drawn(name: str, snr_db: float) -> None:
    speech = read_audio(DATA / f"{name}.ogg")
    noisy = vary(speech, Variation(noise=NOISE, noise_position=0.4, snr_db=snr_db))
    assert noisy.shape == speech.shape
    added = noisy.astype(np.float64) - speech
    measured = 10 * np.log10(np.mean(speech.astype(np.float64) ** 2) / np.mean(added**2))
    assert measured == pytest.approx(snr_db, abs=0.01)  # float32 sums


def test_a_piece_of_a_long_noise_begins_where_it_was_drawn() -> None:
    speech = read_audio(DATA / "lbby5a.ogg")
    noisy = vary(speech, Variation(noise=NOISE, noise_position=0.4, snr_db=0.0))
    start = round(0.4 * (5.0 - len(speech) / SAMPLE_RATE) * SAMPLE_RATE)
    piece = read_audio(DATA / "noise.flac")[start : start + len(speech)]
    assert np.corrcoef(noisy - speech, piece)[0, 1] > 0.999


def test_a_short_noise_is_looped_from_where_it_was_drawn() -> None:
    speech = read_audio(DATA / "LJ001-0076.ogg")
    noisy = vary(speech, Variation(noise=NOISE, noise_position=0.4, snr_db=0.0))
    looped = np.resize(np.roll(read_audio(DATA / "noise.flac"), -round(0.4 * 5.0 * SAMPLE_RATE)), len(speech))
    assert np.corrcoef(noisy - speech, looped)[0, 1] > 0.999


def test_speed_shortens_the_samples_and_no_variation_leaves_them() -> None:
    speech = read_audio(DATA / "lbby5a.ogg")
    assert len(vary(speech, Variation(speed=1.1))) == pytest.approx(len(speech) / 1.1, abs=2)
    assert np.array_equal(vary(speech, Variation()), speech)
