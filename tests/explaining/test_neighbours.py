"""Nearest training videos against numpy."""

import numpy as np
import pytest

from tests.explaining.made import videos
from tests.models.tiny import SCHEMA
from yt8m.core.schema import Level
from yt8m.explaining.neighbours import neighbours
from yt8m.records.batches import Batch, bytes_for


def batches(training, size):
    for start in range(0, len(training), size):
        part = training[start : start + size]
        memory = np.empty(bytes_for(len(part), Level.VIDEO, SCHEMA), np.uint8)
        batch = Batch.over(memory, len(part), Level.VIDEO, SCHEMA)
        for row, video in enumerate(part):
            batch.put(row, video)
        yield batch


@pytest.mark.parametrize("size", [1, 7, 40, 100])
@pytest.mark.parametrize("level", Level)
def test_against_numpy(level, size):
    """In batches of any size; the video itself, were it one of them, is left out."""
    training, video = videos(SCHEMA, Level.VIDEO, "train", 40), videos(SCHEMA, level, "v", 3)[2]
    means = np.array([np.concatenate([rows[0] for rows in each.features.values()]) for each in training], float)
    scale = (4 / 255, 4 / 512 - 2) if level is Level.FRAME else (1, 0)
    own = np.concatenate([(rows * scale[0] + scale[1]).mean(0) for rows in video.features.values()])
    cosines = means @ own / np.linalg.norm(means, axis=1) / np.linalg.norm(own)
    expected = np.argsort(-cosines)[:5]
    if level is Level.VIDEO:
        training = [*training[:20], video, *training[20:]]
    found = neighbours(video, batches(training, size), 5)
    assert [each.id for each in found] == [f"train_{index}" for index in expected]
    np.testing.assert_allclose([each.distance for each in found], 1 - cosines[expected], atol=1e-6)
    by_id = {each.id: each.labels.tolist() for each in training}
    assert [each.labels for each in found] == [by_id[each.id] for each in found]


def test_fewer_than_asked_for():
    training = videos(SCHEMA, Level.VIDEO, "train", 3)
    found = neighbours(training[0], batches(training, 2), 5)
    assert sorted(each.id for each in found) == ["train_1", "train_2"]
    assert neighbours(training[0], batches(training[:1], 2), 5) == []
