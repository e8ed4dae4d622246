import numpy as np
import pyarrow as pa
import pytest

from yt8m.scoring.calibration import calibration
from yt8m.scoring.predictions import Predictions


def predict(scores, labels) -> Predictions:
    scores = np.array(scores, np.float32)
    indices = np.broadcast_to(np.arange(scores.shape[1], dtype=np.int32), scores.shape)
    return Predictions(pa.array(["x"] * len(scores)), [np.array(row) for row in labels], indices, scores)


def test_bins():
    low, high = calibration(predict([[0.95, 0.91, 0.13], [0.99, 0.11, 0.17]], [[0, 2], [1]]))
    assert (low.bin, low.predictions, low.right) == (1, 3, pytest.approx(2 / 3))
    assert low.score == pytest.approx((0.13 + 0.11 + 0.17) / 3)
    assert (high.bin, high.predictions, high.right) == (9, 3, pytest.approx(1 / 3))


def test_the_outermost_bins_hold_what_is_beyond():
    low, high = calibration(predict([[1.2, 1.0, -0.3]], [[0, 1]]))
    assert (low.bin, low.predictions, low.right) == (0, 1, 0)
    assert (high.bin, high.predictions, high.right) == (9, 2, 1)


def test_of_the_highest_alone():
    found = predict([[0.95, 0.85, 0.1]], [[2]])
    assert [each.predictions for each in calibration(found, k=2)] == [1, 1]


def test_of_no_video():
    assert calibration(predict(np.empty((0, 3)), [])) == []
