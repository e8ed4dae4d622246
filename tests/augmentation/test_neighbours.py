import numpy as np
import pytest

from yt8m.augmentation import neighbours
from yt8m.augmentation.neighbours import nearest


def loops(x, rows, members, k):
    """Sorted by differences in float64, of equals the first member first."""
    found = []
    for row in rows:
        distances = {other: np.sum((x[row].astype(float) - x[other]) ** 2) for other in members if other != row}
        found.append(sorted(distances, key=lambda other: distances[other])[:k])
    return found


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)


MEMBERS = np.arange(1, 40, 2)
ROWS = MEMBERS[[2, 3, 11, 19]]


@pytest.mark.parametrize("k", [1, 3, 18, 19, 20, 50])
def test_against_loops(x, k):
    found = nearest(x, ROWS, MEMBERS, k)
    assert found.dtype == np.int64
    assert found.shape == (4, min(k, 19))
    assert found.tolist() == loops(x, ROWS, MEMBERS, k)


def test_none_where_there_is_no_other(x):
    found = nearest(x, np.array([4]), np.array([4]), 3)
    assert found.shape == (1, 0)
    assert found.dtype == np.int64


def test_of_equals_the_first_and_never_the_row_itself():
    found = nearest(np.ones((8, 3), np.float32), np.arange(8), np.arange(8), 3)
    for row in range(8):
        assert found[row].tolist() == [other for other in range(8) if other != row][:3]


@pytest.mark.parametrize("elements", [1, 300, 1 << 22])
def test_the_block_changes_nothing(x, monkeypatch, elements):
    monkeypatch.setattr(neighbours, "ELEMENTS", elements)
    assert nearest(x, MEMBERS, MEMBERS, 4).tolist() == loops(x, MEMBERS, MEMBERS, 4)


def test_differences_rank_what_a_product_cannot_tell_apart():
    """Far from the origin a float32 product loses the differences, which are exact."""
    x = np.full((9, 4), 2.0**13, np.float32)
    x[:, 0] += np.array([0, 5, 3, 8, 1, 7, 2, 6, 4]) / 256
    assert nearest(x, np.array([0]), np.arange(9), 8).tolist() == [[4, 6, 2, 8, 1, 7, 5, 3]]


def test_the_right_ones_are_among_the_spare():
    """Where the product alone would take others."""
    x = (np.random.default_rng(0).normal(size=(40, 8)) + 160).astype(np.float32)
    members = np.arange(40)
    assert nearest(x, members, members, 4).tolist() == loops(x, members, members, 4)


RANDOM = np.random.default_rng(0)
ALIKE = {
    "far from the origin": 1000 + RANDOM.integers(-64, 65, (100, 4)) / 128,
    "copies": np.repeat(RANDOM.normal(size=(5, 16)), 20, axis=0),
}


@pytest.mark.parametrize("x", ALIKE.values(), ids=ALIKE)
def test_many_that_a_product_cannot_tell_apart(x):
    members = np.arange(len(x))
    x = x.astype(np.float32)
    assert nearest(x, members, members, 8).tolist() == loops(x, members, members, 8)
