"""Omega (eq. 6) against its definition."""

import numpy as np
import pytest
import scipy.linalg

from yt8m.relations import omega
from yt8m.relations.omega import Omega, relation

SHAPES = [pytest.param((3, 8), id="wide"), pytest.param((9, 4), id="tall"), pytest.param((5, 5), id="square")]


def matrix(shape, rank=None):
    random = np.random.default_rng(0)
    if rank is None:
        return random.normal(size=shape)
    return random.normal(size=(shape[0], rank)) @ random.normal(size=(rank, shape[1]))


def direct(w):
    """Eq. 6 as it is written."""
    root = scipy.linalg.sqrtm(w.T @ w).real
    return root / np.trace(root)


def product(found):
    return found.vectors @ np.diag(found.values) @ found.vectors.T


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rank", [None, 2])
class TestRelation:
    def test_is_the_normalised_root(self, shape, rank):
        w = matrix(shape, rank)
        found = product(relation(w))
        np.testing.assert_allclose(found @ found, w.T @ w / np.linalg.norm(w, "nuc") ** 2, atol=1e-9)
        np.testing.assert_allclose(found, direct(w), atol=1e-5)

    def test_has_trace_one_and_no_negative_value(self, shape, rank):
        found = relation(matrix(shape, rank))
        assert found.values.sum() == pytest.approx(1)
        assert (found.values >= 0).all()
        assert np.trace(product(found)) == pytest.approx(1)

    def test_vectors_are_orthonormal(self, shape, rank):
        vectors = relation(matrix(shape, rank)).vectors
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(vectors.shape[1]), atol=1e-6)

    def test_does_not_depend_on_the_weights_scale(self, shape, rank):
        w = matrix(shape, rank)
        for scale in (1e-4, 1e4):
            np.testing.assert_allclose(product(relation(scale * w)), product(relation(w)), atol=1e-7)

    def test_does_not_depend_on_how_features_are_turned(self, shape, rank):
        """W^T W alone counts."""
        w = matrix(shape, rank)
        turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(shape[0], shape[0])))
        np.testing.assert_allclose(product(relation(turn @ w)), product(relation(w)), atol=1e-7)


def test_classes_with_like_weights_are_related():
    """Two classes of equal weights, one of opposite ones, and one of its own."""
    w = np.array([[1, 1, -1, 0], [0, 0, 0, 1.0]])
    found = product(relation(w))
    assert found[0, 1] == pytest.approx(found[0, 0])
    assert found[0, 2] == pytest.approx(-found[0, 0])
    np.testing.assert_allclose(found[3, :3], 0, atol=1e-9)


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_weights_without_an_omega_are_refused(value):
    with pytest.raises(ValueError, match="label relations: expected finite weights"):
        relation(np.full((3, 4), value))


@pytest.mark.parametrize("shape", SHAPES)
def test_normalized_is_omega_with_ones_on_its_diagonal(shape):
    expected = direct(matrix(shape))
    lengths = np.sqrt(expected.diagonal())
    found = omega.normalized(relation(matrix(shape)))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected / np.outer(lengths, lengths), atol=1e-5)
    np.testing.assert_allclose(found.diagonal(), 1, atol=1e-6)


def test_normalized_says_1_of_like_classes_minus_1_of_opposite_ones_and_0_of_those_without_weights():
    w = np.array([[1, 3, -2, 0, 0], [0, 0, 0, 2.0, 0]])
    same = [1, 1, -1, 0, 0]
    expected = [same, same, [-value for value in same], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]]
    np.testing.assert_allclose(omega.normalized(relation(w)), expected, atol=1e-6)


@pytest.mark.parametrize("type", [np.float32, np.float64])
def test_what_is_loaded_is_what_was_saved(type, tmp_path):
    saved = Omega(*(values.astype(type) for values in vars(relation(matrix((3, 8)))).values()))
    omega.save(saved, tmp_path / "omega.npz")
    loaded = omega.load(tmp_path / "omega.npz")
    np.testing.assert_array_equal(loaded.vectors, saved.vectors)
    np.testing.assert_array_equal(loaded.values, saved.values)


def test_the_same_omega_is_the_same_bytes(tmp_path):
    for name in ("one.npz", "other.npz"):
        omega.save(relation(matrix((3, 8))), tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
