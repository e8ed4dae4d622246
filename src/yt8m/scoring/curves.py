"""Precision and recall of pooled predictions."""

import numpy as np

from yt8m.core.ragged import Ragged
from yt8m.scoring.metrics import is_label
from yt8m.scoring.predictions import Predictions

POINTS = 50


def precision_recall(predictions: Predictions, k: int = 20) -> list[tuple[float, float]]:
    """(recall, precision) at about `POINTS` even steps of recall, down the pooled top-k predictions that GAP ranks.

    Where a step ends, a prediction is right: the very first ones alone say nothing of precision.
    """
    indices, scores = predictions.indices[:, :k], predictions.scores[:, :k]
    order = np.argsort(-scores.ravel(), kind="stable")
    found = np.cumsum(is_label(indices, predictions.labels).ravel()[order])
    positives = max(1, len(Ragged.of(predictions.labels).values))
    steps = np.linspace(0, found[-1], POINTS + 1)[1:]
    ranks = np.unique(np.searchsorted(found, steps)) + 1
    return [(float(found[rank - 1] / positives), float(found[rank - 1] / rank)) for rank in ranks]
