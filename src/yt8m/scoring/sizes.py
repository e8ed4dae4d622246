"""How large a trained model is, by its folder alone: without Keras."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from yt8m.core.errors import InputError
from yt8m.core.files import read_json


class Size(NamedTuple):
    """A model's family, its parameters (trainable weights and moving statistics), and the bytes of its weights."""

    family: str
    parameters: int
    bytes: int


def size_of(folder: Path) -> Size:
    """The size of the model in a folder, as `yt8m.models.storage` wrote it.

    Raises:
        FileNotFoundError: where there is none.
        InputError: where its weights are damaged.
    """
    family, path = read_json(folder / "model.json")["family"], folder / "model.safetensors"
    try:
        with safe_open(path, "np") as file:
            stored = [file.get_slice(name) for name in file.keys()]  # noqa: SIM118
            # Others are integers: the states of generators.
            parameters = sum(int(np.prod(each.get_shape())) for each in stored if each.get_dtype().startswith("F"))
    except SafetensorError as error:
        raise InputError(f"{path}: expected the weights of a model: {error}") from None
    return Size(family, parameters, path.stat().st_size)
