"""Moments and schemes of ensembling."""

import numpy as np
import pytest

from yt8m import ensembling, metrics, predictions, registry
from yt8m.ensembling import Moments
from yt8m.ensembling.per_class import COMMON
from yt8m.predictions import Predictions

CLASSES, VIDEOS = 6, 600  # more videos than two blocks
SCHEMES = pytest.mark.parametrize("scheme", registry.names("ensembling"))
LEARNT = pytest.mark.parametrize("scheme", ["per_model", "per_class"])


def member(scores, hot) -> Predictions:
    """The predictions of a model with dense scores."""
    indices, values = metrics.top_k(np.asarray(scores, np.float32), CLASSES)
    ids = np.array([f"video{index:04d}" for index in range(len(hot))], object)
    return Predictions(ids, [np.flatnonzero(row) for row in hot], indices, values)


def calibrated(seed: int, videos: int = VIDEOS) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels that are true as often as the scores say."""
    random = np.random.default_rng(seed)
    scores = random.beta(0.5, 1.5, (videos, CLASSES))
    return scores, random.random(scores.shape) < scores


def correlated(seed: int, models: int = 4, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Dense scores (N, M, C) of models that agree in most, as an ensemble's members do, and labels."""
    scores, hot = calibrated(seed)
    random = np.random.default_rng(seed + 1000)
    spread = noise * random.normal(size=(VIDEOS, models, CLASSES)) * np.linspace(1, 2, models)[:, None]
    return np.clip(scores[:, None] * np.linspace(0.8, 1.1, models)[:, None] + spread, 0, 1).astype(np.float32), hot


def members_of(scores: np.ndarray, hot: np.ndarray) -> dict[str, Predictions]:
    return {f"model_{index}": member(scores[:, index], hot) for index in range(scores.shape[1])}


def moments_of(scores: np.ndarray, hot: np.ndarray) -> Moments:
    (found,) = ensembling.fold_moments(members_of(scores, hot), CLASSES, np.zeros(len(hot), int), 1)
    return found


def dense_loss(scores: np.ndarray, hot: np.ndarray, weights: np.ndarray) -> float:
    return np.mean(((scores * weights).sum(1) - hot) ** 2)


@SCHEMES
@pytest.mark.parametrize("models", [1, 2, 5])
def test_weights(scheme, models):
    moments = moments_of(*correlated(0, models))
    weights = ensembling.fit(scheme, moments, seed=0)
    assert weights.shape == (models, CLASSES)
    assert np.isfinite(weights).all()
    np.testing.assert_array_equal(weights, ensembling.fit(scheme, moments, seed=0))


@SCHEMES
def test_identical_members_keep_the_scale_of_scores(scheme):
    scores, hot = calibrated(1, 3000)
    weights = ensembling.fit(scheme, moments_of(np.stack([scores] * 3, 1), hot), seed=0)
    np.testing.assert_allclose(weights.sum(0), 1, atol=0.1)


@SCHEMES
def test_members_without_any_score_do_no_harm(scheme):
    scores, hot = correlated(2)
    scores[:, 1] = 0
    assert np.isfinite(ensembling.fit(scheme, moments_of(scores, hot), seed=0)).all()
    assert np.isfinite(ensembling.fit(scheme, moments_of(0 * scores, hot), seed=0)).all()


def test_unknown_scheme():
    with pytest.raises(ValueError, match=r"expected one of .*'per_model'.*received 'worst'"):
        ensembling.fit("worst", moments_of(*correlated(0)), seed=0)


@pytest.mark.parametrize("seed", range(3))
def test_loss_of_moments(seed):
    scores, hot = correlated(seed)
    weights = np.random.default_rng(seed).normal(0.3, 0.2, (4, CLASSES))
    assert moments_of(scores, hot).loss(weights) == pytest.approx(dense_loss(scores, hot, weights), rel=1e-5)


def test_moments_add_and_subtract():
    scores, hot = correlated(3)
    folds = np.random.default_rng(0).integers(0, 3, VIDEOS)
    parts = ensembling.fold_moments(members_of(scores, hot), CLASSES, folds, 3)
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


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_per_model_is_near_least_squares(seed, noise):
    scores, hot = correlated(seed, noise=noise)
    weights = ensembling.fit("per_model", moments_of(scores, hot), seed)
    assert (weights == weights[:, :1]).all()
    columns = scores.transpose(0, 2, 1).reshape(-1, 4).astype(float)
    best, *_ = np.linalg.lstsq(columns, hot.ravel().astype(float))
    assert dense_loss(scores, hot, weights) <= 1.01 * dense_loss(scores, hot, best[:, None])


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_per_class_is_near_least_squares(seed, noise):
    """Of the class's own videos and scores, and `COMMON` times those of the mean class."""
    scores, hot = correlated(seed, noise=noise)
    weights = ensembling.fit("per_class", moments_of(scores, hot), seed)
    everything, share = scores.transpose(0, 2, 1).reshape(-1, 4), (COMMON / CLASSES) ** 0.5
    for c in range(CLASSES):
        columns = np.concatenate([scores[:, :, c], share * everything]).astype(float)
        goal = np.concatenate([hot[:, c], share * hot.ravel()])
        best, *_ = np.linalg.lstsq(columns, goal)
        found, least = (np.sum((columns @ w - goal) ** 2) for w in (weights[:, c], best))
        assert found <= 1.01 * least
    assert not np.allclose(weights, weights[:, :1], atol=0.01)


def test_per_class_takes_the_common_weights_of_a_class_never_seen():
    scores, hot = correlated(4, noise=0.4)
    scores[:, :, [1, 4]], hot[:, [1, 4]] = 0, False
    moments = moments_of(scores, hot)
    per_class, per_model = (ensembling.fit(scheme, moments, 0) for scheme in ("per_class", "per_model"))
    np.testing.assert_allclose(per_class[:, [1, 4]], per_model[:, [1, 4]], atol=0.01)


@LEARNT
def test_a_good_member_outweighs_a_random_one(scheme):
    scores, hot = calibrated(5)
    random = np.random.default_rng(0).permutation(scores.ravel()).reshape(scores.shape)
    weights = ensembling.fit(scheme, moments_of(np.stack([random, scores], 1), hot), 0)
    assert (weights[1] > weights[0] + 0.5).all()


@LEARNT
def test_learnt_weights_do_not_depend_on_the_order_of_members(scheme):
    """Adam starts at random, and ends where the loss is least whatever the order."""
    scores, hot = correlated(6, noise=0.4)
    one = ensembling.fit(scheme, moments_of(scores, hot), 0)
    other = ensembling.fit(scheme, moments_of(scores[:, ::-1], hot), 0)[::-1]
    np.testing.assert_allclose(one, other, atol=0.03)


def test_equal_weights():
    assert (ensembling.fit("equal", moments_of(*correlated(0, 4)), 0) == 1 / 4).all()


def test_combine():
    random = np.random.default_rng(0)
    scores, weights = random.random((5, 3, CLASSES)), random.normal(0.5, 0.5, (3, CLASSES))
    found = ensembling.combine(scores, weights)
    assert found.dtype == np.float32
    for n in range(5):
        for c in range(CLASSES):
            value = sum(scores[n, m, c] * weights[m, c] for m in range(3))
            assert found[n, c] == pytest.approx(min(max(value, 0), 1), abs=1e-6)
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
def test_cross_validation_uses_other_folds_only(scheme):
    """Against weights fitted, fold by fold, on predictions from which the fold's videos are taken out."""
    scores, hot = correlated(7, noise=0.4)
    scores, hot = scores[:120], hot[:120]
    members = members_of(scores, hot)
    fold_of = ensembling.folds_of(members["model_0"].ids.tolist(), 4, seed=3)
    combined = np.zeros((120, CLASSES))
    for fold in range(4):
        inside = fold_of == fold
        weights = ensembling.fit(scheme, moments_of(scores[~inside], hot[~inside]), seed=3)
        combined[inside] = np.clip((scores[inside] * weights).sum(1), 0, 1)
    labels = [np.flatnonzero(row) for row in hot]
    expected = metrics.gap(*metrics.top_k(combined.astype(np.float32), 20), labels)
    found = ensembling.cross_validated_gap(scheme, members, CLASSES, folds=4, seed=3)
    assert found == pytest.approx(expected, abs=1e-6)
    if scheme == "per_class":  # weights fitted on all videos give another figure
        leaked = ensembling.combine(scores, ensembling.fit(scheme, moments_of(scores, hot), seed=3))
        assert metrics.gap(*metrics.top_k(leaked, 20), labels) != pytest.approx(expected, abs=1e-6)


def test_write_combined(tmp_path):
    scores, hot = correlated(8)
    weights = np.random.default_rng(0).normal(0.25, 0.1, (4, CLASSES))
    members = members_of(scores, hot)
    with predictions.writer(tmp_path / "p.parquet", 3, CLASSES) as out:
        ensembling.write_combined(members, weights, out)
    read = predictions.read(tmp_path / "p.parquet")
    assert read.ids.tolist() == members["model_0"].ids.tolist()
    assert [row.tolist() for row in read.labels] == [np.flatnonzero(row).tolist() for row in hot]
    expected = np.clip((scores * weights).sum(1), 0, 1)
    np.testing.assert_allclose(read.scores, -np.sort(-expected, axis=1)[:, :3], atol=1e-6)


def test_blocks_cover_all_videos_once():
    scores, hot = correlated(9)
    found = list(ensembling.blocks(members_of(scores, hot), CLASSES))
    assert len(found) > 2
    assert [row for rows, _ in found for row in range(VIDEOS)[rows]] == list(range(VIDEOS))
    np.testing.assert_array_equal(np.concatenate([block for _, block in found]), scores)
