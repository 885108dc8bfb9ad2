"""The configuration of a training run: every room's part, joined, and what the loop itself needs."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from asr_s2s.config import PartConfig
from asr_s2s.data.config import DataConfig
from asr_s2s.decoding import SearchConfig
from asr_s2s.features import InputConfig
from asr_s2s.models import LossConfig, ModelConfig
from asr_s2s.text import VocabularyConfig
from asr_s2s.training.precision import Precision
from asr_s2s.training.schedule import Decay


class TrainingConfig(PartConfig):
    """The loop: how long, how fast, how often it looks at itself, and what it keeps."""

    epochs: PositiveInt = 60  # passes over the training data, at most
    minutes: PositiveFloat | None = None  # a limit of time for steps and evaluations; the decay then follows the clock
    learning_rate: PositiveFloat = 1e-3  # the highest, after the warm-up
    warmup: NonNegativeInt = 200  # steps
    decay: Decay = "cosine"  # how the learning rate falls after the warm-up
    floor: float = Field(default=0.01, ge=0, le=1)  # share of the learning rate that is left at the end
    weight_decay: NonNegativeFloat = 0.01  # on matrices only
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None  # in place of the model's own; Whisper's have none
    clip: PositiveFloat = 1.0  # largest norm of the gradient
    accumulate: PositiveInt = 1  # batches a step, in each process
    precision: Precision = "float32"  # auto measures whether bfloat16 is faster on this machine
    compile: bool = False  # the encoder, by torch.compile: a minute at the start, for faster steps
    rates: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)  # {encoder: 0.1}; 0 freezes a part
    seed: NonNegativeInt = 1  # of all random choices
    threads: PositiveInt | None = None  # of the processor; None: all
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto takes a GPU if there is one

    evaluate_every: PositiveInt = 1  # epochs
    dev_utterances: PositiveInt | None = 150  # at most so many in each evaluation; None: all
    dev_share: float = Field(default=0.05, gt=0, lt=1)  # of each training manifest, where data.dev names none
    dev_by_speaker: bool | None = None  # whole speakers; None: where a manifest has several
    dev_search: SearchConfig = SearchConfig(beam=1)  # greedy: quick enough for every epoch
    patience: PositiveInt | None = None  # evaluations without a lower WER that end the run
    samples: NonNegativeInt = 3  # hypotheses shown beside their references
    alarm_after: NonNegativeInt = 8  # epochs before the alignment monitor may raise an alarm
    plots: bool = True  # draw pictures of losses, error rates and attention
    graphs: bool = True  # write those of the model that comes out, for transcription without torch
    tensorboard: bool = False  # event files as well

    average: PositiveInt = 5  # the best so many checkpoints become the result
    keep: PositiveInt = 2  # last checkpoints that stay beside the best ones
    checkpoint_minutes: PositiveFloat | None = 10  # also between evaluations: the most that a failure can cost
    checkpoint_steps: PositiveInt | None = None  # or every so many steps
    log_every: PositiveInt = 10  # steps from one record of the history to the next


class ExperimentConfig(PartConfig):
    """One YAML file: all that a run is made from.

    What describes the model (input, vocabulary, model, search) is left out where the run starts from another model;
    input and search that are given there replace those of that model.
    """

    data: DataConfig  # recordings, batches and augmentation
    input: InputConfig | None = None  # features of the audio
    vocabulary: VocabularyConfig | None = None  # tokens that the model writes
    model: ModelConfig | None = None  # the network
    losses: LossConfig = LossConfig()  # what training minimises
    training: TrainingConfig = TrainingConfig()  # the loop
    search: SearchConfig | None = None  # the decoding defaults of the model that comes out
