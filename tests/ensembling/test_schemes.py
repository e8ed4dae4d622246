"""Every scheme's weights."""

import numpy as np
import pytest
from scipy.optimize import nnls
from sklearn.linear_model import LinearRegression

from tests.ensembling.made import (
    CLASSES,
    KNOWN,
    block_of,
    calibrated,
    correlated,
    dense_loss,
    fit,
    gap_of,
    moments_of,
)
from yt8m.ensembling import problems
from yt8m.ensembling.beyond import _exact, gap, selection
from yt8m.ensembling.beyond._gap import sample_gap
from yt8m.ensembling.moments import Moments
from yt8m.ensembling.paper import _adam
from yt8m.ensembling.problems import COMMON
from yt8m.scoring import metrics
from yt8m.settings import registry

SCHEMES = pytest.mark.parametrize("scheme", registry.schemes())
EXACT = pytest.mark.parametrize("scheme", ["exact_per_model", "exact_per_class"])
COMMON_ONES = {"shrunk_per_class": "per_model", "exact_per_class": "exact_per_model"}
SQUARED = pytest.mark.parametrize("scheme", ["per_model", "shrunk_per_class", "exact_per_model", "exact_per_class"])


@SCHEMES
@pytest.mark.parametrize("models", [1, 2, 5])
def test_weights(scheme, models):
    videos = correlated(0, models)
    weights = fit(scheme, *videos)
    assert weights.shape == (models, CLASSES)
    assert np.isfinite(weights).all()
    np.testing.assert_array_equal(weights, fit(scheme, *videos))


@pytest.mark.parametrize("scheme", KNOWN)
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
def test_shrunk_weights_per_class_are_near_least_squares(seed, noise):
    scores, hot = correlated(seed, noise=noise)
    weights = fit("shrunk_per_class", scores, hot, seed)
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


def made_alike(rows: np.ndarray) -> None:
    rows[..., 1:] = rows[..., :1] + 1e-4 * rows[..., 1:]


def made_equal(rows: np.ndarray) -> None:
    rows[..., 3] = rows[..., 5] = rows[..., 1]


def made_dependent(rows: np.ndarray) -> None:
    rows[..., 2:] = rows[..., :2] @ np.random.default_rng(1).random((2, rows.shape[-1] - 2))


def made_absent(rows: np.ndarray) -> None:
    rows *= np.random.default_rng(1).random((len(rows), 1, rows.shape[-1])) < 0.5
    rows[0] = 0


def made_unequal(rows: np.ndarray) -> None:
    rows *= 10.0 ** np.random.default_rng(1).uniform(-6, 0, (len(rows), 1, rows.shape[-1]))


@pytest.mark.parametrize("change", [made_alike, made_equal, made_dependent, made_absent, made_unequal])
@pytest.mark.parametrize("models", [6, 14])
def test_exact_errors_are_those_of_scipy(change, models):
    """Of problems whose weights are not unique, or badly scaled."""
    random = np.random.default_rng(0)
    rows, goals = random.random((300, 40, models)), random.random((300, 40)) < 0.2
    change(rows)
    goals[::7] = False
    gram, cross = np.einsum("cnm,cnk->cmk", rows, rows), np.einsum("cnm,cn->cm", rows, goals)
    weights = _exact.solve(Moments(gram, cross, goals.sum(1), 40))
    assert weights.min() >= 0
    errors = np.linalg.norm(np.einsum("cnm,mc->cn", rows, weights) - goals, axis=1)
    np.testing.assert_allclose(errors, [nnls(*problem)[1] for problem in zip(rows, goals, strict=True)], atol=1e-6)


@EXACT
def test_no_exact_weight_is_negative_where_the_best_ones_would_be(scheme):
    scores, hot = calibrated(0)
    noise = np.random.default_rng(0).random(scores.shape)
    scores = np.stack([scores + 0.5 * noise, noise], 1).astype(np.float32)
    best, *_ = np.linalg.lstsq(scores.transpose(0, 2, 1).reshape(-1, 2), hot.ravel().astype(float))
    assert best.min() < -0.05
    assert fit(scheme, scores, hot).min() >= 0


@pytest.mark.parametrize("problem", [problems.per_model, problems.per_class])
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
    own, common = fit(scheme, scores, hot), fit(COMMON_ONES.get(scheme, scheme), scores, hot)
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
    assert sample_gap(block, block.scores.sum(2), k) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("noise", [0.01, 0.4])
def test_weights_per_class_are_near_least_squares_of_each_class_alone(noise):
    scores, hot = correlated(0, noise=noise)
    weights = fit("per_class", scores, hot)
    for label in range(CLASSES):
        best, *_ = np.linalg.lstsq(scores[:, :, label].astype(float), hot[:, label].astype(float))
        found, least = (np.sum((scores[:, :, label] @ w - hot[:, label]) ** 2) for w in (weights[:, label], best))
        assert found <= 1.01 * least
    assert not np.allclose(weights, fit("shrunk_per_class", scores, hot), atol=0.02)


def greedy(scores, hot, models):
    """Selection in one bag, the obvious way: lists of models, and the GAP of their dense mean."""

    def score(chosen):
        total = scores[:, chosen].astype(np.float64).mean(1)
        return metrics.gap(*metrics.top_k(total, 20), [np.flatnonzero(row) for row in hot])

    ordered = sorted(models, key=lambda model: -score([model]))
    chosen = max((ordered[: size + 1] for size in range(len(ordered))), key=score)
    while score([*chosen, best := max(ordered, key=lambda model: score([*chosen, model]))]) > score(chosen) + 1e-6:
        chosen = [*chosen, best]
    return np.bincount(chosen, minlength=scores.shape[1])


@pytest.mark.parametrize("seed", range(3))
def test_selection_is_greedy_from_a_sorted_start(seed):
    scores, hot = calibrated(seed, 300)
    random = np.random.default_rng(seed)
    spoilt = [np.clip(scores + random.normal(0, noise, scores.shape), 0, 1) for noise in (0.3, 0.3, 0.35, 0.6)]
    scores = np.stack(spoilt, 1).astype(np.float32)
    block = block_of(scores, hot)
    alone = [-sample_gap(block, block.scores[..., model]) for model in range(4)]
    counts = selection.selected(block, np.moveaxis(block.scores, -1, 0), np.argsort(alone, kind="stable"))
    assert counts.tolist() == greedy(scores, hot, range(4)).tolist()
    assert counts.sum() > counts.max()


def test_selection_in_bags_leaves_a_random_model_out():
    scores, hot = calibrated(0)
    random = np.random.default_rng(0).permutation(scores.ravel()).reshape(scores.shape)
    scores = np.stack([random, scores, np.sqrt(scores), scores**2], 1).astype(np.float32)
    weights = fit("selection", scores, hot)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(0), 1)
    assert (weights == weights[:, :1]).all()
    assert weights[0, 0] < 0.1
    assert (weights[:, 0] > 0).sum() > 1  # since half of them are drawn, five times
    assert fit("selection", scores[:, :1], hot).tolist() == [[1.0] * CLASSES]


def test_equal_weights():
    assert (fit("equal", *correlated(0, 4)) == 1 / 4).all()
