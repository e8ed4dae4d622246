"""Cross-entropy against numpy."""

import numpy as np
import pytest

from yt8m.training.losses import cross_entropy


@pytest.mark.parametrize("kind", ["labels", "teacher's scores", "bool labels"])
def test_each_video_has_the_sum_over_its_classes(kind):
    random = np.random.default_rng(0)
    p = random.random((6, 5)).astype(np.float32)
    teacher = random.random((6, 5)).astype(np.float32)
    labels = teacher > 0.7
    targets = {"labels": labels.astype(np.float32), "teacher's scores": teacher, "bool labels": labels}[kind]
    losses = np.zeros(6)
    for video, c in np.ndindex(6, 5):
        target, found = float(targets[video, c]), float(p[video, c])
        losses[video] -= target * np.log(found + 1e-5) + (1 - target) * np.log(1 - found + 1e-5)
    np.testing.assert_allclose(cross_entropy(targets, p), losses, rtol=1e-5)


def test_certain_mistakes_cost_finitely_and_certain_hits_nothing():
    certain = np.array([[0, 1, 1, 0]], np.float32)
    assert float(cross_entropy(1 - certain, certain)[0]) == pytest.approx(-4 * np.log(1e-5), rel=1e-3)
    assert float(cross_entropy(certain, certain)[0]) == pytest.approx(0, abs=1e-3)
