"""The non-negative least-squares solution, exactly, of all classes at once."""

import numpy as np

from yt8m.ensembling.moments import Moments

RIDGE = 1e-9  # added to the squares of scores brought to norm 1: models that are alike have one solution, not many
ZERO = 1e-9  # a slope nearer to zero is rounding
TRIES = 3  # rounds in which a class may have no fewer faults than before


def solve(moments: Moments) -> np.ndarray:
    """The weights, none negative, of the least squared error, (models, classes); each class is a problem of its own.

    Block principal pivoting (Kim and Park, SIAM J. Sci. Comput. 33(6), 2011, algorithm 2): guess which weights are
    zero, solve for the others, and change the guess wherever a weight is negative, or a zero one's slope is; where that
    does not bring fewer faults, change one model at a time, which ends.
    """
    classes, models = moments.cross.shape
    norms = np.sqrt(np.diagonal(moments.gram, axis1=1, axis2=2))  # (C, M); of scores that are 0, 0
    norms = np.where(norms > 0, norms, 1)
    gram = moments.gram / (norms[:, :, None] * norms[:, None]) + RIDGE * np.eye(models)  # (C, M, M)
    cross = moments.cross / norms
    size = np.maximum(np.abs(cross).max(axis=1, keepdims=True), np.finfo(float).tiny)
    cross /= size
    weights, free = np.zeros((classes, models)), np.ones((classes, models), bool)
    fewest, tries = np.full(classes, models + 1), np.full(classes, TRIES)
    left = np.arange(classes)
    while len(left):
        weights[left] = _solved(gram[left], cross[left], free[left])
        slopes = (gram[left] @ weights[left, :, None])[..., 0] - cross[left]
        wrong = np.where(free[left], weights[left] < 0, slopes < -ZERO)
        faults = wrong.sum(axis=1)
        tries[left] = np.where(faults < fewest[left], TRIES, tries[left] - 1)
        fewest[left] = np.minimum(faults, fewest[left])
        last = wrong & (np.cumsum(wrong, axis=1) == faults[:, None])
        free[left] ^= np.where(tries[left, None] >= 0, wrong, last)
        left = left[faults > 0]
    return (weights * size / norms).T


def _solved(gram: np.ndarray, cross: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Solutions (C, M) of `gram w = cross` for the free weights alone; the others are 0."""
    among = np.where(free[:, :, None] & free[:, None, :], gram, np.eye(free.shape[1]))
    return np.linalg.solve(among, np.where(free, cross, 0)[..., None])[..., 0]
