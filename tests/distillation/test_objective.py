"""What a student learns from: eq. 7 term by term."""

import numpy as np
import pytest
from yt8m.distillation.targets import targets

from tests.models.tiny import SCHEMA
from yt8m.records.dataset import Batch
from yt8m.scoring import predictions
from yt8m.scoring.predictions import PredictionError
from yt8m.training.losses import cross_entropy

IDS, KEPT = ["a", "b", "c"], 2
SCORES = np.array([[0.9, 0.2, 0.1, 0.3, 0], [0, 1, 0.5, 0.25, 0.125], [0.4, 0.3, 0.2, 0.1, 0.6]], np.float32)
LABELS = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1]], np.float32)


@pytest.fixture
def teacher(tmp_path):
    """The two highest scores of each video, stored in another order than that of `batch`."""
    with predictions.writer(tmp_path / "teacher.parquet", KEPT, SCHEMA.classes) as out:
        out.write(IDS[::-1], [np.flatnonzero(row) for row in LABELS[::-1]], SCORES[::-1])
    return predictions.Store(tmp_path / "teacher.parquet").read()


def batch(ids):
    return Batch(ids, {}, LABELS[[IDS.index(id) if id in IDS else 0 for id in ids]])


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_their_loss_is_both_losses_of_eq_7(teacher, share):
    probabilities = np.random.default_rng(0).uniform(0.05, 0.95, (2, SCHEMA.classes)).astype(np.float32)
    rows = [2, 0]
    lowest = np.sort(SCORES)[:, -KEPT, None]
    kept = np.where(lowest <= SCORES, SCORES, 0)  # 0 outside the stored top k

    def loss(y):
        return -(y * np.log(probabilities + 1e-5) + (1 - y) * np.log(1 - probabilities + 1e-5)).sum(axis=1)

    mixed = targets(teacher, share, SCHEMA.classes)(batch([IDS[row] for row in rows]))
    assert mixed.dtype == np.float32
    expected = share * loss(kept[rows]) + (1 - share) * loss(LABELS[rows])
    np.testing.assert_allclose(np.asarray(cross_entropy(mixed, probabilities)), expected, rtol=1e-5)


def test_the_ends_are_the_labels_and_the_teacher(teacher):
    np.testing.assert_array_equal(targets(teacher, 0, SCHEMA.classes)(batch(IDS)), LABELS)
    np.testing.assert_array_equal(targets(teacher, 1, SCHEMA.classes)(batch(["b"])), [[0, 1, 0.5, 0, 0]])


def test_a_video_without_a_teacher_is_named(teacher):
    with pytest.raises(PredictionError, match="expected a prediction of each video, 1 \\(d\\) have none"):
        targets(teacher, 1, SCHEMA.classes)(batch(["a", "d"]))
