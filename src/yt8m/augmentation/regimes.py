"""How many neighbours or which share of a class (section 3.1): by its rarest label each video is in one regime."""

import hashlib
from collections.abc import Sequence

import numpy as np


def rarest_labels(labels: Sequence[np.ndarray], counts: np.ndarray) -> np.ndarray:
    """Each video's label with the fewest training videos, of equals the lowest; -1 for a video without labels.

    Args:
        labels: of each video.
        counts: training videos by class, (classes,).

    Returns:
        (videos,) int64.
    """
    rarest = np.full(len(labels), -1)
    lengths = np.array([len(row) for row in labels], np.int64)
    if lengths.any():
        flat = np.concatenate(labels).astype(np.int64)
        keys = counts[flat] * len(counts) + flat  # ascending by count, then by class
        labelled = lengths > 0
        starts = (np.cumsum(lengths) - lengths)[labelled]
        rarest[labelled] = np.minimum.reduceat(keys, starts) % len(counts)
    return rarest


def target(count: np.ndarray, threshold: float) -> np.ndarray:
    """`((log10 n - 4) / 2 + 1) * 1e4`, scaled from 1e4 to the threshold: the videos a class of n should become."""
    return (np.log10(count / threshold) / 2 + 1) * threshold


def neighbours(count: int, threshold: float | None, most: int) -> int:
    """`int(target / n) + 1` for n <= threshold, but not more than `most`: more for rarer classes.

    The published ratio peaks at n = threshold * e / 100 (272 of 10,000) with 8 neighbours, falls below it, and is
    negative below threshold / 100. Rarer classes should get more, so that n is not taken below the peak.

    Args:
        threshold: None gives each class `most`.
    """
    if threshold is None:
        return most
    guarded = max(count, threshold * np.e / 100)
    return min(int(target(np.array(guarded), threshold) / guarded) + 1, most)


def kept(id: str, count: int, threshold: float) -> bool:
    """Whether a video of a class with n > threshold is kept: one in `int(n / target)`, by a hash of its id."""
    one_in = int(count / target(np.array(count), threshold))
    digest = hashlib.blake2b(id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % max(one_in, 1) == 0
