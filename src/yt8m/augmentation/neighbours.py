"""Nearest neighbours within a class."""

import numpy as np
from sklearn.neighbors import NearestNeighbors


def nearest(x: np.ndarray, k: int) -> np.ndarray:
    """The k nearest other rows of each row by L2 distance, nearest first.

    Args:
        x: (n, D).

    Returns:
        (n, min(k, n - 1)) int64.
    """
    k = min(k, len(x) - 1)
    if k < 1:
        return np.empty((len(x), 0), np.int64)
    # Without an argument scikit-learn leaves each row itself out, whatever else lies at distance 0.
    found: np.ndarray = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x).kneighbors(return_distance=False)
    return found
