"""What a student learns from: eq. 7 term by term."""

from dataclasses import replace

import numpy as np
import pytest

from tests.models.tiny import SCHEMA
from tests.training.made import make_training, make_videos, write_sets
from yt8m.distillation.objective import Distillation
from yt8m.records.batches import Batch
from yt8m.scoring import predictions
from yt8m.scoring.predictions import PredictionError
from yt8m.training.fit import samples
from yt8m.training.losses import cross_entropy
from yt8m.training.run import run

IDS, KEPT = ["a", "b", "c"], 2
SCORES = np.array([[0.9, 0.2, 0.1, 0.3, 0], [0, 1, 0.5, 0.25, 0.125], [0.4, 0.3, 0.2, 0.1, 0.6]], np.float32)
LABELS = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1]], np.float32)


def write(path, ids, labels, scores, kept=KEPT):
    """A teacher's store."""
    with predictions.writer(path, kept, SCHEMA.classes) as out:
        out.write(ids, [np.flatnonzero(row) for row in labels], scores)
    return path


@pytest.fixture
def teacher(tmp_path):
    """The two highest scores of each video, stored in another order than that of `batch`."""
    return write(tmp_path / "teacher.parquet", IDS[::-1], LABELS[::-1], SCORES[::-1])


@pytest.fixture
def extra(tmp_path):
    """Those of one more video, which has labels, too."""
    return write(tmp_path / "extra.parquet", ["e"], LABELS[:1], SCORES[1:2])


@pytest.fixture
def none(tmp_path):
    """Of no extra videos."""
    return write(tmp_path / "none.parquet", [], [], np.empty((0, SCHEMA.classes)))


def batch(ids):
    return Batch(ids, {}, LABELS[[IDS.index(id) if id in IDS else 0 for id in ids]])


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_their_loss_is_both_losses_of_eq_7(teacher, none, share):
    probabilities = np.random.default_rng(0).uniform(0.05, 0.95, (2, SCHEMA.classes)).astype(np.float32)
    rows = [2, 0]
    lowest = np.sort(SCORES)[:, -KEPT, None]
    kept = np.where(lowest <= SCORES, SCORES, 0)  # 0 outside the stored top k

    def loss(y):
        return -(y * np.log(probabilities + 1e-5) + (1 - y) * np.log(1 - probabilities + 1e-5)).sum(axis=1)

    mixed = Distillation(share, teacher, none).targets(batch([IDS[row] for row in rows]))
    assert mixed.dtype == np.float32
    expected = share * loss(kept[rows]) + (1 - share) * loss(LABELS[rows])
    np.testing.assert_allclose(np.asarray(cross_entropy(mixed, probabilities)), expected, rtol=1e-5)


def test_the_ends_are_the_labels_and_the_teacher(teacher, none):
    np.testing.assert_array_equal(Distillation(0, teacher, none).targets(batch(IDS)), LABELS)
    np.testing.assert_array_equal(Distillation(1, teacher, none).targets(batch(["b"])), [[0, 1, 0.5, 0, 0]])


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_of_extra_videos_the_teacher_alone_decides(teacher, extra, none, share):
    """Among others they change none of these."""
    mixed = Distillation(share, teacher, extra).targets(batch(["e", "c", "e", "a"]))
    assert mixed.dtype == np.float32
    np.testing.assert_array_equal(mixed[[0, 2]], [[0, 1, 0.5, 0, 0]] * 2)
    np.testing.assert_array_equal(mixed[[1, 3]], Distillation(share, teacher, none).targets(batch(["c", "a"])))


def test_a_video_without_a_teacher_is_named(teacher, extra):
    with pytest.raises(PredictionError, match="expected a prediction of each video, 1 \\(d\\) have none"):
        Distillation(1, teacher, extra).targets(batch(["a", "e", "d"]))


def test_a_teacher_that_is_not_there_is_named(tmp_path, none):
    objective = Distillation(1, tmp_path / "teacher.parquet", none)  # as parameters are checked before it is made
    with pytest.raises(PredictionError, match=r"teacher\.parquet: expected predictions, found no file"):
        objective.targets(batch(IDS))


def test_the_teacher_is_read_once(teacher, extra):
    objective = Distillation(1, teacher, extra)
    first = objective.targets(batch(IDS))
    teacher.unlink()
    extra.unlink()
    np.testing.assert_array_equal(objective.targets(batch(IDS)), first)


@pytest.fixture
def opposite(tmp_path, none):
    """A training whose teacher says the opposite of its labels, of all classes."""
    folder = write_sets(tmp_path / "shards")
    videos = make_videos(60, 1)
    labels = np.array([np.isin(np.arange(SCHEMA.classes), video.labels) for video in videos])
    teacher = write(tmp_path / "all.parquet", [video.id for video in videos], labels, 1.0 - labels, SCHEMA.classes)
    return make_training(folder, tmp_path, objective=Distillation(1.0, teacher, none), steps=12)


def test_a_student_learns_from_its_teacher(opposite):
    """It ranks worse than one that has the labels alone."""
    labels_alone = replace(opposite, objective=replace(opposite.objective, share=0.0))
    assert run(opposite) < 0.4
    assert run(labels_alone) > 0.5


def test_each_sample_of_its_training_has_its_own_videos_targets(opposite):
    """Whatever the order: by id, not by place."""
    for inputs, targets in samples(opposite, 0):
        assert ((targets == 0) | (targets == 1)).all()
        brightest = inputs["rgb"][:, 0, : SCHEMA.classes] >= 150  # bytes that only a label makes so
        assert not (targets.astype(bool) & brightest).any()
