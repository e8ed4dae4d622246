"""An ensemble as one model: what is made of stored predictions, to rounding."""

import numpy as np
import pyarrow as pa
import pytest

from tests.models import tiny
from yt8m.core.ragged import Ragged
from yt8m.core.schema import Level
from yt8m.ensembling import network
from yt8m.ensembling.blocks import block_of, combine, highest
from yt8m.scoring.metrics import top_k
from yt8m.scoring.predictions import Predictions

VIDEOS, CLASSES, MEMBERS = 40, 12, 3


def stored(scores, k):
    """A member's predictions as they are stored, k of each video."""
    ids = pa.array([f"v{index}" for index in range(len(scores))], pa.string())
    return Predictions(ids, Ragged.of([np.array([0], np.int32)] * len(scores)), *top_k(scores, k))


@pytest.mark.parametrize("power", [1, 0.5])
@pytest.mark.parametrize("kept", [1, 4, CLASSES])
def test_what_stored_predictions_give(power, kept):
    """Scores on a coarse grid, so that many are tied; weights below 0, so that classes rank below those not kept."""
    random = np.random.default_rng([kept, round(2 * power)])
    members = (random.integers(0, 9, (MEMBERS, VIDEOS, CLASSES)) / 8).astype(np.float32)
    weights = random.integers(-2, 5, (MEMBERS, CLASSES)) / 4
    block = block_of([stored(scores, kept) for scores in members], CLASSES)
    classes, expected, _ = highest(block, combine(block, weights, power), kept)
    total = np.asarray(network.Combine(weights, power, kept)(list(members)))
    found, scores = top_k(total, kept)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    if power == 1:  # sums are exact, and ties are ties
        np.testing.assert_array_equal(found, classes)


def test_a_class_that_no_member_keeps_is_below_all():
    scores = np.array([[0.9, 0.8, 0.1]], np.float32)
    total = np.asarray(network.Combine(-np.ones((1, 3)), 1, 2)([scores]))
    np.testing.assert_allclose(total, [[-0.9, -0.8, -np.inf]])


def test_members_of_one_family_stand_side_by_side():
    members = [tiny.randomized("moe", seed=seed) for seed in (1, 2)]
    batch = tiny.batch()
    model = network.build(members, tiny.SCHEMA, Level.FRAME, np.full((2, 5), 0.5), 1, 5)
    expected = (tiny.score(members[0], batch) + tiny.score(members[1], batch)) / 2
    np.testing.assert_allclose(tiny.score(model, batch), expected, atol=1e-6)
