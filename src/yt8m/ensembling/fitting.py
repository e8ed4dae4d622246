"""Weights of an ensemble: learnt on the holdout by a scheme, and used to combine its members' scores."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yt8m.ensembling.blocks import Block, blocks, combine, highest, joined
from yt8m.ensembling.moments import Moments, fold_moments
from yt8m.scoring.metrics import PooledGap
from yt8m.scoring.predictions import Aligned, Predictions
from yt8m.settings import registry

SAMPLE = 10_000  # videos of the holdout kept for schemes that look at scores, not at moments


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
    return import_module(registry.require(registry.schemes(), name))


def fit(scheme: str, holdout: Holdout, seed: int) -> np.ndarray:
    """The (models, classes) weights of a scheme."""
    weights: np.ndarray = scheme_of(scheme).fit(holdout, seed)
    return weights


def power(scheme: str) -> float:
    """To what a scheme raises scores before their sum; the sum is raised to its inverse."""
    return float(getattr(scheme_of(scheme), "POWER", 1))


def folds_of(ids: pa.StringArray, folds: int, seed: int) -> np.ndarray:
    """A fold for each video, (N,) int, drawn by `seed` over the sorted ids: the order of `ids` changes nothing."""
    order = pc.sort_indices(ids).to_numpy()
    result = np.empty(len(ids), np.int64)
    result[order] = np.random.default_rng(seed).permutation(len(ids)) % folds
    return result


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
    sample, total = joined(samples), sum(parts[1:], parts[0])
    fold_of = fold_of[taken]
    return Holdout(total, sample), [
        Holdout(total - part, sample.take(np.flatnonzero(fold_of != fold))) for fold, part in enumerate(parts)
    ]


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
        power: see `power`.
    """
    for block in blocks(members, weights.shape[1]):
        classes, scores, _ = highest(block, combine(block, weights, power), members.k)
        yield Predictions(block.ids, block.labels, classes, scores)
