"""Scores of a data set do not depend on how it is cut into batches."""

import numpy as np
import pytest

from tests.models import tiny
from yt8m.core.errors import InputError
from yt8m.training import scores


@pytest.fixture(scope="module")
def model():
    return tiny.randomized("netvlad")


def collected(model, dataset, batch_size):
    batches = list(scores.predict(model, dataset, batch_size))
    return [id for batch, _ in batches for id in batch.ids], np.concatenate([rows for _, rows in batches])


@pytest.mark.parametrize("batch_size", [1, 7, 30, 64])
def test_every_batch_size_gives_the_models_scores_in_order(model, holdout, batch_size):
    """30 videos: 7 leaves a smaller last batch, 64 more room than there are videos."""
    ids, values = collected(model, holdout, batch_size)
    (whole,) = holdout.batches(30)
    assert ids == whole.ids
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, tiny.score(model, whole.inputs), atol=1e-6)


def test_the_model_sees_one_shape_alone(holdout):
    seen = []

    class Model:
        def predict_on_batch(self, inputs):
            seen.append({name: x.shape for name, x in inputs.items()})
            return np.zeros((len(inputs["num_frames"]), 5))

    pairs = list(scores.predict(Model(), holdout, 8))
    assert len(seen) == 4
    assert all(shapes == seen[0] for shapes in seen)
    assert [len(rows) for _, rows in pairs] == [8, 8, 8, 6]


def test_the_model_sees_no_video_without_frames(holdout):
    """On a GPU Keras's LSTM asserts that each video has a frame."""
    lengths = []

    class Model:
        def predict_on_batch(self, inputs):
            lengths.extend(inputs["num_frames"])
            return np.zeros((len(inputs["num_frames"]), 5))

    list(scores.predict(Model(), holdout, 8))
    assert min(lengths) > 0


def test_scores_that_are_no_numbers_are_refused_by_the_videos_name(holdout):
    class Model:
        name = "spoilt"

        def predict_on_batch(self, inputs):
            scores = np.zeros((len(inputs["num_frames"]), 5))
            scores[[3, 5], 2] = np.nan
            return scores

    with pytest.raises(InputError, match=r"^spoilt: expected scores .*, received no numbers for video v2_3$"):
        list(scores.predict(Model(), holdout, 8))


@pytest.mark.parametrize("batch_size", [7, 30])
def test_gap_is_that_of_all_pairs_ranked_together(model, holdout, batch_size):
    _, values = collected(model, holdout, 30)
    (whole,) = holdout.batches(30)
    order = np.argsort(-values.ravel())
    correct = whole.labels.ravel()[order]
    expected, found = 0.0, 0
    for rank, hit in enumerate(correct, start=1):
        found += hit
        expected += hit * found / rank / correct.sum()
    assert scores.dataset_gap(model, holdout, batch_size) == pytest.approx(expected, abs=1e-5)
