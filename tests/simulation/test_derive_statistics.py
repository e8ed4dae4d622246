import gzip

import numpy as np

from yt8m.core.schema import Level
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode
from yt8m.simulation.derive_statistics import REAL, feature_statistics, label_sets


def test_label_sets(tmp_path):
    """Classes by falling frequency; sets in their numbers, without those that hold none of them."""
    lines = ["7 30", "30", "30 7 3861", "30", "7", "5", "3861 7"]
    with gzip.open(tmp_path / "sets.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    kept, sets = label_sets(tmp_path / "sets.gz", 2)
    assert sorted(kept.tolist()) == [7, 30]
    assert [sorted(kept[labels].tolist()) for labels in sets] == [[7, 30], [30], [7, 30], [30], [7], [7]]


def test_feature_statistics(tmp_path):
    """Known effects of two classes, a background and one direction of style come back."""
    random = np.random.default_rng(0)
    background, direction = random.normal(size=REAL.width), random.normal(size=REAL.width)
    effects = random.normal(size=(2, REAL.width))
    kept = np.array([30, 7])
    records = []
    for index in range(1500):
        hot = random.random(2) < 0.5
        x = background + hot @ effects + 0.5 * random.normal() * direction + 0.1 * random.normal(size=REAL.width)
        rows = np.split(x[None].astype(np.float32), [REAL.features["rgb"]], axis=1)
        video = Video(str(index), np.sort(kept[hot]), dict(zip(REAL.features, rows, strict=True)))
        records.append(encode(video, Level.VIDEO, REAL))
    write_records(tmp_path / "validate0000.tfrecord", records)
    found = feature_statistics(tmp_path, kept)
    np.testing.assert_allclose(found["background"], background, atol=0.2)
    np.testing.assert_allclose(found["effects"], effects, atol=0.25)
    style = found["style"][np.argmax(np.linalg.norm(found["style"], axis=1))]
    cosine = style @ direction / np.linalg.norm(style) / np.linalg.norm(direction)
    assert abs(cosine) > 0.99
    np.testing.assert_allclose(np.linalg.norm(style), 0.5 * np.linalg.norm(direction), rtol=0.1)
    assert 0.07 < found["rest"].mean() < 0.1
