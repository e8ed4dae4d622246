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

from yt8m import registry
from yt8m.files import write_json
from yt8m.schema import Level, Schema

WEIGHTS, DESCRIPTION = "model.weights.h5", "model.json"


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


def save(model: keras.Model, description: Mapping[str, Any], folder: Path) -> None:
    """Write a model's weights and description into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # Weights alone, unlike .keras, have the same bytes each time. The model that was trained would be saved with its
    # optimizer, and be three times as large.
    keras.Model(model.inputs, model.outputs, name=model.name).save_weights(folder / WEIGHTS)
    write_json(folder / DESCRIPTION, description)


def load(folder: str | Path) -> tuple[keras.Model, dict[str, Any]]:
    """Rebuild a saved model with its weights.

    Returns:
        The model and its description.

    Raises:
        FileNotFoundError: where the folder holds no model.
    """
    description = json.loads((Path(folder) / DESCRIPTION).read_text(encoding="utf-8"))
    model = build(description)
    model.load_weights(Path(folder) / WEIGHTS)
    return model, description
