"""How fast a backend multiplies matrices here: what the families' speed is a share of."""

from time import perf_counter
from typing import Any

import keras
import numpy as np
from keras import ops

ROUNDS, CHAIN = 15, 2  # best of so many rounds, each of so many products in a row


def matmul_rate() -> dict[str, Any]:
    """Operations a second of square products, and what made them.

    8192 in bfloat16 on a GPU, 2048 in float32 on a CPU; of random numbers, for products of zeros may run faster.
    """
    gpu = not keras.distribution.list_devices()[0].startswith("cpu")
    size, precision = (8192, "bfloat16") if gpu else (2048, "float32")
    random = np.random.default_rng(0)
    # Scaled so that the chain neither grows nor fades.
    x, factor = (ops.cast(random.normal(0, size**-0.5, (size, size)).astype(np.float32), precision) for _ in range(2))
    seconds = min(_chain(x, factor) for _ in range(1 + ROUNDS))
    return {"rate": 2 * size**3 * CHAIN / seconds, "size": size, "precision": precision, "device": _device(gpu)}


def _chain(x: Any, factor: Any) -> float:
    """Seconds of products that wait for each other; reading one number waits for all."""
    start = perf_counter()
    for _ in range(CHAIN):
        x = ops.matmul(x, factor)
    float(ops.convert_to_numpy(ops.cast(x[0, 0], "float32")))
    return perf_counter() - start


def _device(gpu: bool) -> str:
    """The GPU's name, or CPU."""
    if not gpu:
        return "CPU"
    if keras.backend.backend() == "jax":
        import jax

        return str(jax.devices()[0].device_kind)
    import tensorflow as tf

    return str(tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])["device_name"])
