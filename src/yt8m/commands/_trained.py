"""What commands that run a trained model share."""

from pathlib import Path
from typing import TYPE_CHECKING

from yt8m.core.errors import InputError
from yt8m.core.startup import starting

if TYPE_CHECKING:
    import keras

    from yt8m.models.building import Description

TOP_K = 20  # the challenge's


def load(folder: Path) -> tuple["keras.Model", "Description"]:
    """A trained model and its description; Keras is imported here.

    Raises:
        InputError: where the folder does not hold one.
    """
    with starting():
        from yt8m.models import storage
        from yt8m.training.devices import make_deterministic

    for name in (storage.DESCRIPTION, storage.WEIGHTS):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: expected the folder of a trained model, found no {name} in it")
    make_deterministic()
    try:
        return storage.load(folder)
    except (KeyError, OSError, TypeError, ValueError) as error:  # what readers make of damaged files
        message = next(iter(str(error).splitlines()), "")
        raise InputError(f"{folder}: expected a trained model, received a damaged one: {message}") from None


def positive(text: str) -> int:
    """An argument that is at least 1."""
    if int(text) < 1:
        raise ValueError
    return int(text)
