"""The models that are measured, and random videos for them. Keras is not imported here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._nextvlad import DEMO, PUBLISHED
from benchmarks._processes import ROOT
from yt8m.core.schema import Schema
from yt8m.records.batches import LENGTH, Batch
from yt8m.settings.loading import load
from yt8m.settings.params import Model, Params, Train

LABELS = 3  # of a video; YouTube-8M has 3.01 on average
EXPERTS = {"mixtures": 2, "l2": 1e-6, "input_dropout": 0.0, "dropout": 0.0}
POOLED = {"frames": 128, "hidden": 256, **EXPERTS}
CLUSTERS = {"rgb": 32, "audio": 16}
RECURRENT = {"layers": 1, "units": 256, **EXPERTS}
MIDDLE: dict[str, dict[str, Any]] = {
    "netvlad": {"clusters": CLUSTERS, **POOLED},
    "netrvlad": {"clusters": CLUSTERS, **POOLED},
    "netfv": {"clusters": CLUSTERS, **POOLED},
    "dbow": {"clusters": {"rgb": 1024, "audio": 128}, **POOLED},
    "gated_dbow": {"clusters": {"rgb": 512, "audio": 64}, "rank": 128, **POOLED},
    "gru": RECURRENT,
    "lstm": RECURRENT,
    "nextvlad": {**DEMO, "clusters": CLUSTERS, **POOLED},
}


@dataclass(frozen=True)
class Case:
    """A model to measure, the videos it takes, and what all trainings of its parameter file share."""

    model: Model
    layout: Schema
    train: Train

    def trained_with(self, **changes: object) -> "Case":
        """The same case with other values in its section `train`."""
        return replace(self, train=self.train.model_copy(update=changes))


def nextvlad(params: Params, args: dict[str, Any]) -> Model:
    """NeXtVLAD, trained as the first of the models is."""
    return next(iter(params.models.values())).model_copy(update={"family": "nextvlad", "args": args})


def of_file(path: Path, args: dict[str, Any]) -> list[Case]:
    """The models of a parameter file, and NeXtVLAD with these arguments."""
    params = load(path)
    models = [*params.models.values(), nextvlad(params, args)]
    return [Case(model, params.data.layout, params.train) for model in models]


def middle() -> list[Case]:
    """YouTube-8M's videos and classes, and models that two cores train at a bearable pace."""
    train, layout = load(ROOT / "params.yaml").train, load(ROOT / "params/paper.yaml").data.layout
    models = [
        Model(family=family, args=args, batch_size=16, learning_rate=2e-4, epochs=1) for family, args in MIDDLE.items()
    ]
    return [Case(model, layout, train) for model in models]


SIZES: dict[str, Callable[[], list[Case]]] = {
    "demo": lambda: of_file(ROOT / "params.yaml", DEMO),
    "middle": middle,
    "full": lambda: of_file(ROOT / "params/paper.yaml", PUBLISHED),
}


def random_batch(schema: Schema, size: int, seed: int) -> Batch:
    """Videos of random bytes, each as long as the schema allows, as a `Dataset` gives them."""
    random = np.random.default_rng(seed)
    inputs: dict[str, np.ndarray] = {
        name: random.integers(0, 256, (size, schema.max_frames, width), np.uint8)
        for name, width in schema.features.items()
    }
    labels = np.zeros((size, schema.classes), np.float32)
    np.put_along_axis(labels, random.random(labels.shape).argsort(axis=1)[:, :LABELS], 1, axis=1)
    lengths = {LENGTH: np.full(size, schema.max_frames, np.int32)}
    return Batch([f"{seed}-{row}" for row in range(size)], inputs | lengths, labels)
