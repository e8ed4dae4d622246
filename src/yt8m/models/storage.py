"""Models on disk: a folder with weights as safetensors, and a description that rebuilds the model."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from yt8m.core.errors import InputError
from yt8m.core.files import write_json
from yt8m.models.building import Description, build

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
# What schemas did not say once.
UNSAID = {"uneven_frames": "refuse", "missing_features": "refuse", "extractor": None}


def save(
    model: keras.Model,
    description: Description,
    folder: Path,
    storage: str = "float32",
    made: Mapping[str, Any] | None = None,
) -> None:
    """Write a model's weights, the same bytes each time, and its description into a folder.

    Args:
        storage: type of the weights on disk, `float32` or `float16`; the description says which.
        made: how it was trained, and on what, as JSON; kept beside the description.

    Raises:
        InputError: where a weight is beyond that type's range, or is no number; nothing is written then.
    """
    arrays = {name: _stored(name, variable, storage) for name, variable in _variables(model).items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays, folder / WEIGHTS)
    about = {**description.model_dump(mode="json", by_alias=True), "storage": storage}
    write_json(folder / DESCRIPTION, about | ({"made": dict(made)} if made else {}))


def read_description(folder: str | Path) -> Description:
    """The description of a saved model.

    Raises:
        FileNotFoundError: where the folder holds no model.
        InputError: where it is damaged.
    """
    path = Path(folder) / DESCRIPTION
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["schema"] = UNSAID | content["schema"]
        return Description.model_validate(content, strict=False)
    except (KeyError, TypeError, ValidationError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: expected the description of a model: {error}") from None


def load(folder: str | Path) -> tuple[keras.Model, Description]:
    """Rebuild a saved model with its weights, which are float32 again whatever they were stored as.

    Returns:
        The model and its description.

    Raises:
        FileNotFoundError: where the folder holds no model.
        InputError: where the weights are damaged or another model's.
    """
    description = read_description(folder)
    model, path = build(description), Path(folder) / WEIGHTS
    try:
        with safe_open(path, "np") as file:
            for name, variable in _variables(model).items():
                variable.assign(file.get_tensor(name).astype(variable.dtype))
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path}: expected the weights of {model.name}: {error}") from None
    return model, description


def _variables(model: keras.Model) -> dict[str, keras.Variable]:
    """What is stored of a model, by name: its weights, and the states of what draws frames and dropout."""
    bare = keras.Model(model.inputs, model.outputs)  # without what compiling added: the optimizer is twice as large
    weights = {weight.path: weight for weight in bare.weights}
    # Generators' own paths count all that the process has made.
    seeds = (variable for variable in bare.variables if variable.path not in weights)
    return weights | {f"seed_generator/{number}": variable for number, variable in enumerate(seeds)}


def _stored(name: str, variable: keras.Variable, storage: str) -> np.ndarray:
    """A variable's values as they are stored; generators' states stay integers."""
    array = keras.ops.convert_to_numpy(variable)
    if not np.issubdtype(array.dtype, np.floating):
        return np.asarray(array, order="C")
    largest, limit = float(np.abs(array).max(initial=0)), float(np.finfo(storage).max)
    if not largest <= limit:  # nor is NaN
        raise InputError(f"{name}: expected values within ±{limit:g}, as {storage} has them, received {largest:g}")
    return array.astype(storage, order="C")
