import numpy as np
import pytest

from yt8m.report.embedding import embed


@pytest.mark.parametrize("size", [5, 40])
def test_embedding_repeats(size):
    x = np.random.default_rng(0).normal(size=(size, 8)).astype(np.float32)
    first, again = embed(x), embed(x)
    assert first.shape == (size, 2)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)


def test_embedding_keeps_clusters_apart():
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(size=(20, 8)), 30 + random.normal(size=(20, 8))]).astype(np.float32)
    points = embed(x)
    within = max(points[:20].std(0).max(), points[20:].std(0).max())
    assert np.linalg.norm(points[:20].mean(0) - points[20:].mean(0)) > within
