"""Relations of classes by the videos' labels, and how they compare with what a model has learnt."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse
from scipy.stats import spearmanr

from yt8m.core.ragged import Ragged

STRONGEST = 10  # relations of each class in the table
COMPARED = 100  # most frequent classes whose relations are compared with their labels'
HEADER = ("class", "name", "rank", "related", "related_name", "relation", "labels_together")


class Labels:
    """How classes go together in the videos' labels, which no model was told as such.

    Args:
        labels: of the training videos.
        names: of the classes.

    Attributes:
        together: see `together`.
        common: the classes, most frequent first.
    """

    def __init__(self, labels: Sequence[np.ndarray], names: Sequence[str]):
        self.names, self.together = names, together(labels, len(names))
        counts = np.bincount(Ragged.of(labels).values, minlength=len(names))
        self.common = np.argsort(-counts, kind="stable")

    def table(self, related: np.ndarray) -> Iterator[tuple[object, ...]]:
        """A row, as `HEADER` says, for each of a class's strongest relations, (C, C), beside how labels are related."""
        names = self.names
        for row in self.common.tolist():
            for rank, other in enumerate(strongest(related, row, STRONGEST).tolist(), 1):
                relation, carried = float(related[row, other]), float(self.together[row, other])
                yield row, names[row], rank, other, names[other], relation, carried

    def strongest(self, related: np.ndarray, k: int) -> Iterator[tuple[str, str, float, float]]:
        """The k strongest relations, (C, C), of the most frequent classes: both names, the relation, how labels are."""
        common = self.common[:COMPARED]
        one, other = (common[places] for places in np.triu_indices(len(common), 1))
        for pair in np.argsort(-related[one, other], kind="stable")[:k]:
            row, column = int(one[pair]), int(other[pair])
            yield self.names[row], self.names[column], float(related[row, column]), float(self.together[row, column])

    def rank_correlation(self, related: np.ndarray) -> float:
        """That of relations (C, C) and the labels' over the most frequent classes' pairs."""
        return rank_correlation(related, self.together, self.common[:COMPARED])


def together(labels: Sequence[np.ndarray], classes: int) -> np.ndarray:
    """`n_ij / sqrt(n_i n_j)` of the videos that carry both classes and either, (C, C) float32."""
    rows = Ragged.of(labels)
    ones = np.ones(len(rows.values), np.float32)
    carried = sparse.csr_array((ones, (rows.rows(), rows.values)), (len(rows), classes))
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
