"""GAP@20, Hit@1, PERR and mAP, exact, in numpy alone.

All take predictions as each video's highest scores: `indices` and `scores` of shape (videos, k), and `labels`, a
sequence of one array of classes a video. Classes outside a video's top k count as score 0.

Ties. No metric depends on the order of videos: equal scores are one threshold, so that every pair of a tied group
gets the precision at the group's end, as in scikit-learn's `average_precision_score`. Within one video equal
scores rank by class number, lowest first (this decides what a top k or top 1 holds).
"""

from collections.abc import Sequence

import numpy as np

Labels = Sequence[np.ndarray]


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k highest of each row, highest first and ties by class number.

    Args:
        scores: (videos, classes).

    Returns:
        Class indices, (videos, min(k, classes)) int32, and their scores.
    """
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order.astype(np.int32), np.take_along_axis(scores, order, axis=1)


def is_label(indices: np.ndarray, labels: Labels) -> np.ndarray:
    """Which of each video's predicted classes are its labels, (videos, k) bool."""
    classes = 1 + max((int(row.max()) for row in (*labels, indices) if row.size), default=0)
    rows = np.repeat(np.arange(len(labels)), [len(row) for row in labels])
    true = np.unique(rows * classes + (np.concatenate(labels) if len(labels) else np.empty(0, int)))
    pairs = np.arange(len(indices))[:, None] * classes + indices
    return np.isin(pairs, true)


def average_precision(scores: np.ndarray, correct: np.ndarray, positives: int) -> float:
    """`sum_i precision(i) * (recall(i) - recall(i - 1))` over distinct scores, falling.

    Args:
        scores: (n,).
        correct: (n,) bool.
        positives: denominator of the recall; those not among the n are never found.

    Returns:
        0 where there is nothing to find.
    """
    if not positives or not len(scores):
        return 0.0
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    ends = np.append(np.flatnonzero(scores[1:] != scores[:-1]), len(scores) - 1)
    found = np.cumsum(correct[order])[ends]
    precision = found / (ends + 1)
    return float(np.sum(precision * np.diff(found, prepend=0)) / positives)


def gap(indices: np.ndarray, scores: np.ndarray, labels: Labels, k: int = 20) -> float:
    """Global average precision: the pooled k highest predictions of every video, ranked by score.

    The recall's denominator is all labels, also those outside the top k.
    """
    pooled = PooledGap(k)
    pooled.add(indices, scores, labels)
    return pooled.value()


class PooledGap:
    """GAP of videos that come in blocks; keeps the k highest predictions of each, and whether they are right."""

    def __init__(self, k: int = 20):
        self._k, self._positives = k, 0
        self._scores: list[np.ndarray] = []
        self._correct: list[np.ndarray] = []

    def add(self, indices: np.ndarray, scores: np.ndarray, labels: Labels) -> None:
        """Take in a block of predictions, highest first."""
        self.add_marked(scores, is_label(indices, labels), sum(len(np.unique(row)) for row in labels))

    def add_marked(self, scores: np.ndarray, correct: np.ndarray, positives: int) -> None:
        """Take in a block of predictions of which it is known whether they are right.

        Args:
            scores: (videos, at least k where there are as many classes), highest first.
            correct: of the same shape, bool.
            positives: all labels of the videos.
        """
        self._scores.append(scores[:, : self._k].ravel())
        self._correct.append(correct[:, : self._k].ravel())
        self._positives += positives

    def value(self) -> float:
        """GAP of all videos so far."""
        empty = np.empty(0, bool)
        return average_precision(
            np.concatenate([empty, *self._scores]), np.concatenate([empty, *self._correct]), self._positives
        )


def hit_at_1(indices: np.ndarray, labels: Labels) -> float:
    """Share of the labelled videos whose highest prediction is one of their labels."""
    labelled = np.array([len(row) > 0 for row in labels], bool)
    return float(is_label(indices[:, :1], labels)[labelled].mean()) if labelled.any() else 0.0


def perr(indices: np.ndarray, labels: Labels) -> float:
    """Precision at equal recall rate: of a video with n labels, the share of its top n that are labels; the mean.

    Videos without labels are left out; where n > k the missing predictions count as wrong.
    """
    sizes = np.array([len(np.unique(row)) for row in labels])
    if not sizes.any():
        return 0.0
    top = np.arange(indices.shape[1]) < sizes[:, None]
    hits = (is_label(indices, labels) & top).sum(1)
    return float(np.mean(hits[sizes > 0] / sizes[sizes > 0]))


def mean_average_precision(indices: np.ndarray, scores: np.ndarray, labels: Labels) -> float:
    """Mean over the classes with a label of the average precision over videos; exact where k is the class count."""
    videos = len(indices)
    correct = is_label(indices, labels).ravel()
    flat_class, flat_score = indices.ravel(), scores.ravel()
    order = np.argsort(flat_class, kind="stable")
    shown = [np.unique(row) for row in labels if len(row)]
    true, positives = np.unique(np.concatenate(shown), return_counts=True) if shown else (np.empty(0, int),) * 2
    starts = np.searchsorted(flat_class[order], true)
    ends = np.searchsorted(flat_class[order], true, side="right")
    values = []
    for start, end, total in zip(starts, ends, positives, strict=True):
        rows = order[start:end]
        # All other videos score 0 for this class; what they hold of its labels is found at that threshold.
        rest = np.zeros(videos - len(rows), bool)
        rest[: total - correct[rows].sum()] = True
        values.append(
            average_precision(
                np.append(flat_score[rows], np.zeros(len(rest))), np.append(correct[rows], rest), int(total)
            )
        )
    return float(np.mean(values)) if values else 0.0


def all_metrics(indices: np.ndarray, scores: np.ndarray, labels: Labels) -> dict[str, float]:
    """GAP@20, mAP, Hit@1 and PERR by name."""
    return {
        "gap": gap(indices, scores, labels),
        "map": mean_average_precision(indices, scores, labels),
        "hit1": hit_at_1(indices, labels),
        "perr": perr(indices, labels),
    }
