import numpy as np
import pyarrow as pa
import pytest

from yt8m.scoring.gaps import by_frequency, gap_of, group_gaps, label_counts
from yt8m.scoring.metrics import gap, top_k
from yt8m.scoring.predictions import Predictions

RANDOM = np.random.default_rng(0)


def predict(scores, labels) -> Predictions:
    ids = pa.array([str(row) for row in range(len(labels))])
    return Predictions(ids, [np.array(row, np.int32) for row in labels], *top_k(np.asarray(scores, np.float32), 30))


@pytest.fixture
def found():
    """Of 40 videos and 25 classes, of which the last is never a label."""
    labels = [np.flatnonzero(row) for row in RANDOM.random((40, 24)) < 0.2]
    return predict(RANDOM.random((40, 25)), labels)


def test_blocks_have_the_gap_of_all(found):
    blocks = [
        Predictions(found.ids[rows], found.labels[rows], found.indices[rows], found.scores[rows])
        for rows in (slice(0, 7), slice(7, 40))
    ]
    assert gap_of(blocks) == pytest.approx(gap(found.indices, found.scores, found.labels))
    assert gap_of([]) == 0


def test_one_group_of_all_classes_has_gap(found):
    (value,) = group_gaps(found, np.zeros(25, int))
    assert value == pytest.approx(gap(found.indices, found.scores, found.labels))


def test_a_group_is_ranked_alone(found):
    """As if the other classes' predictions, among the 20 highest, and their labels were not there."""
    group_of = np.arange(25) % 3
    for group, value in enumerate(group_gaps(found, group_of)):
        pairs = sorted(
            (
                (float(score), index in labels)
                for indices, scores, labels in zip(found.indices, found.scores, found.labels, strict=True)
                for index, score in zip(indices[:20], scores[:20], strict=True)
                if group_of[index] == group
            ),
            reverse=True,
        )
        right = np.array([label for _, label in pairs])
        positives = sum(group_of[label] == group for labels in found.labels for label in labels)
        precision = np.cumsum(right) / np.arange(1, len(right) + 1)
        assert value == pytest.approx(precision[right].sum() / positives)
        assert label_counts(found, group_of)[group] == positives


def test_a_class_without_labels_has_none(found):
    gaps = group_gaps(found, np.arange(25))
    assert np.isnan(gaps[24])
    assert not np.isnan(gaps[:24]).any()


def test_a_class_that_is_never_predicted():
    found = predict([[1, 0.5] + [0.0] * 30], [[0, 31]])
    assert group_gaps(found, np.arange(32))[31] == 0


def test_groups_by_frequency():
    counts = np.array([5, 100, 7, 1, 30, 8, 9, 2, 50, 40])
    group_of = by_frequency(counts)
    order = np.argsort(counts)
    assert group_of[order].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize("counts", [[3], [0, 0, 0], [1, 1, 1, 1, 9], [4, 2]])
def test_classes_of_one_frequency_stand_together(counts):
    group_of = by_frequency(np.array(counts))
    assert sorted(set(group_of)) == list(range(max(group_of) + 1))
    assert len(set(zip(counts, group_of.tolist(), strict=True))) == len(set(counts))
