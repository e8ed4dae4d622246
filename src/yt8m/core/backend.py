"""On which backend and how many threads a stage computes, and that it gives the same bits in every run.

Nothing that computes is imported here: libraries read the environment when they start.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from yt8m.core.errors import InputError

BACKEND, XLA_FLAGS = "KERAS_BACKEND", "XLA_FLAGS"
VISIBLE = "CUDA_VISIBLE_DEVICES"
# TensorFlow's, JAX's, and those of the linear algebra below numpy and scipy.
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
DETERMINISTIC = "--xla_gpu_deterministic_ops=true"


def choose(backend: str) -> None:
    """Have Keras start on a backend.

    Raises:
        InputError: where it is not installed, or the environment asks for another: it decides no result, the parameter
            does.
    """
    if find_spec(backend) is None:
        raise InputError(f'train.backend: expected {backend} to be installed: pip install "yt8m[{backend}]"')
    asked = os.environ.setdefault(BACKEND, backend)
    if asked != backend:
        raise InputError(f"{BACKEND}: expected {backend}, as train.backend in params.yaml says, received {asked}")


def limit_threads(threads: int) -> None:
    """Have every library compute in so many threads, whatever the machine has and the environment says.

    Sums are divided among threads, so that their number decides last bits.

    Raises:
        InputError: where Keras has started in another number: on a worker of a cluster that has other stages behind it.
    """
    if "keras" in sys.modules and threads != limited_threads():
        raise InputError(f"train.threads: expected {limited_threads()}, as this process has begun, received {threads}")
    os.environ.update(dict.fromkeys(THREADS, str(threads)))


def limited_threads() -> int | None:
    """The number of threads that was chosen, if one was."""
    threads = os.environ.get(THREADS[0])
    return int(threads) if threads else None


def gpus() -> list[str]:
    """The GPUs that this process may use, by number or name; NVIDIA's alone are known."""
    if VISIBLE in os.environ:
        return [name for name in os.environ[VISIBLE].split(",") if name]
    return sorted((path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")), key=int)


def take_gpu(number: int) -> None:
    """Use one of the GPUs alone, where there are any; to be called before Keras starts, without effect behind it."""
    if "keras" not in sys.modules and (found := gpus()):
        os.environ[VISIBLE] = found[number % len(found)]


def flag_determinism() -> None:
    """Ask XLA for the same bits in every run; it reads its flags once."""
    if DETERMINISTIC not in os.environ.get(XLA_FLAGS, ""):
        os.environ[XLA_FLAGS] = f"{os.environ.get(XLA_FLAGS, '')} {DETERMINISTIC}".strip()
