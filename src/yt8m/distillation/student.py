"""Which model's family and arguments the student takes (section 3.4): the best single model within the size limit."""

from collections.abc import Mapping

import numpy as np

from yt8m.core.errors import InputError
from yt8m.models.building import Description, count_parameters


def best_within(
    gaps: Mapping[str, float], descriptions: Mapping[str, Description], max_bytes: int, storage: str
) -> str:
    """The model with the highest GAP among those whose weights take no more than so many bytes.

    Args:
        gaps: on the holdout, by model.
        descriptions: of the same models.
        storage: type of the weights on disk, `float32` or `float16`.

    Raises:
        InputError: where all take more.
    """
    sizes = {}
    for name in sorted(gaps, key=lambda name: gaps[name], reverse=True):
        sizes[name] = count_parameters(descriptions[name]) * np.dtype(storage).itemsize
        if sizes[name] <= max_bytes:
            return name
    raise InputError(
        f"distill.max_bytes: expected at least {min(sizes.values()):,}, as the smallest of the models takes in "
        f"{storage}, received {max_bytes:,}"
    )
