"""An ensemble on disk: its members' folders, which stay where they are, and the weights of a scheme."""

import json
from pathlib import Path
from typing import Annotated, Self
from zipfile import BadZipFile

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from yt8m.core.errors import InputError
from yt8m.core.files import write_json

DESCRIPTION, WEIGHTS = "ensemble.json", "weights.npz"


class Ensemble(BaseModel):
    """Which members, and how their scores are put together.

    Attributes:
        members: the folder of each by its name, from the ensemble's own.
        scheme: whose weights are taken.
        top_k: classes kept of each member's scores; the others count as 0, as they did when weights were learnt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    members: Annotated[dict[str, str], Field(min_length=1)]
    scheme: str
    top_k: PositiveInt

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The ensemble of a folder.

        Raises:
            InputError: where the folder holds none, or its description is damaged.
        """
        path = folder / DESCRIPTION
        try:
            return cls.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise InputError(f"{folder}: expected the folder of an ensemble, found no {DESCRIPTION} in it") from None
        except (ValidationError, json.JSONDecodeError) as error:
            message = next(iter(str(error).splitlines()), "")
            raise InputError(f"{path}: expected the description of an ensemble: {message}") from None

    def write(self, folder: Path, weights: dict[str, np.ndarray]) -> None:
        """Write the description, and the weights of all schemes by name, each (M, C)."""
        np.savez(folder / WEIGHTS, allow_pickle=False, **weights)
        write_json(folder / DESCRIPTION, self.model_dump())


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """The weights of every scheme, (M, C) float64, by its name.

    Raises:
        InputError: where the file is missing or damaged.
    """
    path = folder / WEIGHTS
    try:
        with np.load(path) as stored:
            return dict(stored)
    except (OSError, EOFError, ValueError, BadZipFile) as error:
        raise InputError(f"{path}: expected the weights of an ensemble: {error}") from None
