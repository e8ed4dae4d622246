"""What is dropped of a model's input."""

import keras
import numpy as np

from yt8m.layers.head import drop_inputs


def dropped(shape):
    """Ones, of which 0.3 are dropped in training."""
    inputs = keras.Input(shape)
    return np.asarray(keras.Model(inputs, drop_inputs(inputs, 0.3))(np.ones((500, *shape), np.float32), training=True))


def test_a_dropped_feature_is_dropped_in_all_frames_of_its_video():
    found = dropped((4, 6))
    np.testing.assert_array_equal(found, np.broadcast_to(found[:, :1], found.shape))
    assert abs((found == 0).mean() - 0.3) < 0.04
    np.testing.assert_allclose(found[found > 0], 1 / 0.7, rtol=1e-6)
    assert len(np.unique(found[:, 0], axis=0)) > 30  # of 64: each video's are its own


def test_of_a_video_without_frames_features_are_dropped_as_well():
    found = dropped((6,))
    assert abs((found == 0).mean() - 0.3) < 0.04


def test_without_a_share_nothing_is_added():
    inputs = keras.Input((4, 6))
    assert drop_inputs(inputs, 0.0) is inputs
