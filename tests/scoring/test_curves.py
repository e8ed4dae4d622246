import numpy as np
import pyarrow as pa
import pytest

from yt8m.scoring.curves import precision_recall
from yt8m.scoring.metrics import top_k
from yt8m.scoring.predictions import Predictions


def predict(scores, hot) -> Predictions:
    ids = pa.array([str(row) for row in range(len(hot))])
    return Predictions(ids, [np.flatnonzero(row) for row in hot], *top_k(np.asarray(scores, np.float32), 30))


@pytest.mark.parametrize("k", [2, 20])
@pytest.mark.parametrize("videos", [1, 3, 40])
def test_points_are_those_of_the_pooled_ranking(videos, k):
    random = np.random.default_rng(videos)
    scores, hot = random.random((videos, 25)), random.random((videos, 25)) < 0.3
    pooled = []
    for row, true in zip(scores, hot, strict=True):
        pooled += sorted(((score, bool(label)) for score, label in zip(row, true, strict=True)), reverse=True)[:k]
    correct = [label for _, label in sorted(pooled, reverse=True)]
    expected = [(sum(correct[:rank]) / hot.sum(), sum(correct[:rank]) / rank) for rank in range(1, len(correct) + 1)]
    of_right = [point for point, label in zip(expected, correct, strict=True) if label]
    points = precision_recall(predict(scores, hot), k)
    assert len(points) == min(len(of_right), 50)
    assert points[-1] == pytest.approx(of_right[-1])
    assert all(any(point == pytest.approx(other) for other in of_right) for point in points)
    recalls = np.array([0, *(recall for recall, _ in points)])
    assert (np.diff(recalls) > 0).all()
    assert np.diff(recalls).max() < recalls[-1] / 50 + 1.5 / hot.sum()


def test_perfect_predictions():
    hot = np.eye(25, dtype=bool)
    points = precision_recall(predict(hot, hot), 1)
    assert all(precision == 1 for _, precision in points)
    assert points[-1] == (1, 1)


def test_without_labels():
    points = precision_recall(predict(np.random.default_rng(0).random((3, 25)), np.zeros((3, 25), bool)))
    assert points
    assert set(points) == {(0, 0)}
