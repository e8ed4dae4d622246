"""Small data sets whose labels show in their features, and trainings on them."""

import csv
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.models import tiny
from tests.models.tiny import SCHEMA
from yt8m.core.schema import Level
from yt8m.records.manifest import describe, write_manifest
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode
from yt8m.settings.params import Staircase
from yt8m.training.fit import prepared
from yt8m.training.training import Objective, Phase, Schedule, Training

SCHEDULE: dict[str, Any] = {
    "batch_size": 10,
    "learning_rate": 0.05,
    "rate": Staircase(kind="staircase", decay=0.5, decay_examples=1000, patience=9),
    "clip_norm": 0.7,
    "steps": 24,
    "eval_steps": 6,
    "ema": 0.0,
    "checkpoints": 1,
    "weight_decay": 0.0,
    "mixup": 0.0,
    "xla": False,
}


class After(keras.callbacks.Callback):
    """Something that happens after so many steps in this run."""

    def __init__(self, steps: int):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            self.happen()


def make_videos(count: int, seed: int, level: Level = Level.FRAME) -> list[Video]:
    """Videos of 1 to 7 random frames with one or two labels; each label brightens a byte of every frame."""
    random, videos = np.random.default_rng(seed), []
    for index in range(count):
        labels = np.sort(random.choice(SCHEMA.classes, random.integers(1, 3), replace=False)).astype(np.int32)
        frames = random.integers(1, SCHEMA.max_frames + 1) if level is Level.FRAME else 1
        features = {name: random.integers(0, 150, (frames, size)) for name, size in SCHEMA.features.items()}
        features["rgb"][:, labels] += 100
        stored = {key: x.astype(SCHEMA.dtype(level)) for key, x in features.items()}
        videos.append(Video(f"v{seed}_{index}", labels, stored))
    return videos


def write_dataset(folder: Path, name: str, videos: list[Video], level: Level = Level.FRAME) -> Path:
    """Write videos into two shards and a manifest; return the manifest's path."""
    folder.mkdir(parents=True, exist_ok=True)
    shards = []
    for index, part in enumerate((videos[: len(videos) // 2], videos[len(videos) // 2 :])):
        path = folder / f"{name}{index:04d}.tfrecord"
        write_records(path, (encode(video, level, SCHEMA) for video in part))
        shards.append(describe(path, level, len(part)))
    write_manifest(folder / f"{name}.tsv", shards, SCHEMA)
    return folder / f"{name}.tsv"


def write_sets(folder: Path, level: Level = Level.FRAME) -> Path:
    """Write manifests `train.tsv` (60 videos) and `holdout.tsv` (30 videos) and their shards into a folder."""
    write_dataset(folder, "train", make_videos(60, 1, level), level)
    write_dataset(folder, "holdout", make_videos(30, 2, level), level)
    return folder


def make_training(
    folder: Path,
    root: Path,
    family: str = "moe",
    objective: Objective | None = None,
    args: dict[str, Any] | None = None,
    **changes: Any,
) -> Training:
    """A training on the sets of a folder, by default a new model's by its labels.

    Args:
        folder: what `write_sets` gave.
        root: where the training's files go.
        args: of the family, where they are not `tiny`'s.
        changes: fields of the training, of its schedule or of its rate.
    """
    rate = {key: changes.pop(key) for key in list(changes) if key in ("decay", "decay_examples", "patience")}
    made = SCHEDULE | {"rate": changes.pop("rate", SCHEDULE["rate"].model_copy(update=rate))}
    schedule = Schedule(**made | {key: changes.pop(key) for key in list(changes) if key in SCHEDULE})
    training = Training(
        start=tiny.describe(family, **args or {}),
        phases=(Phase(folder / "train.tsv", schedule.steps),),
        holdout=folder / "holdout.tsv",
        seed=1,
        shuffle_buffer=20,
        schedule=schedule,
        objective=objective or Objective(),
        name="train/tiny",
        source=str(folder),
        out=root / "data" / "train" / "tiny",
        log=root / "metrics" / "train" / "tiny",
        states=root / "data" / "states" / "train" / "tiny",
    )
    return replace(training, **changes)


def told(schedule: Schedule) -> dict[str, Any]:
    """A schedule as JSON."""
    return asdict(schedule) | {"rate": schedule.rate.model_dump()}


def built(training: Training, randomized: bool = False) -> keras.Model:
    """The model that a training starts from, where it is new, as its objective has it."""
    make = tiny.randomized if randomized else tiny.new
    description: Any = training.start
    return prepared(make(description.family, seed=description.seed, **description.args), training)


def logged(folder: Path | str, metric: str) -> tuple[list[int], list[float]]:
    """The steps and values of a metric in the tables of dvclive's folder."""
    table = Path(folder, "plots", "metrics", f"{metric}.tsv").read_text()
    rows = list(csv.DictReader(table.splitlines(), delimiter="\t"))
    return [int(row["step"]) for row in rows], [float(row[metric]) for row in rows]


def assert_same(first: Any, second: Any) -> None:
    """Arrays are equal, one by one."""
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def files(folder: Path) -> dict[str, bytes]:
    """The content of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
