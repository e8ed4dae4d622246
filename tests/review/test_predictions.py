"""What is found in DVC's cache."""

import json

import numpy as np
import pytest

from yt8m.ensembling.ensemble import Ensemble
from yt8m.review.predictions import Cached, paired_error
from yt8m.review.sides import Side
from yt8m.scoring import bootstrap
from yt8m.scoring.predictions import Store, writer

LABELS = [np.array([number % 3]) for number in range(40)]


def store(path, seed):
    """Random predictions of three classes."""
    with writer(path, 3, 3) as out:
        scores = np.random.default_rng(seed).random((40, 3))
        out.write([f"{number}" for number in range(40)], LABELS, scores)
    return path


@pytest.fixture
def cached(tmp_path):
    """A function that puts files and folders into a cache, and gives the side that has written them."""

    def put(sum, content):
        path = tmp_path / "cache/files/md5" / sum[:2] / sum[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def make(**outs):
        entries = []
        for name, (path, found) in outs.items():
            if isinstance(found, dict):
                sum = f"{name}00.dir"
                put(sum, json.dumps([{"relpath": key, "md5": f"{name}{key}"} for key in found]).encode())
                for key, file in found.items():
                    put(f"{name}{key}", file.read_bytes())
            else:
                sum = f"{name}00"
                put(sum, found.read_bytes())
            entries.append({"path": path, "md5": sum})
        side = Side("a side", lambda path: None)
        side.__dict__.update(stages={"x": {"outs": [*entries, {"path": "data/gone", "md5": "gone"}]}})
        return Cached(side, tmp_path / "cache")

    return make


def test_files_are_found_alone_and_in_folders(cached, tmp_path):
    file = store(tmp_path / "p", 0)
    found = cached(
        one=("data/predictions/test/gru-a.parquet", file), two=("data/infer_student", {"test.parquet": file})
    )
    for name in ("gru-a", "student"):
        np.testing.assert_array_equal(found.predictions(name).scores, Store(file).read().scores)
    assert found.find("data/infer_student/holdout.parquet") is None
    assert found.find("data/gone") is None
    assert found.predictions("lstm-a") is None


def test_the_paired_error_is_that_of_the_same_resamples(cached, tmp_path):
    files = [store(tmp_path / f"{seed}", seed) for seed in (0, 1)]
    old, new = [
        cached(**{f"s{index}": ("data/infer_student", {"test.parquet": file})}) for index, file in enumerate(files)
    ]
    one, other = (bootstrap.gaps(Store(file).read(), 0) for file in files)
    assert paired_error(old, new, "student") == pytest.approx(np.std(other - one, ddof=1))
    assert paired_error(old, new, "untaught") is None


def test_an_ensemble_is_put_together_of_its_members(cached, tmp_path):
    weights = {"equal": np.full((2, 3), 0.5), "exact_per_model": np.array([[1.0] * 3, [0.0] * 3])}
    (tmp_path / "ensemble").mkdir()
    Ensemble(members={"x-a": "../x-a", "y-a": "../y-a"}, scheme="exact_per_model", top_k=3).write(
        tmp_path / "ensemble", weights
    )
    files = {path.name: path for path in (tmp_path / "ensemble").iterdir()}
    members = [store(tmp_path / f"{seed}", seed) for seed in (0, 1)]
    names = {
        f"m{name}": (f"data/predictions/test/{name}-a.parquet", file) for name, file in zip("xy", members, strict=True)
    }
    found = cached(e=("data/ensemble", files), **names)
    np.testing.assert_allclose(found.predictions("ensemble").scores, Store(members[0]).read().scores, rtol=1e-6)
    assert found.predictions("mean_of_all").scores.max() < found.predictions("ensemble").scores.max()
    del names["my"]
    assert cached(e=("data/ensemble", files), **names).predictions("ensemble") is None
