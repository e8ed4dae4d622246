"""Which videos the augmented set is made of, before any is made (section 3.1)."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from yt8m.augmentation.neighbours import nearest
from yt8m.augmentation.regimes import kept, neighbours, rarest_labels
from yt8m.settings.params import Partners


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
    partners: Partners,
) -> Recipes:
    """The recipes of a chunk's augmented videos.

    A video of a frequent class is kept or left out. One of a rare class stays, and each of its nearest neighbours
    among its possible partners makes an interpolated and an extrapolated video; a pair is used once. Where no
    neighbour is left, one noisy copy stands in. A video without labels is in no regime and stays.

    Args:
        ids: of the chunk's videos.
        labels: of each.
        primary: the feature by which neighbours are found, (videos, size) float32.
        counts: training videos by class over the whole data set, (classes,).
        threshold: classes with more videos are sub-sampled, all others over-sampled; None over-samples all alike.
        most: neighbours of a video.
        partners: the chunk's videos that a neighbour is taken of: those with the seed's rarest label (`class`, the
            paper's), or with all of its labels and no others (`labels`).
    """
    rarest = rarest_labels(labels, counts)
    labelled = rarest >= 0
    rare, stays = labelled.copy(), np.ones(len(ids), bool)
    if threshold is not None:
        rare &= counts[rarest] <= threshold
        for row in np.flatnonzero(labelled & ~rare).tolist():
            stays[row] = kept(ids[row], int(counts[rarest[row]]), threshold)
    wanted = np.array([neighbours(int(count), threshold, most) for count in counts])[rarest]
    groups = rarest if partners == "class" else _label_sets(labels)
    members = _carriers(labels) if partners == "class" else _rows_by_group(groups, np.arange(len(labels)))
    pairs = _pairs(primary, np.where(rare, groups, -1), members, wanted)
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
    primary: np.ndarray, group_of: np.ndarray, members: Mapping[int, np.ndarray], wanted: np.ndarray
) -> np.ndarray:
    """(seed, neighbour) rows of all pairs, (P, 2), group by group; of two that are each other's the first alone.

    Args:
        group_of: in which each video is a seed, -1 for none.
        members: rows of the videos of each group.
        wanted: neighbours of each video; the same within a group.
    """
    pairs = [np.empty((0, 2), np.int64)]
    rows = np.flatnonzero(group_of >= 0)
    for group, seeds in _rows_by_group(group_of[rows], rows).items():
        near = nearest(primary, seeds, members[group], int(wanted[seeds[0]]))
        pairs.append(np.stack([np.repeat(seeds, near.shape[1]), near.ravel()], axis=1))
    everything = np.concatenate(pairs)
    keys = everything.min(1) * len(primary) + everything.max(1)
    _, first = np.unique(keys, return_index=True)
    return everything[np.sort(first)]


def _label_sets(labels: Sequence[np.ndarray]) -> np.ndarray:
    """A number for each video, (videos,) int64: the same for the same labels, in the order of their first videos."""
    numbers: dict[tuple[int, ...], int] = {}
    return np.array([numbers.setdefault(tuple(row.tolist()), len(numbers)) for row in labels], np.int64)


def _carriers(labels: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
    """The rows of the videos that carry each class, ascending."""
    rows = np.repeat(np.arange(len(labels)), [len(row) for row in labels])
    return _rows_by_group(np.concatenate([np.empty(0, np.int64), *labels]), rows)


def _rows_by_group(groups: np.ndarray, rows: np.ndarray) -> dict[int, np.ndarray]:
    """The rows of each group that occurs, in their order."""
    order = np.argsort(groups, kind="stable")
    found, starts = np.unique(groups[order], return_index=True)
    return dict(zip(found.astype(int).tolist(), np.split(rows[order], starts)[1:], strict=True))
