"""Blocks, moments and schemes of ensembling."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from yt8m import ensembling, metrics, predictions, registry
from yt8m.ensembling import Block, Holdout, Moments, _adam, _exact, _problems, gap
from yt8m.ensembling._problems import COMMON
from yt8m.predictions import Predictions, Store, aligned, concatenate

CLASSES, VIDEOS = 6, 600
SCHEMES = pytest.mark.parametrize("scheme", registry.names("ensembling"))
ADAM = pytest.mark.parametrize("scheme", ["per_model", "per_class"])
EXACT = pytest.mark.parametrize("scheme", ["exact_per_model", "exact_per_class"])
SQUARED = pytest.mark.parametrize("scheme", ["per_model", "per_class", "exact_per_model", "exact_per_class"])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(ensembling, "BLOCK", 256)  # so that there are three


def member(scores, hot, k=CLASSES) -> Predictions:
    """The predictions of a model with dense scores."""
    indices, values = metrics.top_k(np.asarray(scores, np.float32), k)
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


def block_of(scores: np.ndarray, hot: np.ndarray, k: int = CLASSES) -> Block:
    return ensembling.block_of([member(scores[:, index], hot, k) for index in range(scores.shape[1])], CLASSES)


def moments_of(scores: np.ndarray, hot: np.ndarray) -> Moments:
    (found,) = ensembling.fold_moments(block_of(scores, hot), np.zeros(len(hot), int), 1, CLASSES)
    return found


def holdout_of(scores: np.ndarray, hot: np.ndarray) -> Holdout:
    return Holdout(moments_of(scores, hot), block_of(scores, hot))


def fit(scheme: str, scores: np.ndarray, hot: np.ndarray, seed: int = 0) -> np.ndarray:
    return ensembling.fit(scheme, holdout_of(scores, hot), seed)


def store(folder: Path, scores: np.ndarray, hot: np.ndarray) -> dict[str, Path]:
    """Write each model's predictions."""
    paths = {f"model_{index}": folder / f"{index}.parquet" for index in range(scores.shape[1])}
    for index, path in enumerate(paths.values()):
        with predictions.writer(path, CLASSES, CLASSES) as out:
            out.append(member(scores[:, index], hot))
    return paths


def dense_loss(scores: np.ndarray, hot: np.ndarray, weights: np.ndarray) -> float:
    return np.mean(((scores * weights).sum(1) - hot) ** 2)


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


@SCHEMES
@pytest.mark.parametrize("models", [1, 2, 5])
def test_weights(scheme, models):
    videos = correlated(0, models)
    weights = fit(scheme, *videos)
    assert weights.shape == (models, CLASSES)
    assert np.isfinite(weights).all()
    np.testing.assert_array_equal(weights, fit(scheme, *videos))


@SCHEMES
def test_identical_members_keep_the_scale_of_scores(scheme):
    scores, hot = calibrated(1, 3000)
    weights = fit(scheme, np.stack([scores] * 3, 1), hot)
    np.testing.assert_allclose(weights.sum(0), 1, atol=0.1)


@SCHEMES
def test_members_without_any_score_do_no_harm(scheme):
    scores, hot = correlated(2)
    scores[:, 1] = 0
    assert np.isfinite(fit(scheme, scores, hot)).all()
    assert np.isfinite(fit(scheme, 0 * scores, hot)).all()


def test_unknown_scheme():
    with pytest.raises(ValueError, match=r"expected one of .*'per_model'.*received 'worst'"):
        fit("worst", *correlated(0))


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


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_per_model_is_near_least_squares(seed, noise):
    scores, hot = correlated(seed, noise=noise)
    weights = fit("per_model", scores, hot, seed)
    assert (weights == weights[:, :1]).all()
    columns = scores.transpose(0, 2, 1).reshape(-1, 4).astype(float)
    best, *_ = np.linalg.lstsq(columns, hot.ravel().astype(float))
    assert dense_loss(scores, hot, weights) <= 1.01 * dense_loss(scores, hot, best[:, None])


def class_problem(scores: np.ndarray, hot: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and goals of a class: its own, and `COMMON` times those of the mean class."""
    everything, share = scores.transpose(0, 2, 1).reshape(-1, 4), (COMMON / CLASSES) ** 0.5
    columns = np.concatenate([scores[:, :, label], share * everything]).astype(float)
    return columns, np.concatenate([hot[:, label], share * hot.ravel()])


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_per_class_is_near_least_squares(seed, noise):
    scores, hot = correlated(seed, noise=noise)
    weights = fit("per_class", scores, hot, seed)
    for label in range(CLASSES):
        columns, goal = class_problem(scores, hot, label)
        best, *_ = np.linalg.lstsq(columns, goal)
        found, least = (np.sum((columns @ w - goal) ** 2) for w in (weights[:, label], best))
        assert found <= 1.01 * least
    assert not np.allclose(weights, weights[:, :1], atol=0.01)


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_exact_weights_are_those_of_scikit_learn(seed, noise):
    """By the rows themselves, not by their moments."""
    scores, hot = correlated(seed, noise=noise)
    rows = scores.transpose(0, 2, 1).reshape(-1, 4).astype(float)
    solver = LinearRegression(fit_intercept=False, positive=True)
    of_all = np.repeat(solver.fit(rows, hot.ravel()).coef_[:, None], CLASSES, axis=1)
    np.testing.assert_allclose(fit("exact_per_model", scores, hot), of_all, atol=1e-5)
    of_each = [solver.fit(*class_problem(scores, hot, label)).coef_ for label in range(CLASSES)]
    np.testing.assert_allclose(fit("exact_per_class", scores, hot), np.transpose(of_each), atol=1e-5)


@EXACT
def test_no_exact_weight_is_negative_where_the_best_ones_would_be(scheme):
    scores, hot = calibrated(0)
    noise = np.random.default_rng(0).random(scores.shape)
    scores = np.stack([scores + 0.5 * noise, noise], 1).astype(np.float32)
    best, *_ = np.linalg.lstsq(scores.transpose(0, 2, 1).reshape(-1, 2), hot.ravel().astype(float))
    assert best.min() < -0.05
    assert fit(scheme, scores, hot).min() >= 0


@pytest.mark.parametrize("problem", [_problems.per_model, _problems.per_class])
def test_no_weights_without_a_negative_one_are_better_than_the_exact(problem):
    moments = problem(moments_of(*correlated(3, models=5, noise=0.4)))
    weights = _exact.solve(moments)
    least = moments.loss(weights) - 1e-12
    random = np.random.default_rng(0)
    for scale in (1e-3, 1e-2, 1e-1):
        for _ in range(50):
            other = np.maximum(weights + scale * random.normal(size=weights.shape), 0)
            assert moments.loss(other) >= least
    assert moments.loss(np.maximum(_adam.minimize(moments, 0), 0)) >= least


@SQUARED
def test_a_class_never_seen_takes_the_common_weights(scheme):
    """Whether models score it or not."""
    scores, hot = correlated(4, noise=0.4)
    scores[:, :, 1] = 0
    hot[:, [1, 4]] = False
    own, common = fit(scheme, scores, hot), fit(scheme.replace("class", "model"), scores, hot)
    np.testing.assert_allclose(own[:, [1, 4]], common[:, [1, 4]], atol=0.01)


@SQUARED
def test_a_good_member_outweighs_a_random_one(scheme):
    scores, hot = calibrated(5)
    random = np.random.default_rng(0).permutation(scores.ravel()).reshape(scores.shape)
    weights = fit(scheme, np.stack([random, scores], 1), hot)
    assert (weights[1] > weights[0] + 0.5).all()


@SQUARED
def test_learnt_weights_do_not_depend_on_the_order_of_members(scheme):
    """Adam starts at random, and ends where the loss is least whatever the order."""
    scores, hot = correlated(6, noise=0.4)
    np.testing.assert_allclose(fit(scheme, scores, hot), fit(scheme, scores[:, ::-1], hot)[::-1], atol=0.03)


def gap_of(scores: np.ndarray, hot: np.ndarray, weights: np.ndarray, power: float = 1) -> float:
    """GAP of dense scores (N, M, C), the obvious way."""
    total = np.clip((scores.astype(float) ** power * weights).sum(1), 0, 1) ** (1 / power)
    return metrics.gap(*metrics.top_k(total.astype(np.float32), 20), [np.flatnonzero(row) for row in hot])


@pytest.mark.parametrize("seed", range(3))
def test_weights_for_gap_beat_equal_ones_on_what_they_were_chosen_on(seed):
    scores, hot = calibrated(seed)
    random = np.random.default_rng(0).permutation(scores.ravel()).reshape(scores.shape)
    scores = np.stack([random, scores, np.sqrt(scores)], 1).astype(np.float32)
    weights = fit("gap", scores, hot)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(0), 1)
    assert (weights == weights[:, :1]).all()
    assert gap_of(scores, hot, weights, gap.POWER) > gap_of(scores, hot, np.full((3, CLASSES), 1 / 3), gap.POWER) + 0.02
    assert weights[0, 0] < 0.1


@pytest.mark.parametrize("k", [2, 5, 100])
def test_gap_of_a_sample(k):
    scores, hot = correlated(0)
    combined = scores.sum(1)
    block = block_of(scores, hot)
    expected = metrics.gap(*metrics.top_k(combined, k), [np.flatnonzero(row) for row in hot], k)
    assert gap.sample_gap(block, block.scores.sum(2), k) == pytest.approx(expected, abs=1e-9)


def test_equal_weights():
    assert (fit("equal", *correlated(0, 4)) == 1 / 4).all()


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
        whole, parts = ensembling.gather(members, CLASSES, folds=4, seed=3)
        weights = np.stack([ensembling.fit(scheme, part, 3) for part in parts])
        fold_of = ensembling.folds_of(members.ids, 4, seed=3)
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
    with aligned(store(tmp_path, scores, hot)) as members:
        whole, parts = ensembling.gather(members, CLASSES, folds=3, seed=1)
    check_moments(whole.moments, scores, hot)
    rows = [int(id.removeprefix("video")) for id in whole.sample.ids]
    assert len(rows) == len(set(rows)) == 500
    np.testing.assert_array_equal(whole.sample.scores, block_of(scores[rows], hot[rows]).scores)
    fold_of = ensembling.folds_of([f"video{row:04d}" for row in range(VIDEOS)], 3, 1)
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
