"""What a student learns from its teacher (section 3.4, eq. 7)."""

from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from pathlib import Path

import numpy as np

from yt8m.records.batches import Batch
from yt8m.scoring.predictions import ById, Store
from yt8m.training.training import Objective


@dataclass(frozen=True)
class Distillation(Objective):
    """Eq. 7: cross-entropy is linear in its targets, so that its two terms are one with a mixture of them.

    Attributes:
        share: eq. 7's lambda, the teacher's share; the rest is the labels'.
        teacher: a store with the teacher's scores of all training videos; 0 outside the top k that it has of a video.
        extra: one of the extra videos, whose share is 1: what labels they have is not looked at.
    """

    share: float
    teacher: Path
    extra: Path

    @cached_property
    def scores(self) -> ById:
        """The teacher's scores of training videos."""
        return Store(self.teacher).by_id()

    @cached_property
    def extra_scores(self) -> ById:
        """The teacher's scores of extra videos."""
        return Store(self.extra).by_id()

    def targets(self, batch: Batch) -> np.ndarray:
        """The mixture of the teacher's scores and the labels, (B, C) float32 in [0, 1].

        Raises:
            PredictionError: where a video has no score.
        """
        classes, extra = batch.labels.shape[1], self.extra_scores.has(batch.ids)
        found = np.empty(batch.labels.shape, np.float32)
        found[extra] = self.extra_scores.at(list(compress(batch.ids, extra)), classes)
        scores = self.scores.at(list(compress(batch.ids, ~extra)), classes)
        found[~extra] = self.share * scores + (1 - self.share) * batch.labels[~extra]
        return found
