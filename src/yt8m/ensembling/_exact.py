"""The non-negative least-squares solution, exactly."""

import numpy as np
from scipy.optimize import nnls

from yt8m.ensembling import Moments

RANK = 1e-12  # an eigenvalue below so much of the largest is rounding


def solve(moments: Moments) -> np.ndarray:
    """The weights, none negative, of the least squared error, (models, classes); each class is a problem of its own.

    With gram = V diag(v) V^T the error is, but for a constant, |diag(v)^(1/2) V^T w - diag(v)^(-1/2) V^T cross|^2.
    """
    values, vectors = np.linalg.eigh(moments.gram)  # (C, M), (C, M, M)
    kept = values > RANK * np.maximum(values[:, -1:], np.finfo(float).tiny)
    roots = np.sqrt(np.where(kept, values, 0))
    columns = roots[..., None] * vectors.transpose(0, 2, 1)
    goals = np.einsum("cmk,cm->ck", vectors, moments.cross) / np.where(kept, roots, np.inf)
    return np.stack([nnls(*problem)[0] for problem in zip(columns, goals, strict=True)], axis=1)
