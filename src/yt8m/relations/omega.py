"""Omega: how classes go together by the output layer's weights W (section 3.2, eq. 6).

Eq. 6 is `Omega = (W^T W)^(1/2) / tr((W^T W)^(1/2))`, W being (features x classes). With the SVD W = U S V^T it is
`V (S / tr S) V^T`, so that no C x C root is ever taken: eigenvectors of the smaller of W W^T and W^T W give V and S.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Omega:
    """`Omega = vectors diag(values) vectors^T` (eq. 6).

    Attributes:
        vectors: (C, r), orthonormal columns (those of the smallest values nearly so).
        values: (r,), never negative, their sum is 1.
    """

    vectors: np.ndarray
    values: np.ndarray


def relation(w: np.ndarray) -> Omega:
    """Omega of W (features, classes), by the eigen-decomposition of its smaller side.

    Raises:
        ValueError: where W is zero or not finite, so that Omega is not defined.
    """
    w = np.asarray(w, np.float64)
    if not np.isfinite(w).all() or not w.any():
        raise ValueError("label relations: expected finite weights that are not all zero")
    if w.shape[0] < w.shape[1]:
        squares, left = np.linalg.eigh(w @ w.T)
        singular = np.sqrt(np.maximum(squares, 0))
        kept = singular > singular.max() * 1e-7
        singular = singular[kept]
        vectors = (w.T @ left[:, kept]) / singular
    else:
        squares, vectors = np.linalg.eigh(w.T @ w)
        singular = np.sqrt(np.maximum(squares, 0))
    return Omega(vectors, singular / singular.sum())


def normalized(omega: Omega) -> np.ndarray:
    """`Omega_ij / sqrt(Omega_ii Omega_jj)`, (C, C) float32 in [-1, 1]; 0 for a class without weights."""
    x = (omega.vectors * np.sqrt(omega.values)).astype(np.float32)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    unit = x / np.where(lengths > 0, lengths, 1)
    relations: np.ndarray = unit @ unit.T
    return relations


def save(omega: Omega, path: Path) -> None:
    """Write Omega's factors, as float64."""
    np.savez(path, allow_pickle=False, vectors=omega.vectors, values=omega.values)


def load(path: Path) -> Omega:
    """Read what `save` wrote."""
    with np.load(path) as stored:
        return Omega(stored["vectors"], stored["values"])
