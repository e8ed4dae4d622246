from dataclasses import replace

import numpy as np

from tests.records import made
from yt8m.records.videos import Video
from yt8m.report.single_label import CLASSES, VIDEOS_PER_CLASS, single_label


def videos_of(*label_sets: list[int]) -> list[Video]:
    random = np.random.default_rng(0)
    return [
        replace(made.frame_video(random, str(index)), labels=np.array(labels, np.int32))
        for index, labels in enumerate(label_sets)
    ]


def test_videos_of_one_label():
    videos = videos_of([3], [1, 2], [1], [], [3], [3, 4], [0], [1])
    x, labels = single_label(videos, "audio")
    assert labels.tolist() == [1, 1, 3, 3, 0]
    np.testing.assert_array_equal(x, [videos[row].means()["audio"] for row in (2, 7, 0, 4, 6)])


def test_the_largest_classes_with_some_videos_each():
    sets = [[label] for label in range(CLASSES + 2) for _ in range(label + 1)]
    sets += [[CLASSES + 1]] * (VIDEOS_PER_CLASS + 5)
    _, labels = single_label(videos_of(*sets), "rgb")
    assert set(labels) == set(range(2, CLASSES + 2))
    assert np.sum(labels == CLASSES + 1) == VIDEOS_PER_CLASS
    assert np.sum(labels == 2) == 3


def test_none_has_one_label():
    for sets in ([], [[1, 2], []]):
        x, labels = single_label(iter(videos_of(*sets)), "rgb")
        assert len(x) == len(labels) == 0
        assert np.issubdtype(labels.dtype, np.integer)
