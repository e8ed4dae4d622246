"""Folds, what is learnt from, and what ensembles score."""

import numpy as np
import pyarrow as pa
import pytest

from tests.ensembling.made import (
    CLASSES,
    KNOWN,
    VIDEOS,
    block_of,
    check_moments,
    correlated,
    fit,
    gap_of,
    store,
    total_of,
)
from yt8m.ensembling import beyond, blocks, fitting
from yt8m.ensembling.beyond import gap
from yt8m.scoring import metrics, predictions
from yt8m.scoring.predictions import Store, aligned, concatenate
from yt8m.settings import registry


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 256)  # so that there are three


@pytest.mark.parametrize("folds", [2, 5])
@pytest.mark.parametrize("count", [2, 5, 23])
def test_folds(folds, count):
    ids = pa.array([f"v{index}" for index in range(count)])
    found = fitting.folds_of(ids, folds, seed=0)
    sizes = np.bincount(found, minlength=folds)
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 1
    order = np.random.default_rng(0).permutation(count)
    np.testing.assert_array_equal(fitting.folds_of(ids.take(order), folds, 0), found[order])


def test_folds_depend_on_the_seed():
    ids = pa.array([f"v{index}" for index in range(50)])
    assert fitting.folds_of(ids, 5, 0).tolist() != fitting.folds_of(ids, 5, 1).tolist()


def test_folds_are_drawn_over_ids_as_python_sorts_them():
    ids = ["b", "é", "a\U0001f600", "a\uffff", "B", "", "ab", "a"]
    drawn = np.random.default_rng(2).permutation(len(ids)) % 3
    found = fitting.folds_of(pa.array(ids), 3, 2)
    assert {id: int(fold) for id, fold in zip(ids, found, strict=True)} == dict(
        zip(sorted(ids), drawn.tolist(), strict=True)
    )


@pytest.mark.parametrize("scheme", KNOWN)
def test_cross_validation_uses_other_folds_only(tmp_path, scheme):
    """Against weights fitted, fold by fold, on predictions from which the fold's videos are taken out."""
    scores, hot = correlated(7, noise=0.4)
    power = fitting.power(scheme)
    with aligned(store(tmp_path, scores, hot)) as members:
        fold_of = fitting.folds_of(members.ids, 4, seed=3)
        whole, parts = fitting.gather(members, CLASSES, fold_of, seed=3)
        weights = np.stack([fitting.fit(scheme, part, 3) for part in parts])
        (found,) = fitting.gaps(members, CLASSES, {scheme: weights}, fold_of).values()
    combined = np.zeros((VIDEOS, CLASSES))
    for fold in range(4):
        inside = fold_of == fold
        own = fit(scheme, scores[~inside], hot[~inside], seed=3)
        combined[inside] = total_of(scores[inside], own, power)
    expected = metrics.gap(*metrics.top_k(combined.astype(np.float32), 20), [np.flatnonzero(row) for row in hot])
    assert found == pytest.approx(expected, abs=1e-6)
    if scheme == "shrunk_per_class":  # weights fitted on all videos give another figure
        assert gap_of(scores, hot, fitting.fit(scheme, whole, 3)) != pytest.approx(expected, abs=1e-6)


def test_what_there_is_to_learn_from(tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "SAMPLE", 500)
    scores, hot = correlated(7)
    fold_of = np.random.default_rng(0).integers(3, size=VIDEOS)
    with aligned(store(tmp_path, scores, hot)) as members:
        whole, parts = fitting.gather(members, CLASSES, fold_of, seed=1)
    check_moments(whole.moments, scores, hot)
    rows = [int(id.removeprefix("video")) for id in whole.sample.ids.tolist()]
    assert len(rows) == len(set(rows)) == 500
    np.testing.assert_array_equal(whole.sample.scores, block_of(scores[rows], hot[rows]).scores)
    for fold, part in enumerate(parts):
        check_moments(part.moments, scores[fold_of != fold], hot[fold_of != fold])
        assert part.sample.ids.tolist() == [f"video{row:04d}" for row in rows if fold_of[row] != fold]


def test_gap_of_ensembles(tmp_path):
    scores, hot = correlated(8)
    weights = np.random.default_rng(0).normal(0.25, 0.1, (4, CLASSES))
    with aligned(store(tmp_path, scores, hot)) as members:
        found = fitting.gaps(members, CLASSES, {"equal": weights[None], "gap": weights[None]}, np.zeros(VIDEOS, int))
    assert found["equal"] == pytest.approx(gap_of(scores, hot, weights), abs=1e-6)
    assert found["gap"] == pytest.approx(gap_of(scores, hot, weights, gap.POWER), abs=1e-6)


def test_combined_predictions(tmp_path):
    scores, hot = correlated(8)
    weights = np.random.default_rng(0).normal(0.25, 0.1, (4, CLASSES))
    with (
        aligned(store(tmp_path, scores, hot)) as members,
        predictions.writer(tmp_path / "p.parquet", 3, CLASSES) as out,
    ):
        blocks = list(fitting.combined(members, weights, 1))
        for block in blocks:
            out.append(block)
    assert len(blocks) == 3
    expected = total_of(scores, weights)
    read = concatenate(blocks)
    assert read.ids.tolist() == [f"video{row:04d}" for row in range(VIDEOS)]
    assert [row.tolist() for row in read.labels] == [np.flatnonzero(row).tolist() for row in hot]
    np.testing.assert_allclose(read.scores, -np.sort(-expected, axis=1), atol=1e-6)
    stored = Store(tmp_path / "p.parquet").read()
    np.testing.assert_array_equal(stored.scores, read.scores[:, :3])


def test_the_first_model_of_each_family():
    families = {"netvlad-a": "netvlad", "big-a": "netvlad", "gru-a": "gru", "netvlad-b": "netvlad", "gru-b": "gru"}
    assert fitting.one_a_family(families) == ["netvlad-a", "gru-a"]
    assert fitting.one_a_family({}) == []


SCHEME = """
import numpy as np
import pyarrow as pa

POWER = 0.25


def fit(holdout, seed):
    classes, models = holdout.moments.cross.shape
    return np.eye(models)[[seed]].repeat(classes, axis=0).T
"""


@pytest.fixture
def scheme_file(tmp_path, monkeypatch):
    """A scheme that is all of one member, as a file of `beyond`."""
    folder = tmp_path / "schemes"
    folder.mkdir()
    (folder / "tests_own.py").write_text(SCHEME)
    monkeypatch.setattr(beyond, "__path__", [*beyond.__path__, str(folder)])
    registry.schemes.cache_clear()
    yield "tests_own"
    registry.schemes.cache_clear()


def test_a_scheme_is_a_file(scheme_file):
    assert {*KNOWN, scheme_file} <= set(registry.schemes())
    scores, hot = correlated(0)
    assert fitting.power(scheme_file) == 0.25
    np.testing.assert_array_equal(fit(scheme_file, scores, hot, seed=2), np.eye(4)[2][:, None].repeat(CLASSES, axis=1))


def test_a_scheme_is_no_other_file():
    for name in ("problems", "fitting", "_adam", "_exact", "paper"):
        with pytest.raises(ValueError, match=rf"expected one of .*'per_model'.*received '{name}'"):
            fitting.scheme_of(name)
