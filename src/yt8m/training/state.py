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

from yt8m.core.backend import limited_threads
from yt8m.core.errors import InputError
from yt8m.core.files import whole
from yt8m.core.source import IDLE, digest, essence
from yt8m.training.peers import Peers

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
        peers: the processes of the training, of which the first one's state is everyone's.
    """

    def __init__(self, path: Path, peers: Peers | None = None):
        self.path, self.peers = path, peers or Peers()

    def save(self, model: keras.Model, scores: Iterable[Score], best: Iterable[np.ndarray]) -> None:
        """Replace the state as a whole."""
        if self.peers.process:
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
        variables, weights = [*model.variables, *model.optimizer.variables], model.get_weights()
        scores, arrays = self._read(len(model.variables), len(model.optimizer.variables), len(weights))
        scores = [Score(*score) for score in self.peers.agree(scores)]
        if not scores:
            return [], []
        if not arrays:  # of the same shapes: the first process's will come
            arrays = [*map(keras.ops.convert_to_numpy, variables), *weights]
        arrays = self.peers.told(arrays)
        for variable, array in zip(variables, arrays, strict=False):
            variable.assign(array)
        return scores, arrays[len(variables) :]

    def _read(self, model: int, optimizer: int, best: int) -> tuple[list[Any], list[np.ndarray]]:
        """Scores and arrays of the file: so many of the model, of the optimizer and of the best weights."""
        if self.peers.process or not self.path.exists():
            return [], []
        counts = {"model": model, "optimizer": optimizer, "best": best}
        try:
            with safe_open(self.path, "np") as file:
                names = [f"{kind}.{index}" for kind, count in counts.items() for index in range(count)]
                return json.loads(file.metadata()["scores"]), [file.get_tensor(name) for name in names]
        except Exception as error:  # safetensors' errors have no common type
            raise InputError(f"{self.path}: expected a training's state: {error}; delete it to start anew") from None


def fingerprint(decides: Mapping[str, Any]) -> str:
    """A name for all that decides what a training gives, so that a state is never taken up where anything differs."""
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def all_that_decides(identity: Mapping[str, Any], replicas: int) -> dict[str, Any]:
    """All that decides what a training gives, as JSON.

    Beside what the training says of itself these are the backend, the devices, the libraries' versions, and what the
    project's loaded modules do (their comments aside; what checks parameters decides nothing).

    Args:
        identity: what `Training.identity` gives.
        replicas: devices that divide each batch.
    """
    return {"training": identity, "replicas": replicas, **environment(), "code": _code()}


def environment() -> dict[str, Any]:
    """The backend, its threads, and the versions of the libraries that compute, as they are installed."""
    backend = keras.backend.backend()
    libraries = ("keras", "numpy", *LIBRARIES[backend])
    return {
        "backend": backend,
        "threads": limited_threads(),
        "versions": {name: importlib.metadata.version(name) for name in libraries},
    }


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
