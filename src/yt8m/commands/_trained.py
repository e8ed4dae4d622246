"""What commands that run a trained model share."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from yt8m.errors import InputError

if TYPE_CHECKING:
    import keras

TOP_K = 20  # the challenge's


def load(folder: Path) -> tuple["keras.Model", dict[str, Any]]:
    """A trained model and its description; Keras is imported here.

    Raises:
        InputError: where the folder does not hold one.
    """
    from yt8m import models

    for name in (models.DESCRIPTION, models.WEIGHTS):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: expected the folder of a trained model, found no {name} in it")
    from yt8m.training.devices import make_deterministic

    make_deterministic()
    try:
        return models.load(folder)
    except (KeyError, OSError, TypeError, ValueError) as error:  # what readers make of damaged files
        message = next(iter(str(error).splitlines()), "")
        raise InputError(f"{folder}: expected a trained model, received a damaged one: {message}") from None


def positive(text: str) -> int:
    """An argument that is at least 1."""
    if int(text) < 1:
        raise ValueError
    return int(text)
