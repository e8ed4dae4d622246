"""Nearest neighbours within a class."""

import numpy as np

SPARE = 8  # candidates beyond the k
ROUNDING = 8  # of a product's sum of D terms: so many times sqrt(D) epsilons of the largest square
ELEMENTS = 1 << 22  # of differences held at a time


def nearest(x: np.ndarray, rows: np.ndarray, members: np.ndarray, k: int) -> np.ndarray:
    """The k members nearest to each row by L2 distance, nearest first, of equals the one that comes first.

    A blocked matrix product names candidates and differences rank them. A product's last bits depend on the number of
    threads, and cannot tell near-duplicates apart: a row with more members within its rounding than candidates is
    ranked against all of those.

    Args:
        x: (n, D) float32.
        rows: of x, (R,), each one of the members.
        members: rows of x, (m,), ascending.
        k: at most m - 1 are found, as no row is its own neighbour.

    Returns:
        (R, min(k, m - 1)) int64 rows of x.
    """
    k = min(k, len(members) - 1)
    found = np.empty((len(rows), max(k, 0)), np.int64)
    if k < 1:
        return found
    candidates, y = min(k + SPARE, len(members) - 1), x[members]
    centred = y - y.mean(axis=0, dtype=np.float64).astype(np.float32)  # products of small numbers round less
    squares = np.einsum("md,md->m", centred, centred)
    rounding = ROUNDING * np.sqrt(x.shape[1]) * np.finfo(np.float32).eps * squares.max()
    block = max(1, ELEMENTS // (candidates * x.shape[1]))
    for start in range(0, len(rows), block):
        own = np.searchsorted(members, rows[start : start + block])
        distances = squares - 2 * (centred[own] @ centred.T)  # less each row's own square, which ranks nothing
        distances[np.arange(len(own)), own] = np.inf
        near = np.argpartition(distances, (k - 1, candidates - 1), axis=1)[:, :candidates]
        reach = np.take_along_axis(distances, near[:, k - 1 : k], axis=1) + rounding
        found[start : start + block] = members[ranked(y, own, np.sort(near, axis=1), k)]
        for row in np.flatnonzero((distances <= reach).sum(axis=1) > candidates).tolist():
            alike = np.flatnonzero(distances[row] <= reach[row])
            found[start + row] = members[ranked(y, own[row : row + 1], alike[None], k)[0]]
    return found


def ranked(y: np.ndarray, own: np.ndarray, near: np.ndarray, k: int) -> np.ndarray:
    """The k nearest of each row's candidates, by differences.

    Args:
        y: (m, D).
        own: rows of y, (R,).
        near: rows of y, (R, candidates), ascending.

    Returns:
        (R, k) rows of y.
    """
    differences = y[near].astype(np.float64) - y[own][:, None]
    order = np.argsort(np.einsum("rcd,rcd->rc", differences, differences), axis=1, kind="stable")[:, :k]
    return np.take_along_axis(near, order, axis=1)
