"""Predictions by ranges of batches: the same whatever the ranges and whoever makes them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.made import make_training
from yt8m.core.backend import THREADS, limited_threads
from yt8m.core.cluster import workers
from yt8m.core.errors import InputError
from yt8m.models import storage
from yt8m.models.building import Description, build
from yt8m.records.dataset import Dataset
from yt8m.records.manifest import write_manifest
from yt8m.scoring.predictions import concatenate
from yt8m.training import inference
from yt8m.training.inference import Inference
from yt8m.training.scores import predict


@pytest.fixture
def what(folder, tmp_path, monkeypatch) -> Inference:
    """A model that has not been trained, and the holdout."""
    training = make_training(folder, tmp_path)
    assert isinstance(training.start, Description)
    (tmp_path / "model").mkdir()
    storage.save(build(training.start), training.start, tmp_path / "model")
    for name in THREADS:  # as if Keras had begun so, here and in workers
        monkeypatch.setenv(name, "1")
    return Inference(tmp_path / "model", training.holdout, Path(training.source), 4, 3, "tensorflow", 1)


def predictions(what: Inference, processes: int = 1):
    with workers(None, processes) as spread:
        return concatenate(list(what.predictions(spread)))


def assert_same(one, other):
    assert one.ids.equals(other.ids)
    np.testing.assert_array_equal(one.indices, other.indices)
    np.testing.assert_array_equal(one.scores, other.scores)
    np.testing.assert_array_equal(one.labels.values, other.labels.values)


def test_ranges_and_workers_change_nothing(what, monkeypatch):
    whole = predictions(what)
    assert len(whole.ids) == what.listed.videos
    monkeypatch.setattr(inference, "BATCHES", 1)
    assert_same(predictions(what), whole)
    assert_same(predictions(what, 2), whole)


def test_no_videos_have_no_predictions(what, tmp_path):
    write_manifest(tmp_path / "none.tsv", [], what.listed.schema)
    with workers(None, 1) as spread:
        assert list(replace(what, manifest=tmp_path / "none.tsv").predictions(spread)) == []


def test_they_are_the_models_own(what):
    model, _ = storage.load(what.model)
    scores = np.concatenate([scores for _, scores in predict(model, Dataset(what.manifest, what.source), 4)])
    found = predictions(what)
    np.testing.assert_array_equal(found.scores, -np.sort(-scores)[:, :3])
    np.testing.assert_array_equal(np.take_along_axis(scores, found.indices.astype(int), 1), found.scores)


def test_a_model_that_was_trained_anew_is_loaded_anew(what):
    first = predictions(what)
    _, description = storage.load(what.model)
    other = description.model_copy(update={"seed": description.seed + 1})
    storage.save(build(other), other, what.model)
    assert (predictions(what).scores != first.scores).any()


def test_a_process_that_computes_in_other_threads_says_so(what):
    assert limited_threads() == 1
    with pytest.raises(InputError, match=r"train\.threads: expected 1, as this process has begun, received 2"):
        predictions(Inference(**{**vars(what), "threads": 2}))
