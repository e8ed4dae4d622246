"""Model families: one file each, found by its name.

A family's file has one function `build(schema, level, momentum, args) -> keras.Model`. The type of `args` is the
schema of `models.NAME.args` in params.yaml (see `registry.arguments`), so that a typo or a negative size is refused
by name. A new family is a new file; nothing else is edited.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from yt8m import registry
from yt8m.errors import InputError
from yt8m.files import write_json
from yt8m.schema import Level, Schema

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"


def build(description: Mapping[str, Any]) -> keras.Model:
    """Build a model; the seed of `description` becomes the seed of all that Keras draws from here on.

    Args:
        description: what `describe` returns.

    Returns:
        A model from `data.dataset.Batch.inputs` to (B, C) probabilities.
    """
    name, schema = description["family"], Schema.model_validate(description["schema"])
    args = registry.check_arguments(name, schema, description["args"])
    keras.utils.set_random_seed(description["seed"])
    family = import_module(f"{__name__}.{name}")
    outside = keras.config.dtype_policy()
    keras.config.set_dtype_policy(description["precision"])
    try:
        model: keras.Model = family.build(schema, Level(description["level"]), description["momentum"], args)
    finally:
        keras.config.set_dtype_policy(outside)
    model.name = name  # the automatic one counts models, and is stored with the weights
    return model


def describe(
    name: str, schema: Schema, level: Level, *, seed: int, momentum: float, precision: str, args: Mapping[str, Any]
) -> dict[str, Any]:
    """All that rebuilds a model, as JSON.

    Args:
        name: the family.
        level: whether videos are sequences of bytes or one frame of floats.
        seed: of initial values and sampled frames.
        momentum: of every batch norm's moving statistics.
        precision: Keras's dtype policy, `float32` or `mixed_bfloat16`; weights are float32 with either.
        args: the family's own arguments.
    """
    return {
        "family": name,
        "schema": schema.model_dump(),
        "level": level.value,
        "seed": seed,
        "momentum": momentum,
        "precision": precision,
        "args": dict(args),
    }


def save(model: keras.Model, description: Mapping[str, Any], folder: Path, storage: str = "float32") -> None:
    """Write a model's weights, the same bytes each time, and its description into a folder.

    Args:
        storage: type of the weights on disk, `float32` or `float16`; the description says which.

    Raises:
        InputError: where a weight is beyond that type's range, or is no number; nothing is written then.
    """
    arrays = {name: _stored(name, variable, storage) for name, variable in _variables(model).items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays, folder / WEIGHTS)
    write_json(folder / DESCRIPTION, {**description, "storage": storage})


def load(folder: str | Path) -> tuple[keras.Model, dict[str, Any]]:
    """Rebuild a saved model with its weights, which are float32 again whatever they were stored as.

    Returns:
        The model and its description.

    Raises:
        FileNotFoundError: where the folder holds no model.
        InputError: where the weights are damaged or another model's.
    """
    description = json.loads((Path(folder) / DESCRIPTION).read_text(encoding="utf-8"))
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
