"""Training steps, measured in the process that runs this."""

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import keras
import numpy as np

from benchmarks._common import Case, peak_memory, random_batch
from yt8m import models
from yt8m.records.dataset import Batch
from yt8m.training.devices import make_deterministic
from yt8m.training.fit import compile_for, plan

WARM_UP = 3  # the first step compiles; the next two fill caches
BATCHES = 4  # different ones, by turns: one alone could stay in a cache


def compiled(case: Case) -> keras.Model:
    """A new model with the optimizer and the loss of its training."""
    model, train = models.build(case.description()), case.train
    # How long it would train does not matter.
    schedule = plan(case.batch_size, train, batch_size=case.batch_size, learning_rate=case.learning_rate, epochs=1)
    compile_for(model, schedule)
    return model


def step(model: keras.Model, batch: Batch) -> tuple[float, float]:
    """Make one step.

    Returns:
        Its loss, which can be read when the step is done, and its seconds.

    Raises:
        FloatingPointError: where the loss is not finite.
    """
    start = perf_counter()
    loss = float(model.train_on_batch(batch.inputs, batch.labels))
    seconds = perf_counter() - start
    if not np.isfinite(loss):
        raise FloatingPointError(f"expected a finite loss, received {loss}")
    return loss, seconds


def step_seconds(model: keras.Model, batches: Sequence[Batch], steps: int) -> dict[str, float]:
    """The median time of `steps` steps behind the warm-up, and what the very first took more than that."""
    seconds = [step(model, batch)[1] for batch in islice(cycle(batches), WARM_UP + steps)]
    usual = median(seconds[WARM_UP:])
    return {"step": usual, "compile": max(0.0, seconds[0] - usual)}


def timed_steps(case: Mapping[str, Any], steps: int) -> dict[str, float]:
    """For benchmarks.train_step: see `step_seconds`."""
    checked = Case.model_validate(case)
    make_deterministic(checked.train.xla)
    batches = [random_batch(checked.layout, checked.batch_size, seed) for seed in range(BATCHES)]
    return step_seconds(compiled(checked), batches, steps)


def whole_life(case: Mapping[str, Any], folder: str, storage: str) -> dict[str, float]:
    """For benchmarks.full_size: build a model, make a step, save it, load it, and compare the two.

    Args:
        case: what to build.
        folder: to save to; whoever calls removes it, even if this process is killed.
        storage: type of the saved weights.

    Raises:
        ValueError: where the loaded weights are not the saved ones.
    """
    checked = Case.model_validate(case)
    make_deterministic(checked.train.xla)
    batch = random_batch(checked.layout, checked.batch_size, seed=0)
    start = perf_counter()
    model = compiled(checked)
    build = perf_counter() - start
    loss, seconds = step(model, batch)
    memory = peak_memory()
    models.save(model, checked.description(), Path(folder), storage)
    loaded, _ = models.load(folder)
    for own, other in zip(model.weights, loaded.weights, strict=True):
        saved, read = map(keras.ops.convert_to_numpy, (own, other))
        if not np.array_equal(saved.astype(storage), read):
            raise ValueError(f"{own.path}: the loaded weight is not the saved one")
    return {
        "parameters": model.count_params(),
        "build": build,
        "step": seconds,
        "bytes": sum(path.stat().st_size for path in Path(folder).iterdir()),
        "memory": memory,
        "memory_with_load": peak_memory(),
        "loss": loss,
    }
