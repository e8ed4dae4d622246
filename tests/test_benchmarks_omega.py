"""benchmarks.omega, without a look at the clock: both ways to Omega agree, and what does not is noticed."""

import numpy as np
import pytest

from benchmarks import omega
from benchmarks._common import Failed
from tests.apart import here

FEATURES, CLASSES = 6, 20
GOOD = {
    "update": {"seconds": 1.0, "memory": 1e8},
    "direct": {"seconds": 20.0, "memory": 1e9},
    "difference": 1e-9,
    "relative": 1e-7,
    "trace": 1.0,
    "smallest_value": 0.0,
    "slopes": 1e-5,
}


@pytest.fixture(params=omega.SPECTRA)
def weights(request, tmp_path):
    """Path of a small W."""
    path = str(tmp_path / "weights.npy")
    omega.write_weights(path, FEATURES, CLASSES, request.param)
    return path


def test_weights_have_their_spectrum(weights, request):
    expected = np.ones(FEATURES) if "flat" in request.node.name else 1 / np.arange(1, FEATURES + 1)
    w = np.load(weights)
    assert (w.shape, w.dtype) == ((FEATURES, CLASSES), np.float32)
    np.testing.assert_allclose(np.linalg.svd(w, compute_uv=False), expected, rtol=1e-5)


@pytest.mark.parametrize("sqrtm", [False, True])
@pytest.mark.parametrize("spectrum", omega.SPECTRA)
def test_both_ways_give_the_same(tmp_path, monkeypatch, spectrum, sqrtm):
    monkeypatch.setattr(omega, "apart", here)
    result = omega.measure(tmp_path, FEATURES, CLASSES, spectrum, sqrtm)
    assert result["relative"] < 1e-5
    assert result["trace"] == pytest.approx(1)
    assert result["smallest_value"] > 0
    assert result["smallest_eigenvalue"] > -1e-12
    assert result["slopes"] < 1e-3
    assert min(result[way]["seconds"] for way in ("update", "direct")) > 0


def test_the_direct_root_is_the_definitions(weights, tmp_path):
    omega.direct(weights, str(tmp_path / "dense.npy"), sqrtm=False)
    dense, w = np.load(tmp_path / "dense.npy"), np.load(weights).astype(np.float64)
    _, singular, rows = np.linalg.svd(w, full_matrices=False)
    np.testing.assert_allclose(dense, (rows.T * singular) @ rows / singular.sum(), atol=1e-8)


def test_another_omega_is_noticed(weights, tmp_path):
    factors, dense = str(tmp_path / "factors.npz"), str(tmp_path / "dense.npy")
    omega.update(weights, factors)
    omega.direct(weights, dense, sqrtm=False)
    expected = np.load(dense)
    np.save(dense, expected + 1e-4 * np.abs(expected).max())
    assert omega.compare(factors, dense)["relative"] == pytest.approx(1e-4, rel=1e-2)
    np.save(dense, np.roll(expected, 1, axis=(0, 1)))
    assert omega.slopes(weights, dense)["difference"] > 1e-3


def test_the_largest_classes_are_not_decomposed_again(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(omega, "SMALL", CLASSES - 1)
    factors, dense = str(tmp_path / "factors.npz"), str(tmp_path / "dense.npy")
    omega.update(weights, factors)
    omega.direct(weights, dense, sqrtm=False)
    assert "smallest_eigenvalue" not in omega.compare(factors, dense)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, ""),
        ({"relative": 2e-5}, "expected Omega within 1e-05 of its largest entry, received 2.0e-05"),
        ({"smallest_value": -1e-9}, "expected values of at least 0"),
        ({"slopes": 0.1}, "expected slopes within 0.001, received 1.0e-01"),
        ({"direct": {"seconds": 9.0, "memory": 1e9}}, "expected an update 10 times as fast, received 9.0"),
        ({"relative": float("nan")}, "received nan"),
    ],
)
def test_the_command_fails_where_something_is_not_as_it_should_be(monkeypatch, capsys, changes, message):
    monkeypatch.setattr(omega, "measure", lambda *_: GOOD | changes)
    assert call() == int(bool(changes))
    assert message in capsys.readouterr().out


def call(*words):
    with pytest.raises(SystemExit) as end:
        omega.main(list(words))
    return end.value.code


def test_a_process_that_fails_is_one_line(monkeypatch):
    def failing(*_):
        raise Failed("no memory")

    monkeypatch.setattr(omega, "measure", failing)
    assert call() == "omega: no memory"


@pytest.mark.parametrize("words", [["--features", "0"], ["--classes", "x"], ["--features", "9", "--classes", "9"]])
def test_arguments_are_refused(capsys, words):
    assert call(*words) == 2
    assert "usage" in capsys.readouterr().err
