"""Labels mixed as features are."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from yt8m.augmentation.recipes import Kind
from yt8m.augmentation.synthesis import IDS
from yt8m.records.batches import Batch
from yt8m.records.dataset import Dataset
from yt8m.training.training import Objective

BETWEEN = IDS[Kind.INTERPOLATED].format("", "")


@dataclass(frozen=True)
class Mixed(Objective):
    """A video between two others, `x_i + step (x_j - x_i)`, has the labels `y_i + step (y_j - y_i)`; others their own.

    Attributes:
        originals: manifest of the videos that others are made of.
        source: where those lie.
        step: of eq. 3.
    """

    originals: Path
    source: str
    step: float

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """Those of each original video, by its id."""
        return {video.id: video.labels for video in Dataset(self.originals, self.source).videos()}

    def targets(self, batch: Batch) -> np.ndarray:
        """The labels, (B, C) float32, mixed where videos are."""
        targets = batch.labels.copy()
        for row, id in enumerate(batch.ids):
            _, between, other = id.partition(BETWEEN)
            if between:
                targets[row] *= 1 - self.step
                targets[row, self.labels[other]] += self.step
        return targets
