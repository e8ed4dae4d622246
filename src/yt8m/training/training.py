"""What a training is: all that decides its result, and where its files go, in one object that is passed whole."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from pydantic import BaseModel

from yt8m.core.schema import Level
from yt8m.models.building import Description
from yt8m.records.batches import Batch
from yt8m.records.cache import Cache
from yt8m.records.manifest import read_manifest
from yt8m.settings.params import Drop, Model, Params, Staircase, Train

OUTSIDE = {"identity": False}  # says where files go, and decides no result


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        batch_size: videos a step.
        learning_rate: of Adam.
        rate: how it rises and falls.
        clip_norm: largest norm of each weight's gradient, as [9] clips.
        steps: at most; those behind the last score are not made.
        eval_steps: the holdout is scored each so many steps.
        ema: momentum of the moving average of weights that is scored and kept; 0 keeps the weights themselves.
        checkpoints: of so many of the best weights the mean is scored in the end, and kept if it is better; 1: none.
        weight_decay: see `ClippedAdam`.
        mixup: see `mixup.mixed`; 0 mixes nothing.
        xla: whether XLA compiles the step on TensorFlow; on JAX it always does.
    """

    batch_size: int
    learning_rate: float
    rate: Staircase | Drop
    clip_norm: float
    steps: int
    eval_steps: int
    ema: float
    checkpoints: int
    weight_decay: float
    mixup: float
    xla: bool

    @classmethod
    def of(cls, train: Train, model: Model, videos: int) -> Self:
        """A schedule in steps from parameters in epochs and examples."""
        steps = max(1, model.epochs * videos // model.batch_size)
        return cls(
            model.batch_size,
            model.learning_rate,
            train.schedule,
            train.clip_norm,
            steps,
            eval_steps=min(max(1, train.eval_examples // model.batch_size), steps),
            ema=train.ema,
            checkpoints=train.checkpoints,
            weight_decay=train.weight_decay,
            mixup=train.mixup,
            xla=train.xla,
        )

    @property
    def evals(self) -> int:
        """How often the holdout is scored; steps behind the last score are not made."""
        return max(1, self.steps // self.eval_steps)

    @property
    def patience(self) -> int | None:
        """Scores without a new best that end the training; None: nothing ends it."""
        return self.rate.patience if isinstance(self.rate, Staircase) else None


@dataclass(frozen=True)
class Phase:
    """The videos of a manifest for so many steps."""

    manifest: Path
    steps: int


@dataclass(frozen=True)
class Objective:
    """What a training minimises: the cross-entropy to each video's labels. Subclasses want something else, or more.

    A subclass is a frozen dataclass: its fields decide the result, paths among them by their content.
    """

    def targets(self, batch: Batch) -> np.ndarray:
        """What scores should be, (B, C) float32 in [0, 1]."""
        return batch.labels

    def trained(self, model: keras.Model) -> keras.Model:
        """The model that Keras trains, which shares the layers of `model`."""
        return model

    def callbacks(self) -> Sequence[keras.callbacks.Callback]:
        """What else happens meanwhile. What it changes must be among the model's variables, or follow from the step."""
        return ()

    def figures(self, model: keras.Model, loss: float) -> dict[str, float]:
        """What is logged when the holdout is scored; `model` is what `trained` gave, `loss` that of the last steps."""
        return {}

    def save(self, model: keras.Model, folder: Path) -> None:
        """Write what was learnt beside the weights; `model` is what `trained` gave."""


@dataclass(frozen=True)
class Training:
    """A training.

    Attributes:
        start: the description of a new model, or the folder of a trained one that goes on.
        phases: the videos seen, one after the other.
        holdout: manifest of the videos that decide the stop and the weights kept.
        seed: of the videos' order.
        shuffle_buffer: videos that wait to be drawn.
        schedule: how long and how fast.
        objective: what is minimised.
        name: the stage and what it trains.
        source: `data.source`, where shards lie.
        cache: of shards behind URLs; None: the process's own.
        out: folder of the model in the end.
        log: folder of curves and figures.
        states: folder of the state of a training that was cut off.
        storage: type of the weights on disk, see `models.storage.save`.
        max_bytes: the most that the saved model may take on disk.
    """

    start: Description | Path
    phases: tuple[Phase, ...]
    holdout: Path
    seed: int
    shuffle_buffer: int
    schedule: Schedule
    objective: Objective
    name: str = field(metadata=OUTSIDE)
    source: str = field(metadata=OUTSIDE)
    out: Path = field(metadata=OUTSIDE)
    log: Path = field(metadata=OUTSIDE)
    states: Path = field(metadata=OUTSIDE)
    storage: str = field(default="float32", metadata=OUTSIDE)
    max_bytes: int | None = field(default=None, metadata=OUTSIDE)
    cache: Cache | None = field(default=None, metadata=OUTSIDE)

    @classmethod
    def of(
        cls, params: Params, model: Model, seed: int, name: str, level: Level = Level.FRAME, root: Path = Path()
    ) -> Self:
        """The training of a new model, as params.yaml says and as the stages lay out their files.

        Args:
            model: its section.
            seed: of the model and of the videos' order.
            name: the stage and what it trains, `train/netvlad-a`: where its files go.
            level: whose manifests are read; where there are no frames, those of frames list videos.
            root: of the project.

        Raises:
            OSError, DataError: where `split` has not written its manifests.
        """
        data, manifests = root / "data", root / "data" / "split" / f"{level}s"
        train = read_manifest(manifests / "train.tsv")
        schedule = Schedule.of(params.train, model, train.videos)
        layout = train.schema or params.data.layout
        return cls(
            start=Description.of(model, params.train, layout, train.shards[0].level, seed),
            phases=(Phase(manifests / "train.tsv", schedule.steps),),
            holdout=manifests / "holdout.tsv",
            seed=seed,
            shuffle_buffer=params.train.shuffle_buffer,
            schedule=schedule,
            objective=Objective(),
            name=name,
            source=params.data.source,
            out=data / name,
            log=root / "metrics" / name,
            states=data / "states" / name,
            cache=Cache.of(params.data, root),
        )

    def lasting(self, steps: int) -> Self:
        """The same for so many steps, all on the first phase's videos."""
        schedule = replace(self.schedule, steps=steps, eval_steps=min(self.schedule.eval_steps, steps))
        return replace(self, schedule=schedule, phases=(replace(self.phases[0], steps=steps),))

    @property
    def is_new(self) -> bool:
        """Whether the model has not been trained before."""
        return isinstance(self.start, Description)

    @property
    def length(self) -> str:
        """How long it is, in words."""
        steps = " and then ".join(f"{phase.steps} on {phase.manifest}" for phase in self.phases)
        return f"at most {self.schedule.steps} steps of {self.schedule.batch_size} videos: {steps}"

    def identity(self) -> dict[str, Any]:
        """All that decides the result, as JSON: paths by the content of what lies there."""
        return {
            key.name: _content(getattr(self, key.name)) for key in fields(self) if key.metadata.get("identity", True)
        }

    def summary(self) -> dict[str, Any]:
        """How the model was trained, as JSON, to be kept beside it."""
        return {
            "seed": self.seed,
            "shuffle_buffer": self.shuffle_buffer,
            "phases": [phase.steps for phase in self.phases],
            "schedule": asdict(self.schedule) | {"rate": self.schedule.rate.model_dump()},
        }


def _content(value: Any) -> Any:
    """A value as JSON that is the same for the same content, wherever it lies."""
    if isinstance(value, Path):
        files = [value] if value.is_file() else sorted(path for path in value.rglob("*") if path.is_file())
        return [blake2b(path.read_bytes(), digest_size=16).hexdigest() for path in files]
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        content = {key.name: _content(getattr(value, key.name)) for key in fields(value)}
        return {"type": type(value).__qualname__} | content
    return [_content(item) for item in value] if isinstance(value, tuple) else value
