"""Blocks, moments, folds, and what ensembles score."""

import numpy as np
import pytest

from tests.ensembling.made import (
    CLASSES,
    VIDEOS,
    block_of,
    correlated,
    dense_loss,
    fit,
    gap_of,
    moments_of,
    store,
)
from yt8m import ensembling
from yt8m.ensembling import Moments, gap
from yt8m.scoring import metrics, predictions
from yt8m.scoring.predictions import Store, aligned, concatenate
from yt8m.settings import registry

SCHEMES = pytest.mark.parametrize("scheme", registry.names("ensembling"))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(ensembling, "BLOCK", 256)  # so that there are three


def test_a_block_holds_each_score_once():
    random = np.random.default_rng(0)
    scores, hot = random.random((VIDEOS, 4, CLASSES), np.float32), random.random((VIDEOS, CLASSES)) < 0.3
    block = block_of(scores, hot, k=3)
    dense = np.zeros(scores.shape, np.float32)
    for video, model, label in np.ndindex(scores.shape):
        if (scores[video, model] > scores[video, model, label]).sum() < 3:
            dense[video, model, label] = scores[video, model, label]
    for video in range(VIDEOS):
        kept = np.flatnonzero((dense[video] > 0).any(0))
        assert block.classes[video, : len(kept)].tolist() == kept.tolist()
        np.testing.assert_array_equal(block.scores[video, : len(kept)], dense[video][:, kept].T)
        np.testing.assert_array_equal(block.correct[video, : len(kept)], hot[video, kept])
        assert not block.scores[video, len(kept) :].any()
        assert not block.correct[video, len(kept) :].any()
    assert block.positives == hot.sum()


def test_part_of_a_block():
    scores, hot = correlated(0)
    rows = np.array([3, 8, 599])
    one, other = block_of(scores, hot).take(rows), block_of(scores[rows], hot[rows])
    for found, expected in zip(one[2:], other[2:], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert [row.tolist() for row in one.labels] == [row.tolist() for row in other.labels]
    assert one.positives == hot[rows].sum()


@pytest.mark.parametrize("seed", range(3))
def test_loss_of_moments(seed):
    scores, hot = correlated(seed)
    weights = np.random.default_rng(seed).normal(0.3, 0.2, (4, CLASSES))
    assert moments_of(scores, hot).loss(weights) == pytest.approx(dense_loss(scores, hot, weights), rel=1e-5)


def test_moments_add_and_subtract():
    scores, hot = correlated(3)
    folds = np.random.default_rng(0).integers(0, 3, VIDEOS)
    parts = ensembling.fold_moments(block_of(scores, hot), folds, 3, CLASSES)
    for fold, part in enumerate(parts):
        check_moments(part, scores[folds == fold], hot[folds == fold])
    check_moments(parts[0] + parts[1] + parts[2], scores, hot)
    check_moments(moments_of(scores, hot) - parts[1], scores[folds != 1], hot[folds != 1])


def check_moments(moments: Moments, scores: np.ndarray, hot: np.ndarray) -> None:
    assert moments.videos == len(hot)
    np.testing.assert_array_equal(moments.positives, hot.sum(0))
    for index in range(CLASSES):
        s = scores[:, :, index].astype(float)
        np.testing.assert_allclose(moments.gram[index], s.T @ s, rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(moments.cross[index], s.T @ hot[:, index], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("power", [1, 0.5])
def test_combine(power):
    random = np.random.default_rng(0)
    scores, weights = random.random((5, 3, CLASSES)).astype(np.float32), random.normal(0.5, 0.5, (3, CLASSES))
    found = ensembling.combine(block_of(scores, np.zeros((5, CLASSES), bool)), weights, power)
    assert found.dtype == np.float32
    for n in range(5):
        for c in range(CLASSES):
            value = sum(scores[n, m, c] ** power * weights[m, c] for m in range(3))
            assert found[n, c] == pytest.approx(min(max(value, 0), 1) ** (1 / power), abs=1e-6)
    assert {0, 1} <= set(found.ravel().tolist())


@pytest.mark.parametrize("folds", [2, 5])
@pytest.mark.parametrize("count", [2, 5, 23])
def test_folds(folds, count):
    ids = [f"v{index}" for index in range(count)]
    found = ensembling.folds_of(ids, folds, seed=0)
    sizes = np.bincount(found, minlength=folds)
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 1
    order = np.random.default_rng(0).permutation(count)
    np.testing.assert_array_equal(ensembling.folds_of([ids[row] for row in order], folds, 0), found[order])


def test_folds_depend_on_the_seed():
    ids = [f"v{index}" for index in range(50)]
    assert ensembling.folds_of(ids, 5, 0).tolist() != ensembling.folds_of(ids, 5, 1).tolist()


@SCHEMES
def test_cross_validation_uses_other_folds_only(tmp_path, scheme):
    """Against weights fitted, fold by fold, on predictions from which the fold's videos are taken out."""
    scores, hot = correlated(7, noise=0.4)
    power = ensembling.power(scheme)
    with aligned(store(tmp_path, scores, hot)) as members:
        fold_of = ensembling.folds_of(members.ids, 4, seed=3)
        whole, parts = ensembling.gather(members, CLASSES, fold_of, seed=3)
        weights = np.stack([ensembling.fit(scheme, part, 3) for part in parts])
        (found,) = ensembling.gaps(members, CLASSES, {scheme: weights}, fold_of).values()
    combined = np.zeros((VIDEOS, CLASSES))
    for fold in range(4):
        inside = fold_of == fold
        own = fit(scheme, scores[~inside], hot[~inside], seed=3)
        combined[inside] = np.clip((scores[inside] ** power * own).sum(1), 0, 1) ** (1 / power)
    expected = metrics.gap(*metrics.top_k(combined.astype(np.float32), 20), [np.flatnonzero(row) for row in hot])
    assert found == pytest.approx(expected, abs=1e-6)
    if scheme == "per_class":  # weights fitted on all videos give another figure
        assert gap_of(scores, hot, ensembling.fit(scheme, whole, 3)) != pytest.approx(expected, abs=1e-6)


def test_what_there_is_to_learn_from(tmp_path, monkeypatch):
    monkeypatch.setattr(ensembling, "SAMPLE", 500)
    scores, hot = correlated(7)
    fold_of = np.random.default_rng(0).integers(3, size=VIDEOS)
    with aligned(store(tmp_path, scores, hot)) as members:
        whole, parts = ensembling.gather(members, CLASSES, fold_of, seed=1)
    check_moments(whole.moments, scores, hot)
    rows = [int(id.removeprefix("video")) for id in whole.sample.ids]
    assert len(rows) == len(set(rows)) == 500
    np.testing.assert_array_equal(whole.sample.scores, block_of(scores[rows], hot[rows]).scores)
    for fold, part in enumerate(parts):
        check_moments(part.moments, scores[fold_of != fold], hot[fold_of != fold])
        assert part.sample.ids.tolist() == [f"video{row:04d}" for row in rows if fold_of[row] != fold]


def test_gap_of_ensembles(tmp_path):
    scores, hot = correlated(8)
    weights = np.random.default_rng(0).normal(0.25, 0.1, (4, CLASSES))
    with aligned(store(tmp_path, scores, hot)) as members:
        found = ensembling.gaps(members, CLASSES, {"equal": weights[None], "gap": weights[None]}, np.zeros(VIDEOS, int))
    assert found["equal"] == pytest.approx(gap_of(scores, hot, weights), abs=1e-6)
    assert found["gap"] == pytest.approx(gap_of(scores, hot, weights, gap.POWER), abs=1e-6)


def test_combined_predictions(tmp_path):
    scores, hot = correlated(8)
    weights = np.random.default_rng(0).normal(0.25, 0.1, (4, CLASSES))
    with (
        aligned(store(tmp_path, scores, hot)) as members,
        predictions.writer(tmp_path / "p.parquet", 3, CLASSES) as out,
    ):
        blocks = list(ensembling.combined(members, weights, 1))
        for block in blocks:
            out.append(block)
    assert len(blocks) == 3
    expected = np.clip((scores * weights).sum(1), 0, 1)
    read = concatenate(blocks)
    assert read.ids.tolist() == [f"video{row:04d}" for row in range(VIDEOS)]
    assert [row.tolist() for row in read.labels] == [np.flatnonzero(row).tolist() for row in hot]
    np.testing.assert_allclose(read.scores, -np.sort(-expected, axis=1), atol=1e-6)
    stored = Store(tmp_path / "p.parquet").read()
    np.testing.assert_array_equal(stored.scores, read.scores[:, :3])
