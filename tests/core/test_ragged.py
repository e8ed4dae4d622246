"""Rows as one array are the rows one by one."""

import numpy as np
import pytest

from yt8m.core.ragged import Ragged


def made(seed, count=20):
    """Rows of 0 to 3 numbers; the first and the last are empty."""
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 4, count)
    lengths[[0, -1]] = 0
    return [random.integers(0, 100, length) for length in lengths]


def assert_rows(found, expected):
    assert len(found) == len(expected)
    assert [row.tolist() for row in found] == [row.tolist() for row in expected]


@pytest.mark.parametrize("rows", [[], [np.empty(0, int)], [np.array([3])], made(0)], ids=["none", "empty", "one", "20"])
def test_a_sequence_of_rows(rows):
    found = Ragged.of(rows)
    assert Ragged.of(found) is found
    assert_rows(found, rows)
    assert_rows([found[index] for index in range(len(rows))], rows)
    assert [found[-index].tolist() for index in range(1, len(rows) + 1)] == [row.tolist() for row in rows[::-1]]
    assert found.rows().tolist() == [index for index, row in enumerate(rows) for _ in row]
    with pytest.raises(IndexError):
        found[len(rows)]


@pytest.mark.parametrize("dtype", [bool, np.float32, np.int64])
@pytest.mark.parametrize("shape", [(30, 7), (0, 7), (3, 0)])
def test_where_rows_are_not_zero(shape, dtype):
    random = np.random.default_rng(0)
    rows = (random.integers(0, 3, shape) * (random.random(shape) < 0.3)).astype(dtype)
    rows[1:2] = 0
    assert_rows(Ragged.hot(rows), [np.flatnonzero(row) for row in rows])
    assert_rows(Ragged.hot(-rows.astype(np.float32)), [np.flatnonzero(row) for row in rows])


@pytest.mark.parametrize("where", [slice(None), slice(3, 9), slice(-4, None), slice(5, 2), slice(15, 99)])
def test_slices(where):
    rows = made(1)
    assert_rows(Ragged.of(rows)[where], rows[where])


def test_a_slice_in_steps_is_refused():
    with pytest.raises(ValueError, match="steps of 1"):
        Ragged.of(made(1))[::2]


@pytest.mark.parametrize("order", [[], [0], [19, 3, 3, 0, 7], list(range(20))])
def test_rows_in_any_order(order):
    rows = made(2)
    assert_rows(Ragged.of(rows).take(np.array(order, int)), [rows[index] for index in order])
    assert_rows(Ragged.of(rows)[5:].take(np.array([2, 0])), [rows[7], rows[5]])


def test_rows_of_several():
    parts = [made(3), [], Ragged.of(made(4)), made(5)[:1]]
    assert_rows(Ragged.joined(parts), [row for part in parts for row in part])
