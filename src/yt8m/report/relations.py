"""What label relations say: which classes go together by a model's weights, and by the videos' labels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.stats import spearmanr

from yt8m.files import write_text
from yt8m.report.figures import relations_figure
from yt8m.report.tables import csv_text
from yt8m.training.relations import Omega

STRONGEST = 10  # relations of each class in the table
PRINTED = 10  # most frequent classes whose relations are printed
SHOWN = 30  # most frequent classes in the figure
COMPARED = 100  # most frequent classes whose relations are compared with their labels'


def learnt(omega: Omega) -> np.ndarray:
    """`Omega_ij / sqrt(Omega_ii Omega_jj)`, (C, C) float32 in [-1, 1]; 0 for a class without weights."""
    x = (omega.vectors * np.sqrt(omega.values)).astype(np.float32)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    unit = x / np.where(lengths > 0, lengths, 1)
    relations: np.ndarray = unit @ unit.T
    return relations


def together(labels: Sequence[np.ndarray], classes: int) -> np.ndarray:
    """`n_ij / sqrt(n_i n_j)` of the videos that carry both classes and either, (C, C) float32."""
    rows = np.repeat(np.arange(len(labels)), [len(row) for row in labels])
    flat = np.concatenate([np.empty(0, np.int64), *labels])
    carried = sparse.csr_array((np.ones(len(flat), np.float32), (rows, flat)), (len(labels), classes))
    both = (carried.T @ carried).toarray()
    single = np.sqrt(np.maximum(both.diagonal(), 1))
    carried_together: np.ndarray = both / np.outer(single, single)
    return carried_together


def strongest(relations: np.ndarray, row: int, k: int) -> np.ndarray:
    """The k classes most related to a class, strongest first, of equals the lowest."""
    order = np.argsort(-relations[row], kind="stable")
    return order[order != row][:k]


def rank_correlation(one: np.ndarray, other: np.ndarray, classes: np.ndarray) -> float:
    """Spearman's rank correlation of two relations over all pairs of some classes; 0 where one of them is constant."""
    above = np.triu_indices(len(classes), 1)
    x, y = (relations[np.ix_(classes, classes)][above] for relations in (one, other))
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(spearmanr(x, y).statistic)


def write_relations(related: np.ndarray, labels: Sequence[np.ndarray], names: Sequence[str], folder: Path) -> float:
    """Write each class's strongest relations as a table and those of frequent classes as a figure; print some.

    Beside each relation stands how often the labels carry both classes, which the model was never told as such.

    Args:
        related: what `learnt` returns.
        labels: of the training videos.
        names: of the classes.

    Returns:
        The rank correlation of both over the most frequent classes' pairs.
    """
    carried = together(labels, len(names))
    counts = np.bincount(np.concatenate([np.empty(0, np.int64), *labels]), minlength=len(names))
    common = np.argsort(-counts, kind="stable")
    rows = [
        (row, names[row], rank, other, names[other], float(related[row, other]), float(carried[row, other]))
        for row in common.tolist()
        for rank, other in enumerate(strongest(related, row, STRONGEST).tolist(), 1)
    ]
    for row in common[:PRINTED].tolist():
        listed = ", ".join(f"{names[other]} {related[row, other]:.2f}" for other in strongest(related, row, STRONGEST))
        print(f"{names[row]}: {listed}")
    header = ("class", "name", "rank", "related", "related_name", "relation", "labels_together")
    write_text(folder / "relations.csv", csv_text(header, rows))
    relations_figure(related, carried, common[:SHOWN], names, folder / "relations.png")
    return rank_correlation(related, carried, common[:COMPARED])
