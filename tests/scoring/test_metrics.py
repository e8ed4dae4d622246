import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from yt8m.scoring import metrics

VIDEOS, CLASSES = 40, 12


def slow_average_precision(pairs, positives):
    """Each distinct score as a threshold in turn, counted from the start."""
    total, before = 0.0, 0
    for threshold in sorted({score for score, _ in pairs}, reverse=True):
        above = [correct for score, correct in pairs if score >= threshold]
        total += sum(above) / len(above) * (sum(above) - before)
        before = sum(above)
    return total / positives


def slow_gap(scores, labels, k):
    """GAP from dense scores."""
    pairs = []
    for row, true in zip(scores.tolist(), labels, strict=True):
        top = sorted(range(len(row)), key=lambda index: (-row[index], index))[:k]
        pairs += [(row[index], index in true) for index in top]
    return slow_average_precision(pairs, sum(len(set(true.tolist())) for true in labels))


def random_data(seed, levels=None):
    """Dense scores (of few distinct levels, where given) and labels that they say something about."""
    random = np.random.default_rng(seed)
    hot = random.random((VIDEOS, CLASSES)) < 0.2
    scores = 0.6 * random.random(hot.shape) + 0.4 * hot * random.random(hot.shape)
    if levels:
        scores = np.round(scores * levels) / levels
    return scores.astype(np.float32), [np.flatnonzero(row) for row in hot]


def dense_labels(labels):
    hot = np.zeros((len(labels), CLASSES), bool)
    for row, true in zip(hot, labels, strict=True):
        row[true] = True
    return hot


DATA = pytest.mark.parametrize(
    ("scores", "labels"),
    [random_data(seed, levels) for levels in (None, 10, 2, 1) for seed in range(3)],
    ids=[f"{levels or 'no'} levels, seed {seed}" for levels in (None, 10, 2, 1) for seed in range(3)],
)


@DATA
@pytest.mark.parametrize("k", [1, 3, CLASSES, 20])
def test_gap(scores, labels, k):
    top = metrics.top_k(scores, 20)
    assert metrics.gap(*top, labels, k) == pytest.approx(slow_gap(scores, labels, k))


@DATA
def test_nothing_depends_on_the_order_of_videos(scores, labels):
    order = np.random.default_rng(0).permutation(VIDEOS)
    one = metrics.all_metrics(*metrics.top_k(scores, 5), labels)
    other = metrics.all_metrics(*metrics.top_k(scores[order], 5), [labels[row] for row in order])
    assert set(one) == {"gap", "map", "hit1", "perr"}
    assert other == pytest.approx(one)


@DATA
def test_average_precision(scores, labels):
    correct = dense_labels(labels).ravel()
    found = metrics.average_precision(scores.ravel(), correct, int(correct.sum()))
    assert found == pytest.approx(average_precision_score(correct, scores.ravel()))
    assert metrics.average_precision(scores.ravel(), correct, 2 * int(correct.sum())) == pytest.approx(found / 2)


@DATA
@pytest.mark.parametrize("k", [1, 3, CLASSES, 20])
def test_mean_average_precision(scores, labels, k):
    """Against scikit-learn, a class at a time, on scores that are zero outside the top k."""
    indices, values = metrics.top_k(scores, k)
    kept = np.zeros_like(scores)
    for row, (classes, row_values) in enumerate(zip(indices, values, strict=True)):
        kept[row, classes] = row_values
    hot = dense_labels(labels)
    expected = [average_precision_score(hot[:, c], kept[:, c]) for c in range(CLASSES) if hot[:, c].any()]
    assert metrics.mean_average_precision(indices, values, labels) == pytest.approx(np.mean(expected))


@DATA
def test_hit_at_1_and_perr(scores, labels):
    hits: list[bool] = []
    shares: list[float] = []
    for row, true in zip(scores.tolist(), labels, strict=True):
        if len(true):
            ranked = sorted(range(CLASSES), key=lambda index: (-row[index], index))
            hits.append(ranked[0] in true)
            shares.append(len(set(ranked[: len(true)]) & set(true.tolist())) / len(true))
    indices, _ = metrics.top_k(scores, CLASSES)
    assert metrics.hit_at_1(indices, labels) == pytest.approx(np.mean(hits))
    assert metrics.perr(indices, labels) == pytest.approx(np.mean(shares))


def test_perr_counts_what_the_top_k_lacks_as_wrong():
    assert metrics.perr(np.array([[0, 1]]), [np.array([0, 1, 2, 3])]) == 0.5


def test_top_k():
    scores = np.array([[0.5, 0.9, 0.5, 0.9, 0.1], [0, 0, 0, 0, 0]], np.float32)
    indices, values = metrics.top_k(scores, 4)
    assert indices.tolist() == [[1, 3, 0, 2], [0, 1, 2, 3]]
    assert indices.dtype == np.int32
    np.testing.assert_array_equal(values, np.array([[0.9, 0.9, 0.5, 0.5], [0, 0, 0, 0]], np.float32))
    assert metrics.top_k(scores, 9)[0].shape == (2, 5)


TIED = np.array([-np.inf, -1.5, -0.0, 0.0, 1e-30, 0.25, 0.5, np.inf])
EVERYTHING = np.append(TIED, np.nan)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64])
@pytest.mark.parametrize("seed", range(40))
def test_top_k_is_a_stable_sort(seed, dtype):
    """Bit for bit: ties at the k-th place too, zeros of both signs, infinities, and last of all what is no number."""
    random = np.random.default_rng(seed)
    shape = (random.integers(0, 9), random.integers(0, 40))
    values = [random.random(shape), random.choice(TIED, shape), random.choice(EVERYTHING, shape)][seed % 3]
    scores = values.astype(dtype) if dtype != np.int64 else random.integers(-3, 4, shape)
    for k in {0, 1, 2, 5, max(1, scores.shape[1] - 1), scores.shape[1], scores.shape[1] + 3}:
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        indices, found = metrics.top_k(scores, k)
        assert (indices.dtype, found.dtype) == (np.int32, scores.dtype)
        np.testing.assert_array_equal(indices, order)
        assert found.tobytes() == np.take_along_axis(scores, order, axis=1).tobytes()


def test_a_hand_made_gap():
    """Hits at ranks 1 and 3 of 4 pooled predictions, and a label that was not predicted."""
    indices, scores = np.array([[0, 1], [2, 0]]), np.array([[0.9, 0.6], [0.8, 0.1]])
    labels = [np.array([0, 1]), np.array([5])]
    assert metrics.gap(indices, scores, labels) == pytest.approx((1 / 1 + 2 / 3) / 3)


@pytest.mark.parametrize("k", [CLASSES, 30])
def test_perfect_predictions(k):
    _, labels = random_data(0)
    labels = [row if len(row) else np.array([3]) for row in labels]
    found = metrics.all_metrics(*metrics.top_k(dense_labels(labels).astype(np.float32), k), labels)
    assert found == pytest.approx({"gap": 1, "map": 1, "hit1": 1, "perr": 1})


def test_unlabelled_videos_are_wrong_for_gap_and_left_out_of_hit_and_perr():
    scores, labels = random_data(1)
    indices, values = metrics.top_k(scores, CLASSES)
    without = [np.empty(0, np.int32) if row % 2 else true for row, true in enumerate(labels)]
    half = metrics.all_metrics(indices[::2], values[::2], labels[::2])
    found = metrics.all_metrics(indices, values, without)
    assert found["hit1"] == pytest.approx(half["hit1"])
    assert found["perr"] == pytest.approx(half["perr"])
    assert found["gap"] == pytest.approx(slow_gap(scores, without, 20))
    assert found["gap"] < half["gap"]


@pytest.mark.parametrize("videos", [0, 3])
def test_without_any_label_all_is_zero(videos):
    indices, scores = metrics.top_k(np.random.default_rng(0).random((videos, CLASSES)), 5)
    found = metrics.all_metrics(indices, scores, [np.empty(0, np.int32)] * videos)
    assert found == {"gap": 0, "map": 0, "hit1": 0, "perr": 0}


def test_repeated_labels_count_once():
    scores, labels = random_data(2)
    top = metrics.top_k(scores, 5)
    repeated = [np.repeat(row, 3)[::-1] for row in labels]
    assert metrics.all_metrics(*top, repeated) == pytest.approx(metrics.all_metrics(*top, labels))


def test_labels_beyond_any_prediction():
    """Classes that no prediction names are never found."""
    indices, scores = np.array([[0, 1]]), np.array([[0.9, 0.1]])
    assert metrics.gap(indices, scores, [np.array([0, 99])]) == pytest.approx(0.5)
    assert metrics.is_label(indices, [np.array([99])]).tolist() == [[False, False]]
