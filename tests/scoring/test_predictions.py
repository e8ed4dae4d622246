from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from yt8m.scoring import predictions
from yt8m.scoring.predictions import GROUP, PredictionError, Predictions, Store, aligned, concatenate

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


def read(path: Path) -> Predictions:
    return Store(path).read()


def names(count):
    return [f"video{index}" for index in range(count)]


@pytest.mark.parametrize("count", [0, 1, 4, 11])
@pytest.mark.parametrize("k", [1, K, CLASSES, 50])
def test_round_trip(tmp_path, count, k):
    scores, labels = write(tmp_path / "p.parquet", names(count), k=k)
    found = read(tmp_path / "p.parquet")
    assert found.ids.tolist() == names(count)
    assert [row.tolist() for row in found.labels] == [row.tolist() for row in labels]
    assert found.indices.shape == found.scores.shape == (count, min(k, CLASSES))
    assert (found.indices.dtype, found.scores.dtype) == (np.int32, np.float32)
    for row in range(count):
        expected = sorted(range(CLASSES), key=lambda index: -scores[row, index])[:k]
        assert found.indices[row].tolist() == expected
        assert found.scores[row].tolist() == scores[row, expected].tolist()


def test_unlabelled_videos_first_last_and_between(tmp_path):
    labels = [[], [1, 2], [], [], [3], []]
    with predictions.writer(tmp_path / "p.parquet", K, CLASSES) as out:
        out.write(names(6), [np.array(row, np.int32) for row in labels], np.zeros((6, CLASSES)))
    assert [row.tolist() for row in read(tmp_path / "p.parquet").labels] == labels


def test_ties_rank_by_class(tmp_path):
    with predictions.writer(tmp_path / "p.parquet", 4, CLASSES) as out:
        out.write(["a"], [np.array([1])], np.array([[0.5, 0.1, 0.5, 0.9, 0.5, 0.5, 0.1]]))
    assert read(tmp_path / "p.parquet").indices.tolist() == [[3, 0, 2, 4]]


def test_missing_file(tmp_path):
    with pytest.raises(PredictionError, match=r"none\.parquet: expected predictions, found no file"):
        read(tmp_path / "none.parquet")


def test_repeated_ids(tmp_path):
    write(tmp_path / "p.parquet", ["a", "b", "c", "b", "d", "c", "b"])
    with pytest.raises(PredictionError, match=r"p\.parquet: expected each id once, 2 \(b, c\) stand there"):
        read(tmp_path / "p.parquet")


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
    assert read(tmp_path / "p.parquet").ids.tolist() == ["a", "b"]


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
    return read(tmp_path / "p.parquet"), kept, labels


def test_dense(store):
    found, kept, _ = store
    np.testing.assert_array_equal(found.dense(CLASSES), kept)


def test_by_id(store, tmp_path):
    _, kept, _ = store
    found = Store(tmp_path / "p.parquet").by_id()
    np.testing.assert_array_equal(found.at(["video7", "video0", "video7"], CLASSES), kept[[7, 0, 7]])
    with pytest.raises(PredictionError, match=r"2 \(x, y\) have none"):
        found.at(["video1", "x", "y"], CLASSES)


def test_ids_of_any_length_and_alphabet_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(predictions, "GROUP", 2)
    ids = ["é", "a", "ab", "abc", "日本", "zzzzzzzzzz", "", "b"]
    scores, _ = write(tmp_path / "p.parquet", ids)
    found = Store(tmp_path / "p.parquet").by_id()
    for row, id in enumerate(ids):
        assert found.at([id], CLASSES).max() == scores[row].max()
    for unknown in ("abcd", "zzzzzzzzzzz", "ab\u0301", "A"):
        with pytest.raises(PredictionError, match=r"1 \("):
            found.at(["a", unknown], CLASSES)


def test_an_empty_store_has_no_video(tmp_path):
    write(tmp_path / "p.parquet", [])
    with pytest.raises(PredictionError, match=r"2 \(a, b\) have none"):
        Store(tmp_path / "p.parquet").by_id().at(["a", "b"], CLASSES)


@pytest.mark.parametrize("size", [1, 4, 5, 11, 100])
def test_blocks_are_the_store_in_order(tmp_path, monkeypatch, size):
    monkeypatch.setattr(predictions, "GROUP", 3)  # so that blocks lie across row groups
    write(tmp_path / "p.parquet", names(11))
    whole, blocks = read(tmp_path / "p.parquet"), list(Store(tmp_path / "p.parquet").blocks(size))
    assert [len(block.ids) for block in blocks] == [size] * (11 // size) + [11 % size] * (11 % size > 0)
    assert_same(concatenate(blocks), whole)


@pytest.mark.parametrize("count", [0, 1, 2, 11])
def test_labels_of_a_store(tmp_path, monkeypatch, count):
    """Those of every video in order, none for some, across row groups."""
    monkeypatch.setattr(predictions, "GROUP", 3)
    random = np.random.default_rng(0)
    expected = [sorted(random.choice(CLASSES, random.integers(0, 3), replace=False).tolist()) for _ in range(count)]
    assert count < 11 or [] in expected[1:-1]
    with predictions.writer(tmp_path / "p.parquet", K, CLASSES) as out:
        out.write(names(count), [np.array(row, np.int32) for row in expected], random.random((count, CLASSES)))
    found = Store(tmp_path / "p.parquet").labels()
    assert [row.tolist() for row in found] == expected
    assert all(np.issubdtype(row.dtype, np.integer) for row in found)


def test_labels_of_a_missing_store(tmp_path):
    with pytest.raises(PredictionError, match=r"none\.parquet"):
        Store(tmp_path / "none.parquet").labels()


def test_an_empty_store_has_no_blocks(tmp_path):
    write(tmp_path / "p.parquet", [])
    assert list(Store(tmp_path / "p.parquet").blocks(5)) == []


def test_row_groups_are_of_one_size_whatever_the_batches(tmp_path):
    scores = np.zeros((1000, CLASSES), np.float32)
    with predictions.writer(tmp_path / "p.parquet", K, CLASSES) as out:
        for start in range(0, 20_000, 1000):
            out.write([str(start + index) for index in range(1000)], [np.array([1])] * 1000, scores)
    metadata = pq.ParquetFile(tmp_path / "p.parquet").metadata
    sizes = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert sizes == [GROUP, GROUP, 20_000 - 2 * GROUP]


def assert_same(one: Predictions, other: Predictions) -> None:
    assert one.ids.tolist() == other.ids.tolist()
    assert [row.tolist() for row in one.labels] == [row.tolist() for row in other.labels]
    np.testing.assert_array_equal(one.indices, other.indices)
    np.testing.assert_array_equal(one.scores, other.scores)


def paths(folder: Path, *stores: str) -> dict[str, Path]:
    return {name: folder / f"{name}.parquet" for name in stores}


def test_stores_in_another_order_are_brought_into_the_first_ones(tmp_path):
    write(tmp_path / "a.parquet", names(9), seed=1)
    order = np.random.default_rng(0).permutation(9)
    write(tmp_path / "b.parquet", [names(9)[row] for row in order], seed=2)
    write(tmp_path / "c.parquet", names(9), seed=2)  # what b holds, in a's order
    with aligned(paths(tmp_path, "a", "b")) as found:
        assert found.names == ["a", "b"]
        assert found.ids.tolist() == names(9)
        blocks = list(found.blocks(4))
        assert_same(found.read("b"), read(tmp_path / "c.parquet"))
        assert [len(parts) for parts in found.take(["b"]).blocks(9)] == [1]
    for index, name in enumerate("ac"):
        assert_same(concatenate([parts[index] for parts in blocks]), read(tmp_path / f"{name}.parquet"))


def test_the_fewest_classes_kept(tmp_path):
    write(tmp_path / "a.parquet", names(2), k=5)
    write(tmp_path / "b.parquet", names(2), k=2)
    with aligned(paths(tmp_path, "a", "b")) as found:
        assert (found.k, found.take(["a"]).k) == (2, 5)


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
    with (
        pytest.raises(PredictionError, match=f"c: expected predictions of the same videos as a, {match}"),
        aligned(paths(tmp_path, "a", "b", "c")),
    ):
        pass


@pytest.mark.parametrize("place", ["a", "b"])
def test_repeated_ids_of_a_member(tmp_path, place):
    for name in "ab":
        write(tmp_path / f"{name}.parquet", ["x", "y", "x"] if name == place else ["x", "y"])
    with (
        pytest.raises(PredictionError, match=rf"{place}\.parquet: expected each id once, 1 \(x\) stand there"),
        aligned(paths(tmp_path, "a", "b")),
    ):
        pass


def test_a_missing_member_is_named(tmp_path):
    write(tmp_path / "a.parquet", names(3))
    with pytest.raises(PredictionError, match=r"b\.parquet"), aligned(paths(tmp_path, "a", "b")):
        pass
