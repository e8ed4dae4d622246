"""Selection with replacement, from a sorted start, in bags (Caruana et al., ICML 2004): the baseline for choosing.

Of half of the models, drawn for each bag, the best ones make a start: as many as score best together. Then, again and
again, that model is added which raises the sample's GAP@20 most, one that is there already too, until none does.
Weights are the shares that models have, the mean of all bags.
"""

import math

import numpy as np

from yt8m.ensembling.beyond._gap import GAIN, sample_gap
from yt8m.ensembling.blocks import Block
from yt8m.ensembling.fitting import Holdout

BAGS = 5
SHARE = 0.5  # of the models in a bag


def fit(holdout: Holdout, seed: int) -> np.ndarray:
    """The same weight of a model for every class; they add up to 1."""
    scores = np.ascontiguousarray(np.moveaxis(holdout.sample.scores, -1, 0))  # (M, n, W)
    alone = np.array([sample_gap(holdout.sample, each) for each in scores])
    random, shares = np.random.default_rng(seed), np.zeros(len(scores))
    for _ in range(BAGS):
        drawn = random.permutation(len(scores))[: math.ceil(SHARE * len(scores))]
        counts = selected(holdout.sample, scores, drawn[np.argsort(-alone[drawn], kind="stable")])
        shares += counts / counts.sum() / BAGS
    return np.repeat(shares[:, None], len(holdout.moments.positives), axis=1)


def selected(sample: Block, scores: np.ndarray, best_first: np.ndarray) -> np.ndarray:
    """How often each model is taken, (M,).

    Args:
        scores: of each model, (M, n, W).
        best_first: the models to choose from.
    """
    totals = np.cumsum(scores[best_first], axis=0)
    together = [sample_gap(sample, total) for total in totals]
    size = int(np.argmax(together))
    best, total = together[size], totals[size]
    counts = np.bincount(best_first[: size + 1], minlength=len(scores))
    while True:
        found = [sample_gap(sample, total + scores[model]) for model in best_first]
        if max(found) <= best + GAIN:
            return counts
        model = best_first[int(np.argmax(found))]
        best, total = max(found), total + scores[model]
        counts[model] += 1
