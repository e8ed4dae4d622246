"""GAP of the holdout's sample, for schemes that choose weights by it."""

import numpy as np

from yt8m.ensembling.blocks import Block
from yt8m.scoring.metrics import average_precision

GAIN = 1e-6  # less is no gain


def sample_gap(sample: Block, scores: np.ndarray, k: int = 20) -> float:
    """GAP of a block's videos by combined scores (n, W), which need not be probabilities."""
    if scores.shape[1] > k:
        top = np.argpartition(-scores, k, axis=1)[:, :k]
        return average_precision(
            np.take_along_axis(scores, top, axis=1).ravel(),
            np.take_along_axis(sample.correct, top, axis=1).ravel(),
            sample.positives,
        )
    return average_precision(scores.ravel(), sample.correct.ravel(), sample.positives)
