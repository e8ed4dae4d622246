"""PCA with whitening against numpy's SVD of all frames at once."""

import numpy as np
import pytest

from yt8m.core.errors import InputError
from yt8m.extraction.whitening import Whitening

RANDOM = np.random.default_rng(0)
MIXING = np.linalg.qr(RANDOM.normal(size=(12, 12)))[0] * np.geomspace(3, 0.1, 12)[:, None]
VIDEOS = [(RANDOM.normal(size=(count, 12)) @ MIXING + 5).astype(np.float32) for count in (40, 1, 70, 90)]
ALL = np.concatenate(VIDEOS).astype(np.float64)


def test_values_are_uncorrelated_and_vary_alike():
    values = Whitening.fit(VIDEOS, 12)(ALL)
    covariance = np.cov(values.T, bias=True)
    np.testing.assert_allclose(covariance, np.eye(12) * covariance[0, 0], atol=1e-3)
    np.testing.assert_allclose(values.mean(0), 0, atol=1e-4)


def test_directions_are_those_of_the_singular_values():
    whitening = Whitening.fit(VIDEOS, 5)
    _, sizes, directions = np.linalg.svd(ALL - ALL.mean(0), full_matrices=False)
    assert whitening.matrix.shape == (12, 5)
    unit = whitening.matrix / np.linalg.norm(whitening.matrix, axis=0)
    np.testing.assert_allclose(np.abs((unit * directions[:5].T).sum(0)), 1, atol=1e-5)
    assert whitening.share == pytest.approx((sizes[:5] ** 2).sum() / (sizes**2).sum())


def test_nearly_all_values_are_within_what_codes_stand_for():
    values = Whitening.fit(VIDEOS, 12)(ALL)
    assert (np.abs(values) > 2).mean() <= 0.001
    assert np.abs(values).max() > 1.5  # and the code's range is used


def test_it_keeps_no_more_directions_than_frames_tell():
    assert Whitening.fit(VIDEOS[:1], 12).matrix.shape == (12, 10)  # of 40 frames
    doubled = [np.concatenate([frames, frames], axis=1) for frames in VIDEOS]
    assert Whitening.fit(doubled, 24).matrix.shape == (24, 12)


def test_the_same_frames_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        Whitening.fit(VIDEOS, 7).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    read, made = Whitening.load(tmp_path / "a"), Whitening.fit(VIDEOS, 7)
    np.testing.assert_array_equal(read(ALL), made(ALL))
    assert read.share == made.share


def test_signs_do_not_depend_on_the_order_of_videos():
    np.testing.assert_allclose(Whitening.fit(VIDEOS, 12)(ALL), Whitening.fit(VIDEOS[::-1], 12)(ALL), atol=1e-3)


def test_frames_that_are_all_the_same_are_refused():
    with pytest.raises(InputError, match="expected frames that differ, received 20"):
        Whitening.fit([np.full((20, 3), 7.0, np.float32)], 3)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "rgb.safetensors").write_bytes(b"no arrays")
    for name in ("rgb", "audio"):
        with pytest.raises(InputError, match=rf"{name}\.safetensors: expected the PCA"):
            Whitening.load(tmp_path / f"{name}.safetensors")
