"""What a student learns from its teacher (section 3.4, eq. 7)."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from yt8m.data.dataset import Batch


class Teacher(Protocol):
    """Scores of videos by their ids, as `Predictions` has them."""

    def at(self, ids: Sequence[str], classes: int) -> np.ndarray:
        """(B, C) float32 in [0, 1]; 0 outside the top k that are stored of a video."""


def targets(teacher: Teacher, share: float, classes: int) -> Callable[[Batch], np.ndarray]:
    """The targets of a batch: cross-entropy is linear in them, so that eq. 7's two terms are one with their mixture.

    Args:
        teacher: has scores of all videos.
        share: eq. 7's lambda, the teacher's share; the rest is the labels'.
        classes: C.

    Returns:
        A function from a batch to (B, C) float32 in [0, 1].
    """

    def mixed(batch: Batch) -> np.ndarray:
        return (share * teacher.at(batch.ids, classes) + (1 - share) * batch.labels).astype(np.float32)

    return mixed
