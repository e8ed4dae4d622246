"""Which videos the augmented set is made of, before any is made (section 3.1)."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from yt8m.augmentation.neighbours import nearest
from yt8m.augmentation.regimes import kept, neighbours, rarest_labels


class Kind(IntEnum):
    """How a video of the augmented set is made."""

    ORIGINAL = 0
    INTERPOLATED = 1
    EXTRAPOLATED = 2
    NOISE = 3


class Recipes(NamedTuple):
    """What M videos are made of.

    Attributes:
        kind: (M,), of `Kind`.
        seed: rows of the chunk, (M,): the video whose labels it takes.
        other: rows of the chunk, (M,): the neighbour, or the seed itself where there is none.
    """

    kind: np.ndarray
    seed: np.ndarray
    other: np.ndarray

    def take(self, rows: np.ndarray | slice) -> "Recipes":
        """Some of the recipes."""
        return Recipes(*(column[rows] for column in self))


def recipes(
    ids: Sequence[str],
    labels: Sequence[np.ndarray],
    primary: np.ndarray,
    counts: np.ndarray,
    *,
    threshold: int | None,
    most: int,
) -> Recipes:
    """The recipes of a chunk's augmented videos.

    A video of a frequent class is kept or left out. One of a rare class stays, and each of its nearest neighbours
    among the chunk's videos with its rarest label makes an interpolated and an extrapolated video; a pair is used once.
    Where no neighbour is left, one noisy copy stands in. A video without labels is in no regime and stays.

    Args:
        ids: of the chunk's videos.
        labels: of each.
        primary: the feature by which neighbours are found, (videos, size) float32.
        counts: training videos by class over the whole data set, (classes,).
        threshold: classes with more videos are sub-sampled, all others over-sampled; None over-samples all alike.
        most: neighbours of a video.
    """
    rarest = rarest_labels(labels, counts)
    labelled = rarest >= 0
    rare, stays = labelled.copy(), np.ones(len(ids), bool)
    if threshold is not None:
        rare &= counts[rarest] <= threshold
        for row in np.flatnonzero(labelled & ~rare).tolist():
            stays[row] = kept(ids[row], int(counts[rarest[row]]), threshold)
    wanted = [neighbours(int(count), threshold, most) for count in counts]
    pairs = _pairs(labels, primary, np.where(rare, rarest, -1), wanted)
    originals, alone = np.flatnonzero(stays), np.setdiff1d(np.flatnonzero(rare), pairs[:, 0])
    made = [
        (Kind.ORIGINAL, originals, originals),
        (Kind.INTERPOLATED, pairs[:, 0], pairs[:, 1]),
        (Kind.EXTRAPOLATED, pairs[:, 0], pairs[:, 1]),
        (Kind.NOISE, alone, alone),
    ]
    return Recipes(
        np.repeat(np.array([kind for kind, *_ in made]), [len(seeds) for _, seeds, _ in made]),
        np.concatenate([seeds for _, seeds, _ in made]),
        np.concatenate([others for *_, others in made]),
    )


def _pairs(
    labels: Sequence[np.ndarray],
    primary: np.ndarray,
    seed_of: np.ndarray,
    wanted: Sequence[int],
) -> np.ndarray:
    """(seed, neighbour) rows of all pairs, (P, 2), class by class; of two that are each other's the first alone.

    Args:
        seed_of: the class for which each video is a seed, -1 for none.
        wanted: neighbours by class.
    """
    pairs = [np.empty((0, 2), np.int64)]
    rows = np.flatnonzero(seed_of >= 0)
    seeds, carriers = _rows_by_class(seed_of[rows], rows), _carriers(labels)
    for label, rows in seeds.items():
        near = nearest(primary, rows, carriers[label], wanted[label])
        pairs.append(np.stack([np.repeat(rows, near.shape[1]), near.ravel()], axis=1))
    everything = np.concatenate(pairs)
    keys = everything.min(1) * len(primary) + everything.max(1)
    _, first = np.unique(keys, return_index=True)
    return everything[np.sort(first)]


def _carriers(labels: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
    """The rows of the videos that carry each class, ascending."""
    rows = np.repeat(np.arange(len(labels)), [len(row) for row in labels])
    return _rows_by_class(np.concatenate([np.empty(0, np.int64), *labels]), rows)


def _rows_by_class(classes: np.ndarray, rows: np.ndarray) -> dict[int, np.ndarray]:
    """The rows of each class that occurs, in their order."""
    order = np.argsort(classes, kind="stable")
    found, starts = np.unique(classes[order], return_index=True)
    return dict(zip(found.astype(int).tolist(), np.split(rows[order], starts)[1:], strict=True))
