import numpy as np
import pytest

from yt8m.augmentation.neighbours import nearest


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 3, 11, 12, 50])
def test_against_loops(dtype, k):
    x = np.random.default_rng(k).normal(size=(12, 5)).astype(dtype)
    found = nearest(x, k)
    assert found.shape == (12, min(k, 11))
    for row in range(12):
        distances = {other: sum((x[row] - x[other]) ** 2) for other in range(12) if other != row}
        assert found[row].tolist() == sorted(distances, key=lambda other: distances[other])[:k]


@pytest.mark.parametrize("rows", [0, 1])
def test_none_where_there_is_no_other(rows):
    found = nearest(np.zeros((rows, 4)), 3)
    assert found.shape == (rows, 0)
    assert found.dtype == np.int64


def test_a_row_is_never_its_own_neighbour():
    found = nearest(np.ones((8, 3), np.float32), 7)
    for row in range(8):
        assert set(found[row].tolist()) == set(range(8)) - {row}
