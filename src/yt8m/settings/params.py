"""params.yaml, typed: what stands in its sections.

No key has a default: a value stands in params.yaml, where DVC tracks it, or nowhere. So this module decides no
result, and stages need not depend on it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from yt8m.core.schema import Level, Schema
from yt8m.settings import registry

Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]  # DVC addresses it: no dots, no hyphens
Patterns = Annotated[list[str], Field(min_length=1)]
BEST = "best"
STUDENT = "student"
UNTAUGHT = "untaught"  # the student's model, trained for as long on labels alone
AVERAGE = "average"  # the family of several networks in one model
# What else is scored beside the members and the schemes, or stands beside the models in `data/code`.
SYSTEMS = (
    "train_moe",
    "moe_original",
    "moe_augmented",
    "plain_and_original",
    "plain_and_augmented",
    "mean_of_all",
    "ensemble",
    UNTAUGHT,
)


class Section(BaseModel):
    """A mapping that takes its own keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)


class Simulate(Section):
    """One simulated data set."""

    seed: NonNegativeInt
    frame_divisor: PositiveFloat
    videos_per_shard: PositiveInt
    shards: Annotated[dict[Key, PositiveInt], Field(min_length=1)]


class Data(Section):
    """Where a data set lies and what it holds.

    `frames` and `videos` are glob patterns below `source`; `class_names` is a table, from the project's folder: DVC
    follows it as it does `source`. `cache_gb` bounds the local copies of shards that `source` lists by URLs.
    """

    source: str
    cache_gb: PositiveFloat
    frames: str | None
    videos: str | None
    class_names: str
    layout: Schema = Field(alias="schema")

    @model_validator(mode="after")
    def _has_shards(self) -> Self:
        if self.frames is None and self.videos is None:
            raise ValueError("expected a pattern for frames or videos, received null for both")
        return self

    @property
    def level(self) -> Level:
        """What frame-level models see: where there are no frames, videos of one frame."""
        return Level.VIDEO if self.frames is None else Level.FRAME

    @property
    def globs(self) -> dict[Level, str | None]:
        """The pattern of each level's shards."""
        return {Level.FRAME: self.frames, Level.VIDEO: self.videos}


class SplitPatterns(Section):
    """Shard-name patterns of each split; `extra` may have none: what labels its videos have is not looked at."""

    train: Patterns
    holdout: Patterns
    test: Patterns
    extra: list[str]


class Split(Section):
    """Which shards are for what."""

    patterns: SplitPatterns


Partners = Literal["class", "labels"]  # videos with a seed's rarest label, or with the same labels


class Augment(Section):
    """Feature-space augmentation (section 3.1).

    Classes with more videos than `threshold` are sub-sampled, all others over-sampled (null: all alike), from at most
    so many `neighbours` of a video among its `partners`, by `step` of eq. 3 and 4 or with `noise` of eq. 2, its
    standard deviation. `chunk_shards` shards are a chunk.
    """

    threshold: PositiveInt | None
    neighbours: PositiveInt
    partners: Partners
    chunk_shards: PositiveInt
    step: PositiveFloat
    noise: NonNegativeFloat
    seed: NonNegativeInt


class Staircase(Section):
    """The paper's: the rate times `decay` after each `decay_examples` videos.

    So many (`patience`) scores without a better one end a training.
    """

    kind: Literal["staircase"]
    decay: Annotated[float, Field(gt=0, le=1)]
    decay_examples: PositiveInt
    patience: PositiveInt


class Drop(Section):
    """The rate rises from 0 in the first `warmup` of a training's steps, and falls to 0 in the last `share` of them.

    So the best weights are the last ones, as a rule, and nothing ends a training before.
    """

    kind: Literal["drop"]
    warmup: Annotated[float, Field(ge=0, lt=1)]
    share: Annotated[float, Field(gt=0, le=1)]
    shape: Literal["linear", "cosine"]

    @field_validator("share")
    @classmethod
    def _within_the_run(cls, share: float, info: ValidationInfo) -> float:
        if (rising := info.data.get("warmup", 0)) + share > 1:
            raise ValueError(f"expected at most {1 - rising:g}, what warmup leaves, received {share}")
        return share


SCHEDULES = {"staircase", "drop"}


class Train(Section):
    """What all trainings share; backend and threads are also those of all other stages that compute.

    `threads` of a processor's compute in a stage: their number decides last bits. `ema` is the momentum of a moving
    average of weights (0: none), `checkpoints` how many of the best weights are averaged in the end, `mixup` the Beta
    distribution's alpha (0: none).
    """

    backend: Literal["tensorflow", "jax"]
    threads: PositiveInt
    precision: Literal["float32", "mixed_bfloat16"]
    xla: bool
    schedule: Annotated[Staircase | Drop, Field(discriminator="kind")]
    ema: Annotated[float, Field(ge=0, lt=1)]
    checkpoints: PositiveInt
    weight_decay: NonNegativeFloat
    mixup: NonNegativeFloat
    batch_norm_momentum: Fraction
    clip_norm: PositiveFloat
    shuffle_buffer: PositiveInt
    eval_examples: PositiveInt


class Model(Section):
    """A model: its family, the family's own arguments, and how it is trained."""

    family: str
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    epochs: PositiveInt
    args: dict[str, Any]

    def times(self, members: int) -> "Model":
        """So many networks like it, whose scores are averaged, as one model."""
        return self.beside([self] * (members - 1))

    def beside(self, others: Sequence["Model"]) -> "Model":
        """Its network and others', whose scores are averaged, as one model that is trained as this one."""
        if not others:
            return self
        args = {"members": [{"family": model.family, "args": model.args} for model in (self, *others)]}
        return self.model_copy(update={"family": AVERAGE, "args": args})


class SeededModel(Model):
    """A model that is trained once."""

    seed: NonNegativeInt


class VideoModel(SeededModel):
    """The video-level model: the last `original_epochs` of its epochs on augmented videos are of the original ones."""

    original_epochs: NonNegativeInt

    @field_validator("original_epochs")
    @classmethod
    def _within_epochs(cls, original_epochs: int, info: ValidationInfo) -> int:
        epochs = info.data.get("epochs", original_epochs)
        if original_epochs > epochs:
            raise ValueError(f"expected at most the {epochs} epochs, received {original_epochs}")
        return original_epochs


class Set(Section):
    """All models once more, from another seed; `finetune` says whether label relations follow their training."""

    seed: NonNegativeInt
    finetune: bool


class Finetune(Section):
    """Fine-tuning with label relations (section 3.2, eq. 5 and 6), for so many epochs or steps; the other is null."""

    lambda1: NonNegativeFloat
    lambda2: NonNegativeFloat
    period: PositiveInt
    damping: PositiveFloat
    learning_rate: PositiveFloat
    epochs: PositiveInt | None
    steps: PositiveInt | None

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError(f"expected epochs or steps, the other null, received {self.epochs} and {self.steps}")
        return self


class Infer(Section):
    """Predictions: how many videos at once, how many classes kept of each."""

    batch_size: PositiveInt
    top_k: Annotated[int, Field(ge=20)]


class Ensemble(Section):
    """Learnt ensemble weights (section 3.3); `teacher` is a scheme, or `best` by cross-validation on the holdout."""

    folds: Annotated[int, Field(ge=2)]
    seed: NonNegativeInt
    teacher: str

    @field_validator("teacher")
    @classmethod
    def _known_scheme(cls, teacher: str) -> str:
        known = [BEST, *registry.schemes()]
        if teacher not in known:
            raise ValueError(f"expected one of {known}, received {teacher!r}")
        return teacher


class Distill(Section):
    """The student (section 3.4): `lambda` weighs the teacher against the labels in eq. 7.

    It is the mean of so many networks (`members`), of which each learns by itself; together they take no more than
    `max_bytes`. They are those of the models that score best on the holdout (`best`) among those that fit, and are
    trained as fast as the first of them; or all of one family with its own arguments. The rate may go another way by
    step (`schedule`) than that of all trainings. `storage` is the type of the weights on disk; they are measured as
    they are stored.
    """

    share: Share = Field(alias="lambda")
    max_bytes: PositiveInt
    storage: Literal["float32", "float16"]
    members: PositiveInt
    family: str
    seed: NonNegativeInt
    epochs: PositiveInt
    schedule: Annotated[Staircase | Drop, Field(discriminator="kind")] | None
    batch_size: PositiveInt | None
    learning_rate: PositiveFloat | None
    args: dict[str, Any] | None

    @field_validator("family")
    @classmethod
    def _known_family(cls, family: str) -> str:
        known = [BEST, *registry.families()]  # looked at before what goes with it: a typo is no family of one's own
        if family not in known:
            raise ValueError(f"expected one of {known}, received {family!r}")
        return family

    @model_validator(mode="after")
    def _own_or_none(self) -> Self:
        for name in ("batch_size", "learning_rate", "args"):
            value = getattr(self, name)
            if (value is None) != (self.family == BEST):
                expected = "null, which the best model says" if self.family == BEST else "a value"
                raise ValueError(f"expected {expected}, with family {self.family}, received {name} {value}")
        return self

    @property
    def own(self) -> Model | None:
        """The network that is named here; None where it is the best of the models."""
        if self.family == BEST:
            return None
        names = ("family", "batch_size", "learning_rate", "epochs", "args")
        return Model(**{name: getattr(self, name) for name in names})


class Evaluate(Section):
    """What Table 2 shows of single models, `MODEL-SET` each.

    It starts from the `plain` one, as it was trained. Each of the `related`, which are fine-tuned with label relations,
    is trained once more for as long without them. `paper` says whether the paper's figures stand beside the data's.
    """

    plain: str
    related: list[str]
    paper: bool

    @field_validator("related")
    @classmethod
    def _each_once(cls, related: list[str]) -> list[str]:
        if len(set(related)) < len(related):
            raise ValueError(f"expected each once, received {related}")
        return related


class Params(Section):
    """All of params.yaml; `cluster`, the address of a Dask scheduler or null, decides no byte."""

    cluster: str | None
    simulate: dict[Key, Simulate]
    data: Data
    split: Split
    augment: Augment
    train: Train
    train_moe: VideoModel
    models: Annotated[dict[Key, Model], Field(min_length=1)]
    sets: Annotated[dict[Key, Set], Field(min_length=1)]
    finetune: Finetune
    infer: Infer
    ensemble: Ensemble
    distill: Distill
    evaluate: Evaluate
