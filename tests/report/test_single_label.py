from dataclasses import replace

import numpy as np

from tests.records import made
from yt8m.records.videos import Video
from yt8m.report.single_label import CLASSES, VIDEOS_PER_CLASS, SingleLabel


def videos_of(*label_sets: list[int], id: str = "{}") -> list[Video]:
    random = np.random.default_rng(0)
    return [
        replace(made.frame_video(random, id.format(index)), labels=np.array(labels, np.int32))
        for index, labels in enumerate(label_sets)
    ]


def test_videos_of_one_label():
    videos = videos_of([3], [1, 2], [1], [], [3], [3, 4], [0], [1])
    shown = SingleLabel.of(videos, "audio")
    assert shown.classes.tolist() == [1, 1, 3, 3, 0]
    assert not shown.synthetic.any()
    np.testing.assert_array_equal(shown.features, [videos[row].means()["audio"] for row in (2, 7, 0, 4, 6)])


def test_the_largest_classes_with_some_videos_each():
    sets = [[label] for label in range(CLASSES + 2) for _ in range(label + 1)]
    sets += [[CLASSES + 1]] * (VIDEOS_PER_CLASS + 5)
    shown = SingleLabel.of(videos_of(*sets), "rgb")
    assert set(shown.classes) == set(range(2, CLASSES + 2))
    assert np.sum(shown.classes == CLASSES + 1) == VIDEOS_PER_CLASS
    assert np.sum(shown.classes == 2) == 3


def test_synthetic_videos_are_told_by_their_ids_and_make_no_class_large():
    sets = [[0]] * (VIDEOS_PER_CLASS + 5)
    synthetic = [video for id in ("{}~int~7", "{}~ext~7", "{}~noise") for video in videos_of([0], [1], id=id)]
    shown = SingleLabel.of([*videos_of(*sets, [2], [2]), *synthetic], "rgb")
    kinds = list(zip(shown.classes.tolist(), shown.synthetic.tolist(), strict=True))
    assert kinds == [(0, False)] * VIDEOS_PER_CLASS + [(0, True)] * 3 + [(2, False)] * 2 + [(1, True)] * 3


def test_none_has_one_label():
    for sets in ([], [[1, 2], []]):
        shown = SingleLabel.of(iter(videos_of(*sets)), "rgb")
        assert len(shown.features) == len(shown.classes) == len(shown.synthetic) == 0
        assert np.issubdtype(shown.classes.dtype, np.integer)
