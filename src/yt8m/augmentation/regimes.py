"""How many neighbours or which share of a class (section 3.1): by its rarest label each video is in one regime."""

import hashlib

import numpy as np


def rarest_label(labels: np.ndarray, counts: np.ndarray) -> int:
    """The label with the fewest training videos; of equals the lowest."""
    return int(labels[np.argmin(counts[labels])])


def target(count: np.ndarray, threshold: float) -> np.ndarray:
    """`((log10 n - 4) / 2 + 1) * 1e4`, scaled from 1e4 to the threshold: the videos a class of n should become."""
    return (np.log10(count / threshold) / 2 + 1) * threshold


def neighbours(count: int, threshold: float) -> int:
    """`int(target / n) + 1` for n <= threshold: more for rarer classes.

    The published ratio peaks at n = threshold * e / 100 (272 of 10,000), falls below it, and is negative below
    threshold / 100. Rarer classes should get more, so that n is not taken below the peak.
    """
    guarded = max(count, threshold * np.e / 100)
    return int(target(np.array(guarded), threshold) / guarded) + 1


def kept(id: str, count: int, threshold: float) -> bool:
    """Whether a video of a class with n > threshold is kept: one in `int(n / target)`, by a hash of its id."""
    one_in = int(count / target(np.array(count), threshold))
    digest = hashlib.blake2b(id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % max(one_in, 1) == 0
