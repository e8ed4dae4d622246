"""Which models' networks the student is made of (section 3.4): the best single models within the size limit."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from yt8m.core.errors import InputError
from yt8m.models.building import Description, count_parameters


def best_within(
    gaps: Mapping[str, float], descriptions: Mapping[str, Description], members: int, max_bytes: int, storage: str
) -> list[str]:
    """The models with the highest GAP whose weights together take no more than so many bytes.

    The best that still fits is taken first, and each once before any is taken again.

    Args:
        gaps: on the holdout, by model.
        descriptions: of the same models.
        members: how many are taken.
        storage: type of the weights on disk, `float32` or `float16`.

    Raises:
        InputError: where not so many fit.
    """

    @cache
    def size(name: str) -> int:
        return count_parameters(descriptions[name]) * np.dtype(storage).itemsize

    best, taken = sorted(gaps, key=lambda name: gaps[name], reverse=True), list[str]()
    for _ in range(members):
        for name in best:
            if len(taken) < members and sum(map(size, [*taken, name])) <= max_bytes:
                taken.append(name)
    if not taken:
        least = min(map(size, gaps))
        raise InputError(
            f"distill.max_bytes: expected at least {least:,}, as the smallest of the models takes in {storage}, "
            f"received {max_bytes:,}"
        )
    if len(taken) < members:
        raise InputError(
            f"distill.members: expected at most {len(taken)}, as many of the best models as take no more than "
            f"{max_bytes:,} bytes (distill.max_bytes) in {storage}, received {members}"
        )
    return taken
