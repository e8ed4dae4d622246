"""GAP of blocks of predictions, and GAP of groups of classes."""

from collections.abc import Iterable

import numpy as np

from yt8m.core.ragged import Ragged
from yt8m.scoring.metrics import PooledGap, average_precision, is_label
from yt8m.scoring.predictions import Predictions

GROUPS = 5  # of classes, by how frequent they are


def gap_of(blocks: Iterable[Predictions]) -> float:
    """GAP@20 of predictions that come in blocks."""
    pooled = PooledGap()
    for block in blocks:
        pooled.add(block.indices, block.scores, block.labels)
    return pooled.value()


def by_frequency(counts: np.ndarray, groups: int = GROUPS) -> np.ndarray:
    """Divide classes into about equally many a group, rarest first; classes of one frequency stand in one group.

    Args:
        counts: training videos by class, (C,).

    Returns:
        Each class's group, (C,) int64, from 0 without gaps.
    """
    edges = np.quantile(counts, np.arange(1, groups) / groups)
    _, group_of = np.unique(np.searchsorted(edges, counts), return_inverse=True)
    return group_of


def group_gaps(found: Predictions, group_of: np.ndarray, k: int = 20) -> np.ndarray:
    """GAP@20 of groups of classes: of each video's k highest predictions those of the group, ranked by score.

    The recall's denominator is all labels of the group, as GAP's is all labels. A class alone may be a group: its GAP
    is its average precision among the predictions that GAP ranks.

    Args:
        group_of: each class's, (C,), from 0 without gaps.

    Returns:
        (groups,) float64; NaN for a group that no video carries.
    """
    groups = int(group_of.max()) + 1
    correct = is_label(found.indices[:, :k], found.labels).ravel()
    scores, group = found.scores[:, :k].ravel(), group_of[found.indices[:, :k]].ravel()
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.searchsorted(group[order], np.arange(1, groups)))
    positives = label_counts(found, group_of)
    return np.array(
        [
            average_precision(scores[part], correct[part], total) if total else np.nan
            for part, total in zip(parts, positives.tolist(), strict=True)
        ]
    )


def label_counts(found: Predictions, group_of: np.ndarray) -> np.ndarray:
    """The labels of all videos by group of classes, (groups,) int64."""
    rows = Ragged.of(found.labels)
    pairs = np.unique(rows.rows() * len(group_of) + rows.values)  # a label counts once
    return np.bincount(group_of[pairs % len(group_of)], minlength=int(group_of.max()) + 1)
