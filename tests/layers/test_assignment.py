"""Soft assignment, and every layer that pools frames with it, against loops over the frames a video has."""

import numpy as np
import pytest

from tests.layers import reference
from yt8m.layers.assignment import SoftAssignment, SoftDBoW
from yt8m.models.gated_dbow.network import GatedSoftDBoW
from yt8m.models.netfv.network import NetFV
from yt8m.models.netrvlad.network import NetRVLAD
from yt8m.models.netvlad.network import NetVLAD
from yt8m.models.nextvlad.network import NeXtVLAD

BATCH, FRAMES, SIZE, CLUSTERS = 4, 7, 6, 3
POOLING = [
    pytest.param(SoftDBoW(CLUSTERS, 0.9), reference.dbow, id="SoftDBoW"),
    pytest.param(GatedSoftDBoW(CLUSTERS, 0.9, 2), reference.gated_dbow, id="GatedSoftDBoW"),
    pytest.param(NetVLAD(CLUSTERS, 0.9), reference.vlad, id="NetVLAD"),
    pytest.param(NetRVLAD(CLUSTERS, 0.9), reference.vlad, id="NetRVLAD"),
    pytest.param(NetFV(CLUSTERS, 0.9), reference.fisher, id="NetFV"),
]
NEXTVLAD = pytest.param(NeXtVLAD(CLUSTERS, 0.9, groups=4, expansion=2), reference.nextvlad, id="NeXtVLAD")


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(0, 1, (BATCH, FRAMES, SIZE)).astype(np.float32)


@pytest.fixture(params=["all frames", "padded", "scattered"])
def mask(request):
    if request.param == "all frames":
        return np.ones((BATCH, FRAMES), bool)
    if request.param == "padded":
        return np.arange(FRAMES) < np.array([[1], [3], [6], [7]])
    return np.random.default_rng(2).random((BATCH, FRAMES)) < 0.5


def built(layer):
    if not layer.built:
        layer.build((None, None, SIZE))
    return reference.randomize(layer)


def test_assignment_is_a_softmax_over_clusters_and_zero_for_masked_frames(x, mask):
    layer = built(SoftAssignment(CLUSTERS, 0.9))
    expected = [reference.assignment(frames, layer) * keep[:, None] for frames, keep in zip(x, mask, strict=True)]
    np.testing.assert_allclose(layer(x, mask), expected, atol=1e-5)


@pytest.mark.parametrize(("layer", "pool"), [*POOLING, NEXTVLAD])
def test_pooling_equals_loops_over_the_unmasked_frames(layer, pool, x, mask):
    built(layer)
    expected = [pool(frames[keep], layer) for frames, keep in zip(x, mask, strict=True)]
    np.testing.assert_allclose(layer(x, mask), expected, atol=1e-5)


@pytest.mark.parametrize(("layer", "pool"), [*POOLING, NEXTVLAD])
def test_pooling_ignores_the_order_of_frames(layer, pool, x, mask):
    built(layer)
    order = np.random.default_rng(3).permutation(FRAMES)
    np.testing.assert_allclose(layer(x[:, order], mask[:, order]), layer(x, mask), atol=1e-5)


@pytest.mark.parametrize(("layer", "pool"), POOLING)
def test_a_video_without_frames_is_pooled_to_zero(layer, pool, x):
    built(layer)
    assert not np.any(layer(x, np.zeros((BATCH, FRAMES), bool)))


def test_training_normalises_by_the_batch_and_moves_the_statistics(x):
    layer = built(SoftAssignment(CLUSTERS, 0.75))
    before, logits = reference.of(layer.norm.moving_mean), x.reshape(-1, SIZE) @ reference.of(layer.kernel)
    scaled = (logits - logits.mean(0)) / np.sqrt(logits.var(0) + 1e-3)
    expected = reference.softmax(scaled * reference.of(layer.norm.gamma) + reference.of(layer.norm.beta))
    trained = layer(x, np.ones((BATCH, FRAMES), bool), training=True)
    np.testing.assert_allclose(np.reshape(trained, (-1, CLUSTERS)), expected, atol=1e-5)
    np.testing.assert_allclose(layer.norm.moving_mean, 0.75 * before + 0.25 * logits.mean(0), atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "weight", "mean"),
    [
        (SoftAssignment(256, 0.9), "kernel", 0),
        (NetVLAD(256, 0.9), "centres", 0),
        (NetFV(256, 0.9), "centres", 0),
        (NetFV(256, 0.9), "scales", 1),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "build") else str(value),
)
def test_weights_start_as_normal_numbers_of_deviation_one_over_the_root_of_the_size(layer, weight, mean):
    layer.build((None, None, 64))
    values = reference.of(getattr(layer, weight))  # 16384 of them: the tolerances are five standard errors
    assert values.mean() == pytest.approx(mean, abs=5 / 8 / 128)
    assert values.std() == pytest.approx(1 / 8, rel=5 / np.sqrt(2 * values.size))
