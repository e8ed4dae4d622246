"""On which backend Keras runs, and that it gives the same bits in every run. Keras is not imported here."""

import os

from yt8m.core.errors import InputError

BACKEND, XLA_FLAGS = "KERAS_BACKEND", "XLA_FLAGS"
DETERMINISTIC = "--xla_gpu_deterministic_ops=true"


def choose(backend: str) -> None:
    """Have Keras start on a backend.

    Raises:
        InputError: where the environment asks for another: it decides no result, the parameter does.
    """
    asked = os.environ.setdefault(BACKEND, backend)
    if asked != backend:
        raise InputError(f"{BACKEND}: expected {backend}, as train.backend in params.yaml says, received {asked}")


def flag_determinism() -> None:
    """Ask XLA for the same bits in every run; it reads its flags once."""
    if DETERMINISTIC not in os.environ.get(XLA_FLAGS, ""):
        os.environ[XLA_FLAGS] = f"{os.environ.get(XLA_FLAGS, '')} {DETERMINISTIC}".strip()
