"""What the benchmarks share: random videos, a model to measure, and measurements in processes of their own.

Keras is not imported here, so that a benchmark's own process chooses no backend and stays small: Linux counts the
memory of the process that starts another into the other's peak.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Self

import numpy as np
from pydantic import BaseModel
from rich.console import Console

from yt8m.core.schema import Level, Schema
from yt8m.records.dataset import Batch, collate
from yt8m.records.videos import Video
from yt8m.settings.params import Params, Train

ROOT = Path(__file__).parents[1]
LABELS = 3  # of a video; YouTube-8M has 3.01 on average


class Case(BaseModel):
    """A model to measure, and how it is trained.

    Attributes:
        family: as in params.yaml, like `args`.
        layout: of the videos.
        train: what all trainings of a parameter file share.
    """

    family: str
    args: dict[str, Any]
    batch_size: int
    learning_rate: float
    layout: Schema
    train: Train

    @classmethod
    def of(cls, params: Params, family: str, args: dict[str, Any], batch_size: int, learning_rate: float) -> Self:
        """A model on the videos of a parameter file, trained as all of its models are."""
        return cls(
            family=family,
            args=args,
            batch_size=batch_size,
            learning_rate=learning_rate,
            layout=params.data.layout,
            train=params.train,
        )

    def description(self) -> dict[str, Any]:
        """What `models.build` takes; for a measurement's process, since it imports Keras."""
        from yt8m import models

        described: dict[str, Any] = models.describe(
            self.family,
            self.layout,
            Level.FRAME,
            seed=1,
            momentum=self.train.batch_norm_momentum,
            precision=self.train.precision,
            args=self.args,
        )
        return described


class Failed(Exception):
    """A measurement ended without a result."""


def random_batch(schema: Schema, size: int, seed: int) -> Batch:
    """Videos of random bytes, each as long as the schema allows, as a `Dataset` gives them."""
    random = np.random.default_rng(seed)

    def video(row: int) -> Video:
        labels = np.sort(random.choice(schema.classes, min(LABELS, schema.classes), replace=False)).astype(np.int32)
        features = {
            name: random.integers(0, 256, (schema.max_frames, width), np.uint8)
            for name, width in schema.features.items()
        }
        return Video(f"{seed}-{row}", labels, features)

    return collate([video(row) for row in range(size)], Level.FRAME, schema)


def apart(function: str, arguments: Mapping[str, Any], **environment: str) -> dict[str, Any]:
    """Call a function in a process of its own, which can have its own backend and peak memory.

    Args:
        function: `MODULE.FUNCTION` of this package; it takes and returns what JSON can hold.
        arguments: by name.
        environment: variables to add, `KERAS_BACKEND` for one.

    Raises:
        Failed: saying what the function raised, or how the process ended.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._common", function],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, **environment},
    )
    if done.returncode < 0:
        raise Failed(f"ended by signal {-done.returncode}; 9 mostly means too little memory")
    if done.returncode:
        raise Failed(f"ended with status {done.returncode}: {done.stderr[-300:].strip()}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])  # libraries may print before it
    if "error" in result:
        raise Failed(result["error"])
    return result


def answer(function: str) -> None:
    """In the process of its own: read arguments, call the function, print its result or error as the last line."""
    module, _, name = function.rpartition(".")
    try:
        result = getattr(import_module(f"benchmarks.{module}"), name)(**json.load(sys.stdin))
    except Exception as error:  # whatever the backends raise; of their messages the first line says what, not where
        result = {"error": f"{type(error).__name__}: {error}".strip().splitlines()[0][:300]}
    print(f"\n{json.dumps(result)}")


def peak_memory(who: int = resource.RUSAGE_SELF) -> int:
    """The most bytes that this process has held at a time, or (`RUSAGE_CHILDREN`) the largest of those that ended."""
    return resource.getrusage(who).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def spread(values: Sequence[float]) -> str:
    """Mean, and ± the standard deviation of more than one."""
    return f"{mean(values):.4f}" + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")


def console() -> Console:
    """A console whose tables keep their width in a file too."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False)


if __name__ == "__main__":
    answer(sys.argv[1])
