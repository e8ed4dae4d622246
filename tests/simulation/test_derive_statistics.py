import gzip

import numpy as np

from yt8m.core.schema import Level
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode
from yt8m.simulation.derive_statistics import REAL, STEP, class_effects, coded, means_and_labels, most_frequent


def test_most_frequent(tmp_path):
    lines = ["7 30", "30", "30 7 3861", "30", "7", "5", "3861 7", "30"]
    with gzip.open(tmp_path / "sets.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    assert most_frequent(tmp_path / "sets.gz", 2).tolist() == [30, 7]


def test_videos_of_none_of_the_classes_are_left_out(tmp_path):
    random, labels = np.random.default_rng(0), [[7, 9], [8], [30], [7, 30]]
    means = random.normal(size=(len(labels), REAL.width)).astype(np.float32)
    videos = [
        Video(str(index), np.array(of), {"rgb": mean[None, :1024], "audio": mean[None, 1024:]})
        for index, (of, mean) in enumerate(zip(labels, means, strict=True))
    ]
    write_records(tmp_path / "a.tfrecord", [encode(video, Level.VIDEO, REAL) for video in videos])
    found, hot = means_and_labels(tmp_path, np.array([30, 7]))
    np.testing.assert_array_equal(found, means[[0, 2, 3]])
    assert hot.tolist() == [[False, True], [True, False], [True, True]]


def test_class_effects():
    """Known effects of two classes come back."""
    random = np.random.default_rng(0)
    effects, hot = random.normal(size=(2, 20)), random.random((3000, 2)) < 0.5
    means = 3 + hot @ effects + 0.3 * random.normal(size=(3000, 20))
    np.testing.assert_allclose(class_effects(means, hot), effects, atol=0.05)


def test_codes_and_what_they_leave():
    """Two directions hold nearly all; each second video is kept."""
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(20, 20)))[0]
    deviations = np.array([5.0, 2.0, *[0.1] * 18])
    means = 3 + (random.normal(size=(4000, 20)) * deviations) @ basis
    found = coded(means, 2000, 2)
    assert (found["codes"].shape, found["codes"].dtype) == ((2000, 2), np.int8)
    np.testing.assert_allclose(found["centre"], means.mean(0))
    np.testing.assert_allclose(np.linalg.norm(found["directions"], axis=1), STEP * deviations[:2], rtol=0.1)
    left = means[::2] - found["centre"] - found["codes"] @ found["directions"]
    steps = left @ basis[:2].T  # what the codes round off
    assert np.abs(steps).max() < STEP * 5
    np.testing.assert_allclose(np.linalg.norm(left @ basis[2:].T, axis=1), found["strays"], rtol=0.01, atol=0.01)
    np.testing.assert_allclose((found["rest"] ** 2).sum(), 18 * 0.1**2, rtol=0.05)
