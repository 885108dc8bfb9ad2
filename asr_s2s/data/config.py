"""What a configuration says about data: the sets, the size of a batch, the cache and the augmentation."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PositiveFloat, model_validator

from asr_s2s.config import Config, PartConfig

Probability = Annotated[float, Field(ge=0, le=1)]
Range = Annotated[tuple[float, float], Field(strict=False)]  # drawn evenly between the two
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(gt=0, lt=1)]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# One manifest or a list of them; paths as seen from the working folder.
Manifests = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(strict=False, min_length=1)]


class NoiseConfig(PartConfig):
    """Noise mixed into training audio: which recordings, how loud, how often."""

    manifest: str  # recordings of noise
    snr_db: Range = (5.0, 25.0)  # signal-to-noise ratio, drawn between
    probability: Probability = 0.5  # share of utterances that get noise

    @model_validator(mode="after")
    def _range_is_ordered(self) -> Self:
        return _ordered(self, "snr_db")


class RoomConfig(PartConfig):
    """Reverberation of training audio: which impulse responses, how often."""

    manifest: str  # impulse responses
    probability: Probability = 0.3  # share of utterances that get one


class SpecAugmentConfig(PartConfig):
    """Stretches of time and of mel channels blanked in training; Park et al. 2019, "SpecAugment"."""

    time_masks: Count = 2  # number of stretches of time that are masked
    time_width: Share = 0.05  # the widest, as a share of the utterance
    mel_masks: Count = 2  # number of bands of mel channels that are masked
    mel_width: Count = 15  # the widest, in channels


class AugmentConfig(PartConfig):
    """How training audio and texts are varied; the defaults change nothing.

    merge_dropout: how many of the merges of byte pairs are left out, from 0 (none) to 1 (all: single bytes)
    """

    # factors, one drawn for each utterance
    speed: Annotated[tuple[Annotated[float, Field(ge=0.5, le=2.0)], ...], Field(strict=False, min_length=1)] = (1.0,)
    trailing_silence: Annotated[tuple[Seconds, Seconds], Field(strict=False)] = (0.0, 0.0)  # seconds, drawn between
    rooms: RoomConfig | None = None  # reverberation
    noise: NoiseConfig | None = None  # noise mixed in
    gain_db: Range = (0.0, 0.0)  # change of level, drawn between
    specaugment: SpecAugmentConfig | None = None  # masks on the features
    merge_dropout: Annotated[tuple[Probability, Probability], Field(strict=False)] = (0.0, 0.0)

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> Self:
        return _ordered(self, "trailing_silence", "gain_db", "merge_dropout")


def _ordered(config: Config, *names: str) -> Config:
    for name in names:
        low, high = getattr(config, name)
        if low > high:
            raise ValueError(f"{name} begins at {low} and ends at {high}. Write the lower first.")
    return config


class DataConfig(PartConfig):
    """The training and development sets and how they become batches."""

    train: Manifests  # manifests to train on
    dev: Manifests | None = None  # None: taken from train, by speaker where there are several
    test: Manifests | None = None  # judge the result once; with --from, the model that it started from as well
    test_share: Share | None = None  # where test names none: taken from train, by speaker where there are several
    general: Manifests | None = None  # other speech, which a model that is adapted must not forget
    min_confidence: Probability | None = None  # where there is no text, pred_text is learned if it is as sure as that
    max_seconds: PositiveFloat | None = None  # longer utterances are not trained on
    batch_seconds: PositiveFloat = 120.0  # of audio and padding together
    quadratic_seconds: PositiveFloat | None = None  # an utterance this long counts twice, half as long 1.5 times
    workers: Annotated[int, Field(ge=1)] = 1  # make batches while the model computes: one thread, or so many processes
    shortest_first_epochs: Count = 0  # the first epochs go from short to long, which helps attention to form
    allow_empty: bool = False  # a text may be empty: nobody speaks there, and the model shall learn to say nothing
    cache: str | None = None  # a folder for computed features
    augment: AugmentConfig = AugmentConfig()  # how training audio and texts are varied
