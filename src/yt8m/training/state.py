"""A training's complete state on disk, so that one that was killed goes on and ends with the same bytes."""

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from yt8m.core.errors import InputError
from yt8m.core.files import whole
from yt8m.core.source import IDLE, digest, essence

LIBRARIES = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}  # by backend


class Score(NamedTuple):
    """What was logged when the holdout was scored."""

    step: int
    gap: float
    loss: float | None


class State:
    """The file in which a training keeps its weights, its optimizer, its best weights and its scores.

    Args:
        path: of the file.
        write: whether this process writes it.
    """

    def __init__(self, path: Path, write: bool = True):
        self.path, self.write = path, write

    def save(self, model: keras.Model, scores: Iterable[Score], best: Iterable[np.ndarray]) -> None:
        """Replace the state as a whole."""
        if not self.write:
            return
        numpy = keras.ops.convert_to_numpy
        arrays = {
            **{f"model.{index}": numpy(variable) for index, variable in enumerate(model.variables)},
            **{f"optimizer.{index}": numpy(variable) for index, variable in enumerate(model.optimizer.variables)},
            **{f"best.{index}": weight for index, weight in enumerate(best)},
        }
        with whole(self.path) as partial:
            save_file(
                {name: np.asarray(array, order="C") for name, array in arrays.items()},
                partial,
                {"scores": json.dumps(list(scores))},
            )

    def load(self, model: keras.Model) -> tuple[list[Score], list[np.ndarray]]:
        """Give the model and its optimizer the state that was saved.

        Returns:
            The scores so far and the best weights, both empty where no state was saved.

        Raises:
            InputError: where the file is damaged or another model's.
        """
        if not self.path.exists():
            return [], []
        try:
            with safe_open(self.path, "np") as file:
                scores = [Score(*score) for score in json.loads(file.metadata()["scores"])]
                for kind, variables in (("model", model.variables), ("optimizer", model.optimizer.variables)):
                    for index, variable in enumerate(variables):
                        variable.assign(file.get_tensor(f"{kind}.{index}"))
                return scores, [file.get_tensor(f"best.{index}") for index in range(len(model.get_weights()))]
        except Exception as error:  # safetensors' errors have no common type
            raise InputError(f"{self.path}: expected a training's state: {error}; delete it to start anew") from None


def fingerprint(identity: Mapping[str, Any], replicas: int) -> str:
    """A name for all that decides what a training gives, so that a state is never taken up where anything differs.

    Beside what the training says of itself these are the backend, the devices, the libraries' versions, and what the
    project's loaded modules do (their comments aside; what checks parameters decides nothing).

    Args:
        identity: what `Training.identity` gives.
        replicas: devices that divide each batch.
    """
    about = {"training": identity, "replicas": replicas, **environment(), "code": _code()}
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def environment() -> dict[str, Any]:
    """The backend and the versions of the libraries that compute, as they are installed."""
    backend = keras.backend.backend()
    libraries = ("keras", "numpy", *LIBRARIES[backend])
    return {"backend": backend, "versions": {name: importlib.metadata.version(name) for name in libraries}}


def _code() -> dict[str, str]:
    """A digest of each of the project's modules that are loaded."""
    specs = {id(module): getattr(module, "__spec__", None) for module in list(sys.modules.values())}
    files = {
        spec.name: Path(spec.origin)
        for spec in specs.values()
        if spec and spec.origin and spec.name.split(".")[0] in ("yt8m", "stages")
    }
    return {
        name: digest(essence(path.read_bytes())) for name, path in sorted(files.items()) if not name.startswith(IDLE)
    }
