"""From bytes to normalised frames, and the frames drawn in training."""

import keras
import numpy as np
import pytest

from tests.models.tiny import SCHEMA
from yt8m.core.quantization import dequantize
from yt8m.core.schema import Level
from yt8m.layers.frames import (
    Dequantize,
    NormalizeFrames,
    SampleFrames,
    frames_in_order,
    split_features,
    video_inputs,
)


def test_bytes_are_dequantised_as_published():
    codes = np.arange(256, dtype=np.uint8)
    values = np.asarray(Dequantize()(codes))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, [code * 4 / 255 + 4 / 512 - 2 for code in range(256)], atol=1e-6)
    np.testing.assert_allclose(values, dequantize(codes), atol=1e-6)


def test_floats_pass_as_they_are():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(Dequantize()(x), x)


def test_each_frame_is_divided_by_its_length_over_all_features():
    random = np.random.default_rng(0)
    rgb, audio = (random.normal(size=(3, 7, size)).astype(np.float32) for size in (6, 4))
    mask = np.arange(7) < np.array([[2], [7], [0]])
    expected = np.zeros((3, 7, 10))
    for video, frame in np.argwhere(mask):
        row = np.concatenate([rgb[video, frame], audio[video, frame]]).astype(np.float64)
        expected[video, frame] = row / np.sqrt((row**2).sum())
    np.testing.assert_allclose(NormalizeFrames()([rgb, audio], mask), expected, atol=1e-6)


def test_split_features_undoes_the_concatenation():
    random = np.random.default_rng(0)
    parts = {name: random.normal(size=(2, 7, size)) for name, size in SCHEMA.features.items()}
    split = split_features(np.concatenate(list(parts.values()), axis=-1), SCHEMA)
    assert list(split) == ["rgb", "audio"]
    for name, part in parts.items():
        np.testing.assert_array_equal(split[name], part)


def test_frames_in_order_keep_their_places():
    inputs = video_inputs(SCHEMA, Level.FRAME)
    model = keras.Model(inputs, frames_in_order(inputs, SCHEMA, Level.FRAME))
    random = np.random.default_rng(0)
    batch = {name: random.integers(0, 256, (2, 7, size), np.uint8) for name, size in SCHEMA.features.items()}
    x, mask = model(batch | {"num_frames": np.array([3, 7], np.int32)})
    np.testing.assert_array_equal(mask, [[True] * 3 + [False] * 4, [True] * 7])
    for video, frame in np.argwhere(np.asarray(mask)):
        row = np.concatenate([dequantize(batch[name][video, frame]) for name in SCHEMA.features])
        np.testing.assert_allclose(x[video, frame], row / np.linalg.norm(row), atol=1e-6)
    assert not np.any(x[0, 3:])


class TestSampling:
    """Frame t of video v holds the number 10 v + t in every feature; padding holds 255."""

    lengths = np.array([1, 3, 7], np.int32)

    def features(self, lengths):
        number = 10 * np.arange(len(lengths))[:, None] + np.arange(7)
        number = np.where(np.arange(7) < lengths[:, None], number, 255)[..., None].astype(np.uint8)
        return [np.repeat(number, 6, axis=-1), np.repeat(number, 4, axis=-1)]

    def draw(self, frames, lengths=None):
        keras.utils.set_random_seed(0)
        lengths = self.lengths if lengths is None else lengths
        return [np.asarray(x) for x in SampleFrames(frames)(self.features(lengths), lengths, training=True)]

    @pytest.mark.parametrize("frames", [1, 5, 20])
    def test_training_draws_as_many_frames_as_asked_for(self, frames):
        rgb, audio, mask = self.draw(frames)
        assert (rgb.shape, audio.shape, mask.shape) == ((3, frames, 6), (3, frames, 4), (3, frames))
        assert rgb.dtype == np.uint8
        assert mask.all()

    def test_every_drawn_frame_is_one_of_the_videos_own(self):
        rgb, _, _ = self.draw(500)
        for video, length in enumerate(self.lengths):
            assert set(rgb[video].ravel()) == {10 * video + t for t in range(length)}

    def test_all_features_of_a_frame_are_drawn_together(self):
        rgb, audio, _ = self.draw(50)
        assert (rgb == rgb[..., :1]).all()
        np.testing.assert_array_equal(rgb[..., 0], audio[..., 0])

    @pytest.mark.parametrize(("video", "length"), [(1, 3), (2, 7)])
    def test_frames_are_drawn_evenly_and_each_time_anew(self, video, length):
        frames = self.draw(7000)[0][video, :, 0].astype(int) - 10 * video
        counts, share = np.bincount(frames, minlength=length), 1 / length
        assert np.abs(counts - 7000 * share).max() < 5 * np.sqrt(7000 * share * (1 - share))
        follows = ((frames[1:] - frames[:-1]) % length == 1).mean()
        assert follows == pytest.approx(share, abs=5 * np.sqrt(share / 7000))  # no walk through the video

    def test_draws_differ_between_videos_and_between_calls(self):
        keras.utils.set_random_seed(0)
        layer, lengths = SampleFrames(20), np.array([7, 7], np.int32)
        first, second = (np.asarray(layer(self.features(lengths), lengths, training=True)[0]) for _ in range(2))
        assert (first[0] != first[1] - 10).any()
        assert (first != second).any()

    def test_inference_passes_all_frames_with_their_mask(self):
        features = self.features(self.lengths)
        rgb, audio, mask = SampleFrames(2)(features, self.lengths, training=False)
        np.testing.assert_array_equal(rgb, features[0])
        np.testing.assert_array_equal(audio, features[1])
        np.testing.assert_array_equal(mask, [[True] + [False] * 6, [True] * 3 + [False] * 4, [True] * 7])

    @pytest.mark.parametrize("training", [True, False])
    def test_a_video_without_frames_is_all_padding(self, training):
        lengths = np.array([0, 7], np.int32)
        *drawn, mask = SampleFrames(5)(self.features(lengths), lengths, training=training)
        assert not np.any(mask[0])
        assert np.all(mask[1])
        x = np.asarray(NormalizeFrames()([Dequantize()(part) for part in drawn], mask))
        assert not x[0].any()
        assert np.isfinite(x).all()
