from pathlib import Path

import numpy as np
import pytest

from yt8m import predictions
from yt8m.predictions import PredictionError, Predictions

CLASSES, K = 7, 3


def write(path: Path, ids, seed=0, k=K) -> tuple[np.ndarray, list[np.ndarray]]:
    """Write random scores of the named videos; the scores depend on seed and id alone."""
    randoms = [np.random.default_rng([seed, *id.encode()]) for id in ids]
    scores = np.array([random.random(CLASSES, np.float32) for random in randoms]).reshape(-1, CLASSES)
    labels = [np.flatnonzero(random.random(CLASSES) < 0.3) for random in randoms]
    with predictions.writer(path, k, CLASSES) as out:
        for start in range(0, len(ids), 4):
            out.write(ids[start : start + 4], labels[start : start + 4], scores[start : start + 4])
    return scores, labels


def names(count):
    return [f"video{index}" for index in range(count)]


@pytest.mark.parametrize("count", [0, 1, 4, 11])
@pytest.mark.parametrize("k", [1, K, CLASSES, 50])
def test_round_trip(tmp_path, count, k):
    scores, labels = write(tmp_path / "p.parquet", names(count), k=k)
    read = predictions.read(tmp_path / "p.parquet")
    assert read.ids.tolist() == names(count)
    assert [row.tolist() for row in read.labels] == [row.tolist() for row in labels]
    assert read.indices.shape == read.scores.shape == (count, min(k, CLASSES))
    assert (read.indices.dtype, read.scores.dtype) == (np.int32, np.float32)
    for row in range(count):
        expected = sorted(range(CLASSES), key=lambda index: -scores[row, index])[:k]
        assert read.indices[row].tolist() == expected
        assert read.scores[row].tolist() == scores[row, expected].tolist()


def test_unlabelled_videos_first_last_and_between(tmp_path):
    labels = [[], [1, 2], [], [], [3], []]
    with predictions.writer(tmp_path / "p.parquet", K, CLASSES) as out:
        out.write(names(6), [np.array(row, np.int32) for row in labels], np.zeros((6, CLASSES)))
    assert [row.tolist() for row in predictions.read(tmp_path / "p.parquet").labels] == labels


def test_ties_rank_by_class(tmp_path):
    with predictions.writer(tmp_path / "p.parquet", 4, CLASSES) as out:
        out.write(["a"], [np.array([1])], np.array([[0.5, 0.1, 0.5, 0.9, 0.5, 0.5, 0.1]]))
    assert predictions.read(tmp_path / "p.parquet").indices.tolist() == [[3, 0, 2, 4]]


def test_missing_file(tmp_path):
    with pytest.raises(PredictionError, match=r"none\.parquet: expected predictions, found no file"):
        predictions.read(tmp_path / "none.parquet")


def test_repeated_ids(tmp_path):
    write(tmp_path / "p.parquet", ["a", "b", "c", "b", "d", "c", "b"])
    with pytest.raises(PredictionError, match=r"p\.parquet: expected each id once, 2 \(b, c\) stand there"):
        predictions.read(tmp_path / "p.parquet")


def fail(path):
    with predictions.writer(path, K, CLASSES) as out:
        out.write(["x"], [np.array([1])], np.zeros((1, CLASSES)))
        raise RuntimeError


def test_failed_write_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError):
        fail(tmp_path / "p.parquet")
    assert list(tmp_path.iterdir()) == []


def test_failed_write_keeps_the_old_file(tmp_path):
    write(tmp_path / "p.parquet", ["a", "b"])
    with pytest.raises(RuntimeError):
        fail(tmp_path / "p.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]
    assert predictions.read(tmp_path / "p.parquet").ids.tolist() == ["a", "b"]


@pytest.mark.parametrize(("ids", "labels"), [(1, 2), (2, 1)])
def test_batch_of_differing_lengths_is_refused(tmp_path, ids, labels):
    with (
        predictions.writer(tmp_path / "p.parquet", K, CLASSES) as out,
        pytest.raises(ValueError, match="length"),
    ):
        out.write(names(ids), [np.array([1])] * labels, np.zeros((2, CLASSES)))


@pytest.fixture
def store(tmp_path: Path) -> tuple[Predictions, np.ndarray, list[np.ndarray]]:
    scores, labels = write(tmp_path / "p.parquet", names(11))
    kept = np.where(scores >= np.sort(scores, axis=1)[:, [-K]], scores, 0)
    return predictions.read(tmp_path / "p.parquet"), kept, labels


def test_dense_and_hot(store):
    read, kept, labels = store
    for rows in (slice(0, 11), slice(3, 5), slice(9, 20), slice(4, 4)):
        np.testing.assert_array_equal(read.dense(rows, CLASSES), kept[rows])
        expected = [[float(index in true) for index in range(CLASSES)] for true in labels[rows]]
        np.testing.assert_array_equal(read.hot(rows, CLASSES), np.array(expected).reshape(-1, CLASSES))


def test_at(store):
    read, kept, _ = store
    np.testing.assert_array_equal(read.at(["video7", "video0", "video7"], CLASSES), kept[[7, 0, 7]])
    with pytest.raises(PredictionError, match=r"2 \(x, y\) have none"):
        read.at(["video1", "x", "y"], CLASSES)


def test_align_reorders(tmp_path):
    write(tmp_path / "a.parquet", names(9), seed=1)
    order = np.random.default_rng(0).permutation(9)
    scores, labels = write(tmp_path / "b.parquet", [names(9)[row] for row in order], seed=2)
    aligned = predictions.read_aligned(tmp_path, ["a", "b"])
    assert list(aligned) == ["a", "b"]
    for row, place in enumerate(order):
        best = np.argmax(scores[row])
        assert aligned["b"].indices[place, 0] == best
        assert aligned["b"].scores[place, 0] == scores[row, best]
        assert aligned["b"].labels[place].tolist() == labels[row].tolist()
    assert aligned["b"].ids.tolist() == aligned["a"].ids.tolist() == names(9)
    np.testing.assert_array_equal(aligned["a"].scores, predictions.read(tmp_path / "a.parquet").scores)


@pytest.mark.parametrize(
    ("ids", "match"),
    [
        (names(9)[:-1], r"missing are 1 \(video8\), too many are 0"),
        ([*names(9), "x", "y"], r"missing are 0, too many are 2 \(x, y\)"),
        (
            [*names(5), "x"],
            r"missing are 4 \(video5, video6, video7, …\), too many are 1 \(x\)",
        ),
    ],
)
def test_differing_ids(tmp_path, ids, match):
    write(tmp_path / "a.parquet", names(9))
    write(tmp_path / "b.parquet", names(9))
    write(tmp_path / "c.parquet", ids)
    with pytest.raises(PredictionError, match=f"c: expected predictions of the same videos as a, {match}"):
        predictions.read_aligned(tmp_path, ["a", "b", "c"])


def test_read_aligned_names_the_missing_file(tmp_path):
    write(tmp_path / "a.parquet", names(3))
    with pytest.raises(PredictionError, match=r"b\.parquet"):
        predictions.read_aligned(tmp_path, ["a", "b"])
