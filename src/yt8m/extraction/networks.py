"""Networks that make a vector of a picture, or of a patch of sound: Keras's own by name, or one of one's own."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol
from warnings import catch_warnings, filterwarnings

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from yt8m.core.errors import InputError
from yt8m.records.names import below

WEIGHTS = ".safetensors"
BATCH, STEP = 32, 16  # items at once; those at the end of a video are filled up to a multiple of the other


class Model(Protocol):
    """What a network is run by: a Keras model, or a SavedModel in its place."""

    input_shape: tuple[int, ...]  # without the batch's size, which comes first

    def predict_on_batch(self, x: np.ndarray) -> Any:
        """What it gives for floats (B, …)."""


@dataclass(frozen=True)
class Network:
    """A network.

    Attributes:
        model: from (B, …) floats to (B, …).
        family: the module of `keras.applications` that prepares pictures for it; None: they stay floats from 0 to 255.
        digest: of all that decides what it gives.
        origin: the file or folder that it was read from; None: it was made here.
    """

    model: Model
    family: str | None
    digest: str
    origin: Path | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what it takes, without the batch: (height, width, 3) for pictures."""
        return tuple(self.model.input_shape[1:])

    def __call__(self, items: np.ndarray) -> np.ndarray:
        """The vector of each picture or patch, the same whatever was looked at before.

        Args:
            items: (T, …) of the network's shape; uint8 or float32.

        Returns:
            (T, size) float32.
        """
        rows = []
        for start in range(0, len(items), BATCH):
            part = items[start : start + BATCH].astype(np.float32)
            count, missing = len(part), -len(part) % STEP
            part = np.concatenate([part, np.zeros((missing, *part.shape[1:]), np.float32)])  # few shapes to compile
            if self.family:
                part = _family(self.family).preprocess_input(part)
            found = keras.ops.convert_to_numpy(self.model.predict_on_batch(part))[:count]
            rows.append(np.asarray(found, np.float32).reshape(count, -1))
        return np.concatenate(rows)

    def save(self, folder: Path, name: str) -> str:
        """Write the network into a folder, and return what it is called there; `read` takes it from there.

        One of Keras's own is its architecture as JSON, and weights beside it: Keras's archives hold the time.
        """
        file = name + (self.origin.suffix if self.origin else ".json")
        if self.origin is None:
            model: Any = self.model
            (folder / file).write_text(model.to_json(), encoding="utf-8")
            arrays = {of.path: np.ascontiguousarray(keras.ops.convert_to_numpy(of)) for of in model.weights}
            save_file(arrays, (folder / file).with_suffix(WEIGHTS))
        elif self.origin.is_dir():
            shutil.copytree(self.origin, folder / file)
        else:
            shutil.copy2(self.origin, folder / file)
        return file


def named(name: str, weights: Path | None) -> Network:
    """One of `keras.applications` without its classifier: its last layer's mean over the picture.

    Args:
        weights: a file of them, as Keras publishes them; None: those for ImageNet, from Keras's cache or the net.

    Raises:
        InputError: where there is no network of that name, or no weights.
    """
    family, make = _application(name)
    with keras.StatelessScope(initialize_variables=False):
        shape = make(weights=None).input_shape[1:]  # without a classifier it would take any
    keras.utils.clear_session()
    if weights and not weights.is_file():
        raise InputError(f"{weights}: expected a file of weights, found none")
    try:
        with catch_warnings():
            filterwarnings("error", "Skipping")  # Keras would leave weights random that a file has not
            model = make(include_top=False, pooling="avg", input_shape=shape, weights=weights or "imagenet")
    except Exception as error:  # what Keras raises is no more special
        raise InputError(_no_weights(name, weights, error)) from None
    values = (np.ascontiguousarray(keras.ops.convert_to_numpy(weight)) for weight in model.weights)
    return Network(model, family, _digest([name.encode(), *(value.tobytes() for value in values)]), None)


def from_file(path: Path) -> Network:
    """A Keras model (`.keras`, `.h5`), or a TensorFlow SavedModel's folder.

    Raises:
        InputError: where there is none.
    """
    if not path.exists():
        raise InputError(f"{path}: expected a network, found no file or folder of that name")
    files = [file for file in below(path) if "assets" not in file.parts] if path.is_dir() else [path]
    return read(path, None, _digest(file.read_bytes() for file in files))


def read(path: Path, family: str | None, digest: str) -> Network:
    """A network that was written, whose digest is known.

    Raises:
        InputError: where it is none, or takes not one input of one size.
    """
    try:
        if path.is_dir():
            from yt8m.extraction.saved_model import SavedModel

            model: Model = SavedModel(path)
        elif path.suffix == ".json":
            model = _rebuilt(path)
        else:
            model = keras.saving.load_model(path, compile=False)
        shape = model.input_shape
    except (AttributeError, ValueError, TypeError, OSError, KeyError, SafetensorError) as error:
        message = next(iter(str(error).splitlines()), "")
        raise InputError(f"{path}: expected a Keras model or a SavedModel, of one input: {message}") from None
    if not isinstance(shape, tuple) or None in shape[1:]:
        raise InputError(f"{path}: expected a network of one input of one size, received {shape}")
    return Network(model, family, digest, path)


def _rebuilt(path: Path) -> Any:
    """A network from its architecture and its weights."""
    model = keras.models.model_from_json(path.read_text(encoding="utf-8"))
    with safe_open(path.with_suffix(WEIGHTS), "np") as file:
        for weight in model.weights:
            weight.assign(file.get_tensor(weight.path))
    return model


def _digest(parts: Iterable[bytes]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(hashlib.blake2b(part).digest())
    return found.hexdigest()


def _family(name: str) -> Any:
    return import_module(f"keras.applications.{name}")


def _application(name: str) -> tuple[str, Callable[..., Any]]:
    """The module of `keras.applications` that has a network, by its name, and what makes the network."""
    found: dict[str, tuple[str, Callable[..., Any]]] = {}
    for module in iter_modules(keras.applications.__path__):
        members = vars(_family(module.name))
        found |= {key: (module.name, make) for key, make in members.items() if key[0].isupper()}
    if name not in found:
        raise InputError(f"--network: expected a file, a folder or one of {', '.join(sorted(found))}, received {name}")
    return found[name]


def _no_weights(name: str, weights: Path | None, error: Exception) -> str:
    """What to do where Keras has not found weights: what it says names no place where they would be found."""
    url = re.search(r"https?://([^/\s]+)/\S*?([\w.-]+)(?=[:\s])", str(error))
    message = next(iter(str(error).splitlines()), "")
    if weights or not url:
        return f"{weights or '--network'}: expected weights of {name} without its classifier: {message}"
    place = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "models", url[2])
    return f"--network: expected the weights of {name} at {place}, and {url[1]} does not answer; or --weights FILE"
