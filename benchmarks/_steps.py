"""Training steps, measured in the process that runs this; Keras is imported when something is measured."""

from itertools import cycle, islice
from statistics import median
from time import perf_counter
from timeit import repeat
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._models import Case, random_batch
from yt8m.core.schema import Level
from yt8m.records.batches import Batch

if TYPE_CHECKING:
    import keras

    from yt8m.models.building import Description

WARM_UP = 3  # the first step compiles; the next two fill caches
BATCHES = 4  # different ones, by turns: one alone could stay in a cache
ROUNDS, CHAIN = 16, 2  # of products: the best of so many rounds, each of so many in a row


def description(case: Case) -> "Description":
    """What a case's model is built from."""
    from yt8m.models.building import Description

    return Description.of(case.model, case.train, case.layout, Level.FRAME, seed=1)


def built(case: Case) -> "keras.Model":
    """A new model."""
    from yt8m.models.building import build

    return build(description(case))


def compiled(case: Case) -> "keras.Model":
    """A new model with the optimizer and the loss of its training."""
    from yt8m.training.devices import make_deterministic
    from yt8m.training.fit import compile_for
    from yt8m.training.training import Schedule

    make_deterministic(case.train.xla)
    model = built(case)
    compile_for(model, Schedule.of(case.train, case.model, videos=case.model.batch_size))
    return model


def step(model: "keras.Model", batch: Batch) -> tuple[float, float]:
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


def timed(case: Case, steps: int) -> tuple[float, float]:
    """In a process of its own: how long a case's steps take.

    Returns:
        The median of the steps behind the warm-up, and what the very first took more than that.
    """
    batches = [random_batch(case.layout, case.model.batch_size, seed) for seed in range(BATCHES)]
    model = compiled(case)
    seconds = [step(model, batch)[1] for batch in islice(cycle(batches), WARM_UP + steps)]
    usual = median(seconds[WARM_UP:])
    return usual, max(0.0, seconds[0] - usual)


def matmul_rate() -> tuple[float, str]:
    """In a process of its own: how fast a backend multiplies matrices here.

    8192 in bfloat16 on a GPU, 2048 in float32 on a CPU; of random numbers, for products of zeros may run faster.

    Returns:
        Operations a second, and of which products.
    """
    import keras
    from keras import ops

    device = keras.distribution.list_devices()[0]
    gpu = not device.startswith("cpu")
    size, precision = (8192, "bfloat16") if gpu else (2048, "float32")
    random = np.random.default_rng(0)
    # Scaled so that the chain neither grows nor fades.
    start, factor = (
        ops.cast(random.normal(0, size**-0.5, (size, size)).astype(np.float32), precision) for _ in range(2)
    )

    def chain() -> float:
        x = start
        for _ in range(CHAIN):
            x = ops.matmul(x, factor)
        return float(ops.convert_to_numpy(ops.cast(x[0, 0], "float32")))  # waits for all products

    rate = 2 * size**3 * CHAIN / min(repeat(chain, number=1, repeat=ROUNDS))
    return rate, f"{size} x {size} {precision} on {device}"
