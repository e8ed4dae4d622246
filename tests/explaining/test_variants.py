"""Variants of a video, and what their scores say."""

import numpy as np
import pytest

from tests.explaining.made import videos
from tests.models import tiny
from yt8m.core.schema import Level
from yt8m.explaining.explanation import strongest
from yt8m.explaining.variants import SEGMENTS, by_segment, changes, segments, variants
from yt8m.records.videos import Video


def padded(*all_videos: Video) -> dict[str, np.ndarray]:
    inputs = {
        name: np.stack([np.pad(v.features[name], [(0, tiny.SCHEMA.max_frames - v.frames), (0, 0)]) for v in all_videos])
        for name in tiny.SCHEMA.features
    }
    return inputs | {"num_frames": np.array([video.frames for video in all_videos], np.int32)}


@pytest.mark.parametrize("family", ["netvlad", "gru", "nextvlad"])
def test_leaving_out_a_frame_against_a_loop(family):
    """All variants as a batch, against scores of one video after the other whose frame is cut out by hand."""
    model, video = tiny.randomized(family), videos(tiny.SCHEMA, Level.FRAME, "v", 2)[1]
    scores = tiny.score(model, padded(*variants(video)))
    changed, alone = changes(scores, video.frames), by_segment(scores, video.frames)
    assert (len(changed), len(alone)) == (7, 6)
    (whole,) = tiny.score(model, padded(video))

    def of(*frames):
        kept = {name: np.stack([rows[frame] for frame in frames]) for name, rows in video.features.items()}
        return tiny.score(model, padded(Video("", video.labels, kept)))[0]

    for frame in range(7):
        without = of(*(other for other in range(7) if other != frame))
        np.testing.assert_allclose(changed[frame], whole - without, atol=1e-6)
    for row, frames in enumerate([(0,), (1,), (2,), (3,), (4,), (5, 6)]):
        np.testing.assert_allclose(alone[row], of(*frames), atol=1e-6)
    assert np.abs(changed).max() > 1e-3


@pytest.mark.parametrize("level", Level)
def test_one_frame_has_nothing_to_leave_out(level):
    video = videos(tiny.SCHEMA, level, "v", 1)[0]
    (only,) = variants(video)
    assert only.frames == 1
    assert all(np.array_equal(only.features[name], rows) for name, rows in video.features.items())


@pytest.mark.parametrize("frames", [2, 5, 6, 7, 25, 300])
def test_segments_are_all_frames_in_order(frames):
    parts = segments(frames)
    assert [frame for part in parts for frame in part] == list(range(frames))
    assert len(parts) == min(frames, SEGMENTS)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_frames_are_named_by_what_falls_most():
    assert strongest(np.array([0.1, -0.5, 0.3, 0.3, 0.0]), 3) == [2, 3, 0]
    assert strongest(np.array([0.0, -0.1]), 3) == []
