"""GAP@20, Hit@1, PERR and mAP, exact, in numpy alone.

All take predictions as each video's highest scores: `indices` and `scores` of shape (videos, k), and `labels`, a
sequence of one array of classes a video. Classes outside a video's top k count as score 0.

Ties. No metric depends on the order of videos: equal scores are one threshold, so that every pair of a tied group
gets the precision at the group's end, as in scikit-learn's `average_precision_score`. Within one video equal
scores rank by class number, lowest first (this decides what a top k or top 1 holds).
"""

from collections.abc import Sequence

import numpy as np

from yt8m.core.ragged import Ragged

Labels = Sequence[np.ndarray]


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k highest of each row, highest first and ties by class number.

    Args:
        scores: (videos, classes).

    Returns:
        Class indices, (videos, min(k, classes)) int32, and their scores.
    """
    if 0 < k < scores.shape[1]:
        columns = _highest(scores, k)
        scores = np.take_along_axis(scores, columns, axis=1)
    else:
        columns = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(columns, order, axis=1).astype(np.int32), np.take_along_axis(scores, order, axis=1)


def _highest(scores: np.ndarray, k: int) -> np.ndarray:
    """Where each row's k highest stand, (rows, k), ascending."""
    last = scores.shape[1] - k
    among = scores >= np.partition(scores, last, axis=1)[:, last, None]
    # Rows where more are as high as the k-th, or some are no numbers, are sorted as a whole.
    rows = np.flatnonzero(among.sum(axis=1) != k)
    among[rows] = False
    among[rows[:, None], np.argsort(-scores[rows], axis=1, kind="stable")[:, :k]] = True
    return np.flatnonzero(among).reshape(-1, k) % scores.shape[1]  # nonzero's own columns take several times as long


def is_label(indices: np.ndarray, labels: Labels) -> np.ndarray:
    """Which of each video's predicted classes are its labels, (videos, k) bool."""
    true, classes = _label_pairs(labels, indices)
    pairs = np.arange(len(indices))[:, None] * classes + indices
    return np.append(true, -1)[np.searchsorted(true, pairs)] == pairs


def _label_pairs(labels: Labels, indices: np.ndarray | None = None) -> tuple[np.ndarray, int]:
    """The labels as `video * classes + class`, ascending and each once; `classes` is above all labels and indices."""
    rows = Ragged.of(labels)
    classes = 1 + max(
        (int(found.max()) for found in (rows.values, indices) if found is not None and found.size), default=0
    )
    return np.unique(rows.rows() * classes + rows.values), classes


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
        self.add_marked(scores, is_label(indices, labels), len(_label_pairs(labels)[0]))

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
    labelled = Ragged.of(labels).lengths > 0
    return float(is_label(indices[:, :1], labels)[labelled].mean()) if labelled.any() else 0.0


def perr(indices: np.ndarray, labels: Labels) -> float:
    """Precision at equal recall rate: of a video with n labels, the share of its top n that are labels; the mean.

    Videos without labels are left out; where n > k the missing predictions count as wrong.
    """
    true, classes = _label_pairs(labels)
    sizes = np.bincount(true // classes, minlength=len(labels))
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
    pairs, classes = _label_pairs(labels)
    true, positives = np.unique(pairs % classes, return_counts=True)
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
