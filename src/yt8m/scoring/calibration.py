"""How well scores are probabilities: a reliability diagram (Guo et al., arXiv 1706.04599)."""

from typing import NamedTuple

import numpy as np

from yt8m.scoring.metrics import is_label
from yt8m.scoring.predictions import Predictions

BINS = 10


class Bin(NamedTuple):
    """The predictions whose scores lie in one of `BINS` equally wide ranges.

    Attributes:
        bin: its number, from 0.
        predictions: how many there are.
        score: their mean.
        right: the share of them that are labels.
    """

    bin: int
    predictions: int
    score: float
    right: float


def calibration(found: Predictions, k: int = 20) -> list[Bin]:
    """The bins that hold any of each video's k highest predictions; scores beyond 0 and 1 are in the outermost."""
    scores = found.scores[:, :k].ravel().astype(np.float64)
    right = is_label(found.indices[:, :k], found.labels).ravel()
    bins = np.clip((scores * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums, found_right = np.bincount(bins, scores, BINS), np.bincount(bins, right, BINS)
    return [
        Bin(
            number,
            int(counts[number]),
            float(sums[number] / counts[number]),
            float(found_right[number] / counts[number]),
        )
        for number in np.flatnonzero(counts).tolist()
    ]
