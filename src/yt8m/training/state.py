"""A training's complete state on disk, so that one that was killed goes on and ends with the same bytes."""

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
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
    figures: Mapping[str, float] = {}  # the objective's


Weights = list[np.ndarray]  # of a model, as `get_weights` gives them


class State:
    """The file in which a training keeps its weights, its optimizer, its scores and the weights that scored best.

    Args:
        path: of the file.
        peers: the processes of the training, of which the first one's state is everyone's.
    """

    def __init__(self, path: Path, peers: Peers | None = None):
        self.path, self.peers = path, peers or Peers()

    def save(self, model: keras.Model, scores: Iterable[Score], kept: Sequence[Weights]) -> None:
        """Replace the state as a whole; `kept` are the best weights."""
        if self.peers.process:
            return
        numpy = keras.ops.convert_to_numpy
        arrays = {
            **{f"model.{index}": numpy(variable) for index, variable in enumerate(model.variables)},
            **{f"optimizer.{index}": numpy(variable) for index, variable in enumerate(model.optimizer.variables)},
            **{f"kept.{rank}.{i}": weight for rank, weights in enumerate(kept) for i, weight in enumerate(weights)},
        }
        with whole(self.path) as partial:
            save_file(
                {name: np.asarray(array, order="C") for name, array in arrays.items()},
                partial,
                {"scores": json.dumps(list(scores)), "kept": str(len(kept))},
            )

    def load(self, model: keras.Model) -> tuple[list[Score], list[Weights]]:
        """Give the model and its optimizer the state that was saved.

        Returns:
            The scores so far and the weights of the best, the best first; both empty where no state was saved.

        Raises:
            InputError: where the file is damaged or another model's.
        """
        variables, weights = [*model.variables, *model.optimizer.variables], model.get_weights()
        told, arrays = self._read(len(model.variables), len(model.optimizer.variables), len(weights))
        rows, ranks = self.peers.agree(told)
        if not rows:
            return [], []
        if not arrays:  # of the same shapes: the first process's will come
            arrays = [*map(keras.ops.convert_to_numpy, variables), *ranks * weights]
        arrays = self.peers.told(arrays)
        for variable, array in zip(variables, arrays, strict=False):
            variable.assign(array)
        firsts = range(len(variables), len(arrays), len(weights))
        return [Score(*row) for row in rows], [arrays[first : first + len(weights)] for first in firsts]

    def _read(self, model: int, optimizer: int, weights: int) -> tuple[tuple[list[Any], int], list[np.ndarray]]:
        """Scores, how many of the best weights there are, and all arrays: so many of each kind."""
        if self.peers.process or not self.path.exists():
            return ([], 0), []
        try:
            with safe_open(self.path, "np") as file:
                about = file.metadata()
                scores, ranks = json.loads(about["scores"]), int(about["kept"])
                names = [f"model.{index}" for index in range(model)]
                names += [f"optimizer.{index}" for index in range(optimizer)]
                names += [f"kept.{rank}.{index}" for rank in range(ranks) for index in range(weights)]
                return (scores, ranks), [file.get_tensor(name) for name in names]
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
