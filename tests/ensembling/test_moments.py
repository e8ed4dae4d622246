"""Moments against products of dense scores and labels."""

import numpy as np
import pytest

from tests.ensembling.made import CLASSES, VIDEOS, block_of, check_moments, correlated, dense_loss, moments_of
from yt8m.ensembling.moments import fold_moments


@pytest.mark.parametrize("seed", range(3))
def test_loss_of_moments(seed):
    scores, hot = correlated(seed)
    weights = np.random.default_rng(seed).normal(0.3, 0.2, (4, CLASSES))
    assert moments_of(scores, hot).loss(weights) == pytest.approx(dense_loss(scores, hot, weights), rel=1e-5)


def test_moments_add_and_subtract():
    scores, hot = correlated(3)
    folds = np.random.default_rng(0).integers(0, 3, VIDEOS)
    parts = fold_moments(block_of(scores, hot), folds, 3, CLASSES)
    for fold, part in enumerate(parts):
        check_moments(part, scores[folds == fold], hot[folds == fold])
    check_moments(parts[0] + parts[1] + parts[2], scores, hot)
    check_moments(moments_of(scores, hot) - parts[1], scores[folds != 1], hot[folds != 1])


def test_a_fold_without_videos_has_nothing():
    scores, hot = correlated(4)
    parts = fold_moments(block_of(scores, hot), np.full(VIDEOS, 2), 4, CLASSES)
    for fold in (0, 1, 3):
        check_moments(parts[fold], scores[:0], hot[:0])
    check_moments(parts[2], scores, hot)
