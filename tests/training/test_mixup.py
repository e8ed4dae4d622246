"""Mixed videos: each with the next one of its batch, by one share for features and targets."""

import numpy as np
import pytest

from tests.models.tiny import SCHEMA
from tests.training.made import make_videos
from yt8m.core.schema import Level
from yt8m.records.batches import LENGTH, Batch, bytes_for
from yt8m.training.mixup import WHOLE, mixed


def make_batch(level, size=12):
    batch = Batch.over(np.zeros(bytes_for(size, level, SCHEMA), np.uint8), size, level, SCHEMA)
    for row, video in enumerate(make_videos(size, 3, level)):
        batch.put(row, video)
    return batch


@pytest.mark.parametrize("level", list(Level))
def test_each_video_is_mixed_with_the_next_by_its_share(level):
    """Worked out one frame at a time; the other video's frames come again where it is the shorter one."""
    batch, targets = make_batch(level), np.random.default_rng(0).random((12, SCHEMA.classes), np.float32)
    found, wanted = mixed(batch, targets, 0.7, np.random.default_rng(1))
    drawn = np.random.default_rng(1).beta(0.7, 0.7, 12)
    for row, share in enumerate(np.round(np.maximum(drawn, 1 - drawn) * WHOLE) / WHOLE):
        other, length = (row + 1) % 12, int(batch.inputs[LENGTH][row])
        for name in SCHEMA.features:
            for frame in range(SCHEMA.frames(level)):
                if frame >= length:
                    assert not found.inputs[name][row, frame].any()
                    continue
                first = batch.inputs[name][row, frame].astype(float)
                second = batch.inputs[name][other, frame % int(batch.inputs[LENGTH][other])].astype(float)
                expected, tolerance = share * first + (1 - share) * second, 0.5 if level is Level.FRAME else 1e-3
                np.testing.assert_allclose(found.inputs[name][row, frame], expected, atol=tolerance + 1e-9)
        np.testing.assert_allclose(wanted[row], share * targets[row] + (1 - share) * targets[other], rtol=1e-6)
    assert wanted.dtype == np.float32
    assert {name: x.dtype for name, x in found.inputs.items()} == {name: x.dtype for name, x in batch.inputs.items()}
    np.testing.assert_array_equal(found.inputs[LENGTH], batch.inputs[LENGTH])


def test_the_batch_that_is_mixed_stays_as_it_was():
    """Its memory is the readers', and a video is mixed into the one before it after it was mixed itself."""
    batch, other = make_batch(Level.FRAME), make_batch(Level.FRAME)
    mixed(batch, batch.labels, 1.0, np.random.default_rng(1))
    for name, x in batch.inputs.items():
        np.testing.assert_array_equal(x, other.inputs[name])
    np.testing.assert_array_equal(batch.labels, other.labels)


def test_a_video_without_frames_mixes_nothing_in():
    batch = make_batch(Level.FRAME)
    batch.inputs[LENGTH][1] = 0
    for name in SCHEMA.features:
        batch.inputs[name][1] = 0
    found, _ = mixed(batch, batch.labels, 1.0, np.random.default_rng(1))
    for name in SCHEMA.features:
        np.testing.assert_array_equal(found.inputs[name][0], batch.inputs[name][0])
        assert not found.inputs[name][1].any()


def test_a_small_alpha_mixes_little():
    batch = make_batch(Level.FRAME)
    _, targets = mixed(batch, batch.labels, 1e-4, np.random.default_rng(1))
    np.testing.assert_allclose(targets, batch.labels, atol=0.01)
