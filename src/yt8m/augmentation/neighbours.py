"""Nearest neighbours within a class."""

import numpy as np

SPARE = 8  # neighbours looked at beyond the k, so that rounding in the product leaves none out
ELEMENTS = 1 << 22  # of differences held at a time


def nearest(x: np.ndarray, rows: np.ndarray, members: np.ndarray, k: int) -> np.ndarray:
    """The k members nearest to each row by L2 distance, nearest first, of equals the one that comes first.

    A blocked matrix product finds candidates, their differences rank them: a product's last bits depend on the number
    of threads, the differences' do not.

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
    candidates = min(k + SPARE, len(members) - 1)
    y = x[members]
    squares = np.einsum("md,md->m", y, y)
    block = max(1, ELEMENTS // (candidates * x.shape[1]))
    for start in range(0, len(rows), block):
        inside = rows[start : start + block]
        own = np.searchsorted(members, inside)
        distances = squares - 2 * (y[own] @ y.T)  # less each row's own square, which ranks nothing
        distances[np.arange(len(inside)), own] = np.inf
        near = np.sort(np.argpartition(distances, candidates - 1, axis=1)[:, :candidates], axis=1)
        differences = y[near] - y[own][:, None]
        exact = np.einsum("rcd,rcd->rc", differences, differences, dtype=np.float64)
        ranked = np.argsort(exact, axis=1, kind="stable")[:, :k]
        found[start : start + block] = members[np.take_along_axis(near, ranked, axis=1)]
    return found
