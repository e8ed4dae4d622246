"""Ensembling schemes: one file each, found by its name.

A scheme's file has one function `fit(holdout, seed) -> (models, classes) weights`; the ensemble's score is the weighted
sum of its members' scores (section 3.3). A file may say `POWER = p`: then scores are raised to p before the sum,
and the sum to 1/p.

The paper learns the weights by the mean squared error to the labels on the holdout. That loss is quadratic in the
weights, so that second moments of scores and labels say all there is to say of the data: `Moments` are gathered block
by block, in memory that does not grow with the number of videos, and add up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations_with_replacement
from types import ModuleType
from typing import NamedTuple

import numpy as np

from yt8m import registry
from yt8m.metrics import PooledGap, top_k
from yt8m.predictions import Aligned, Predictions

BLOCK = 2048  # videos looked at together
SAMPLE = 10_000  # videos of the holdout kept for schemes that look at scores, not at moments


class Block(NamedTuple):
    """The scores of M models for the classes that any of them kept of n videos; of all other classes they are 0.

    Attributes:
        ids: n of them.
        labels: of each video.
        classes: (n, W) int32, ascending; a video with fewer is filled up with class 0, scored 0.
        scores: (n, W, M) float32; 0 where a model did not keep the class.
        correct: which of the classes are labels, (n, W) bool.
    """

    ids: np.ndarray
    labels: list[np.ndarray]
    classes: np.ndarray
    scores: np.ndarray
    correct: np.ndarray

    @property
    def positives(self) -> int:
        """All labels, whether a model kept them or not."""
        return sum(map(len, self.labels))

    def take(self, rows: np.ndarray) -> "Block":
        """Some of the videos.

        Args:
            rows: ascending.
        """
        labels = [self.labels[row] for row in rows.tolist()]
        return Block(self.ids[rows], labels, self.classes[rows], self.scores[rows], self.correct[rows])


@dataclass(frozen=True)
class Moments:
    """Second moments of N videos' scores s (M models, C classes) and labels y; they add up and subtract.

    Attributes:
        gram: sum of s s^T for each class, (C, M, M).
        cross: sum of s y for each class, (C, M).
        positives: sum of y, (C,).
        videos: N.
    """

    gram: np.ndarray
    cross: np.ndarray
    positives: np.ndarray
    videos: int

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.gram + other.gram,
            self.cross + other.cross,
            self.positives + other.positives,
            self.videos + other.videos,
        )

    def __sub__(self, other: "Moments") -> "Moments":
        return self + Moments(-other.gram, -other.cross, -other.positives, -other.videos)

    def loss(self, weights: np.ndarray) -> float:
        """Mean squared error of the (M, C) weights' scores to the labels."""
        w = weights.T  # (C, M)
        squares = np.einsum("cm,cmn,cn->", w, self.gram, w) - 2 * np.sum(w * self.cross) + self.positives.sum()
        return float(squares / (self.videos * len(self.positives)))


class Holdout(NamedTuple):
    """What schemes learn from: moments of all videos, and the scores of a sample of them."""

    moments: Moments
    sample: Block


def one_a_family(families: Mapping[str, str]) -> list[str]:
    """The first model of each family; `families` says of which one a model is."""
    firsts: dict[str, str] = {}
    for name, family in families.items():
        firsts.setdefault(family, name)
    return list(firsts.values())


def scheme_of(name: str) -> ModuleType:
    """A scheme's file.

    Raises:
        ValueError: where there is none of that name.
    """
    registry.require("ensembling", name)
    return import_module(f"{__name__}.{name}")


def fit(scheme: str, holdout: Holdout, seed: int) -> np.ndarray:
    """The (models, classes) weights of a scheme."""
    weights: np.ndarray = scheme_of(scheme).fit(holdout, seed)
    return weights


def power(scheme: str) -> float:
    """To what a scheme raises scores before their sum."""
    return float(getattr(scheme_of(scheme), "POWER", 1))


def blocks(members: Aligned, classes: int) -> Iterator[Block]:
    """The scores of aligned members, block by block."""
    for parts in members.blocks(BLOCK):
        yield block_of(parts, classes)


def block_of(members: Sequence[Predictions], classes: int) -> Block:
    """The scores of members for the same videos."""
    first = members[0]
    videos = len(first.ids)
    kept, hot = np.zeros((videos, classes), bool), np.zeros((videos, classes), bool)
    for member in members:
        np.put_along_axis(kept, member.indices, True, axis=1)
    for row, labels in zip(hot, first.labels, strict=True):
        row[labels] = True
    rows, columns = np.nonzero(kept)
    places = np.cumsum(kept, axis=1, dtype=np.int32) - 1  # of a class among those kept of the video
    width = places.max(initial=0) + 1
    found, correct = np.zeros((videos, width), np.int32), np.zeros((videos, width), bool)
    at = rows, places[rows, columns]
    found[at], correct[at] = columns, hot[rows, columns]
    scores = np.zeros((videos, width, len(members)), np.float32)
    for index, member in enumerate(members):
        places_of = np.take_along_axis(places, member.indices, axis=1)
        np.put_along_axis(scores[..., index], places_of, member.scores, axis=1)
    return Block(first.ids, first.labels, found, scores, correct)


def combine(block: Block, weights: np.ndarray, power: float = 1) -> np.ndarray:
    """The ensemble's scores for a block's classes, (n, W) float32 within [0, 1].

    Args:
        weights: (M, C).
        power: see the head of this file.
    """
    scores = block.scores if power == 1 else block.scores**power
    total = np.einsum("nwm,nwm->nw", scores, weights.T[block.classes], dtype=np.float64)
    return (np.clip(total, 0, 1) ** (1 / power)).astype(np.float32)


def highest(block: Block, combined: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes, scores, and whether they are labels, of the k highest of each video; ties rank by class."""
    places, scores = top_k(combined, k)
    return (
        np.take_along_axis(block.classes, places, axis=1),
        scores,
        np.take_along_axis(block.correct, places, axis=1),
    )


def folds_of(ids: Sequence[str] | np.ndarray, folds: int, seed: int) -> np.ndarray:
    """A fold for each video, (N,) int, drawn by `seed` over the sorted ids: the order of `ids` changes nothing."""
    order = np.argsort(ids)
    result = np.empty(len(ids), np.int64)
    result[order] = np.random.default_rng(seed).permutation(len(ids)) % folds
    return result


def fold_moments(found: Block, fold_of: np.ndarray, folds: int, classes: int) -> list[Moments]:
    """Moments of the videos of each fold; `fold_of` says which fold a video is in, (n,) int."""
    models, cells = found.scores.shape[-1], folds * classes

    def summed(values: np.ndarray) -> np.ndarray:
        return np.bincount(groups, values.ravel(), cells).reshape(folds, classes)

    groups = (fold_of[:, None] * classes + found.classes).ravel()
    scores = np.moveaxis(found.scores, -1, 0).astype(np.float64)
    gram, cross = np.empty((folds, classes, models, models)), np.empty((folds, classes, models))
    for a, b in combinations_with_replacement(range(models), 2):
        gram[..., a, b] = gram[..., b, a] = summed(scores[a] * scores[b])
    for a in range(models):
        cross[..., a] = summed(scores[a] * found.correct)
    of_labels = np.repeat(fold_of, [len(row) for row in found.labels]) * classes
    of_labels += np.concatenate([np.empty(0, np.int64), *found.labels])
    positives = np.bincount(of_labels, minlength=cells).reshape(folds, classes)
    videos = np.bincount(fold_of, minlength=folds)
    return [Moments(gram[f], cross[f], positives[f], int(videos[f])) for f in range(folds)]


def gather(members: Aligned, classes: int, fold_of: np.ndarray, seed: int) -> tuple[Holdout, list[Holdout]]:
    """What there is to learn from on the holdout, and for each fold what there is without its videos.

    At most `SAMPLE` videos, drawn by `seed`, make the sample.

    Args:
        fold_of: the fold of each video, (N,) int; see `folds_of`.
    """
    folds = int(fold_of.max()) + 1
    taken = np.sort(np.random.default_rng(seed).permutation(len(members.ids))[:SAMPLE])
    parts: list[Moments] = []
    samples, start = [], 0
    for block in blocks(members, classes):
        rows = slice(start, start + len(block.ids))
        found = fold_moments(block, fold_of[rows], folds, classes)
        parts = [one + other for one, other in zip(parts, found, strict=True)] if parts else found
        samples.append(block.take(taken[slice(*np.searchsorted(taken, (rows.start, rows.stop)))] - start))
        start = rows.stop
    sample, total = _joined(samples), sum(parts[1:], parts[0])
    fold_of = fold_of[taken]
    return Holdout(total, sample), [
        Holdout(total - part, sample.take(np.flatnonzero(fold_of != fold))) for fold, part in enumerate(parts)
    ]


def _joined(parts: Sequence[Block]) -> Block:
    """Blocks as one, filled up to the widest."""
    width = max(part.classes.shape[1] for part in parts)

    def joined(values: Iterable[np.ndarray]) -> np.ndarray:
        fill = [np.pad(x, [(0, 0), (0, width - x.shape[1]), *[(0, 0)] * (x.ndim - 2)]) for x in values]
        return np.concatenate(fill)

    return Block(
        np.concatenate([part.ids for part in parts]),
        [labels for part in parts for labels in part.labels],
        joined(part.classes for part in parts),
        joined(part.scores for part in parts),
        joined(part.correct for part in parts),
    )


def gaps(members: Aligned, classes: int, schemes: Mapping[str, np.ndarray], fold_of: np.ndarray) -> dict[str, float]:
    """GAP@20 of ensembles on their members' videos.

    Args:
        schemes: weights of each fold, (folds, M, C), by scheme.
        fold_of: which of them a video's scores come from, (N,) int.
    """
    found, start = {scheme: PooledGap() for scheme in schemes}, 0
    for block in blocks(members, classes):
        folds = fold_of[start : start + len(block.ids)]
        start += len(block.ids)
        for fold in np.unique(folds).tolist():
            part = block.take(np.flatnonzero(folds == fold))
            for scheme, weights in schemes.items():
                _, scores, correct = highest(part, combine(part, weights[fold], power(scheme)), 20)
                found[scheme].add_marked(scores, correct, part.positives)
    return {scheme: pooled.value() for scheme, pooled in found.items()}


def combined(members: Aligned, weights: np.ndarray, power: float) -> Iterator[Predictions]:
    """The ensemble's predictions, block by block; of each video as many classes as its members keep.

    Args:
        weights: (M, C).
        power: see the head of this file.
    """
    for block in blocks(members, weights.shape[1]):
        classes, scores, _ = highest(block, combine(block, weights, power), members.k)
        yield Predictions(block.ids, block.labels, classes, scores)
