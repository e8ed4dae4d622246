"""Values and their codes."""

import re
from dataclasses import astuple

import numpy as np
import pytest

from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.packing.coding import Format, Tally

FRAMES = Format(Level.FRAME, {"rgb": 4}, {}, None)
VIDEO = Format(Level.VIDEO, {"rgb": 4}, {}, None)
CODES = np.arange(256, dtype=np.uint8).reshape(64, 4)


def meant(codes):
    """What codes stand for, as published."""
    return codes.astype(np.float64) * 4 / 255 + 4 / 512 - 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_codes_stand_for_gives_the_codes(dtype):
    coded, tally = FRAMES.coded("rgb", meant(CODES).astype(dtype), "here")
    assert coded.dtype == np.uint8
    assert np.array_equal(coded, CODES)
    assert tally.outside == 0


def test_half_precision_is_within_a_step():
    values = np.random.default_rng(0).uniform(-2, 2, (9, 4)).astype(np.float16)
    coded, _ = FRAMES.coded("rgb", values, "here")
    assert np.abs(meant(coded) - values).max() <= 2.0001 / 255


def test_bytes_are_codes():
    coded, tally = FRAMES.coded("rgb", CODES, "here")
    assert np.array_equal(coded, CODES)
    assert tally.values == 0
    means, _ = VIDEO.coded("rgb", CODES[0], "here")
    assert means.dtype == np.float32
    assert np.allclose(means, meant(CODES[:1]), atol=1e-6)


def test_videos_are_floats_of_any_size():
    values = np.array([1e5, -3, 0, 7.5])
    coded, tally = VIDEO.coded("rgb", values, "here")
    assert coded.dtype == np.float32
    assert coded.tolist() == [values.tolist()]
    assert tally.outside == 0


def test_a_scale_multiplies():
    scaled = FRAMES._replace(scales={"rgb": 0.1})
    values = np.random.default_rng(0).uniform(-19, 19, (9, 4))
    assert np.array_equal(scaled.coded("rgb", values, "")[0], FRAMES.coded("rgb", values * 0.1, "")[0])


def test_a_limit_cuts():
    coded, _ = FRAMES._replace(limit=5).coded("rgb", meant(CODES), "here")
    assert np.array_equal(coded, CODES[:5])


def test_values_are_tallied():
    values = np.array([[-2.0, 2.0, 2.01, 0], [-2.01, 2.02, 9, -1]])
    _, tally = FRAMES.coded("rgb", values, "here")
    assert (tally.values, tally.outside, tally.low, tally.high) == (8, 3, -2.01, 9)
    assert Tally() + tally == tally
    halves = [FRAMES.coded("rgb", values[[row]], "here")[1] for row in (0, 1)]
    assert astuple(halves[0] + halves[1]) == pytest.approx(astuple(tally))
    assert tally.steps == pytest.approx(values.std() * 255 / 4)
    assert tally.share_outside == 3 / 8
    assert tally.factor == pytest.approx(2 / 9)


@pytest.mark.parametrize(
    ("largest", "scale", "advised"),
    [(9, 1, "0.22"), (20, 1, "0.1"), (0.04349, 1, "45"), (66000, 1, "3e-05"), (1, 1, "2"), (9, 0.1, "0.022")],
)
def test_the_advised_scale_brings_all_within_the_code(largest, scale, advised):
    format = FRAMES._replace(scales={"rgb": scale})
    assert format.advice("rgb", Tally(values=3, low=-largest / 2, high=largest)) == f"--scale rgb={advised}"


@pytest.mark.parametrize(
    ("format", "values", "expected"),
    [
        (FRAMES, np.zeros((3, 5)), "expected an array of shape (frames, 4), as others have, received (3, 5)"),
        (FRAMES, np.zeros(4), "received (4,)"),
        (FRAMES, np.zeros((0, 4)), "received (0, 4)"),
        (VIDEO, np.zeros((1, 4)), "expected an array of shape (4,)"),
        (VIDEO, np.array(1.0), "received ()"),
        (FRAMES, np.zeros((3, 4), np.int64), "expected one of float16, float32, float64, uint8, received int64"),
        (FRAMES, np.zeros((3, 4), complex), "received complex128"),
        (FRAMES, np.array([[np.nan, np.inf, 0, 0]]), "expected finite numbers, received 2 others"),
        (VIDEO, np.array([1e39, 0, 0, 0]), "expected finite numbers, received 1 others"),
        (FRAMES._replace(scales={"rgb": 2.0}), CODES, "received uint8"),
    ],
)
def test_what_is_not_as_expected(format, values, expected):
    with pytest.raises(InputError, match=re.escape(expected)) as refusal:
        format.coded("rgb", values, "v.npy")
    assert str(refusal.value).startswith("v.npy: ")
