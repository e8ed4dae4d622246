from pathlib import Path

import numpy as np
import pytest

from tests.records.made import same
from yt8m.core.errors import InputError
from yt8m.core.quantization import dequantize
from yt8m.core.schema import Level, Schema
from yt8m.records.classes import read_class_names
from yt8m.records.videos import read_videos
from yt8m.simulation.simulator import Simulator, simulate


def schema_of(classes: int = 10, max_frames: int = 25, **features: int) -> Schema:
    return Schema(
        id_key="id",
        labels_key="labels",
        mean_prefix="mean_",
        features=features or {"rgb": 8, "audio": 4},
        classes=classes,
        max_frames=max_frames,
        uneven_frames="refuse",
        missing_features="refuse",
        extractor=None,
    )


@pytest.fixture(scope="module")
def small() -> Simulator:
    return Simulator(schema_of(), frame_divisor=12, seed=0)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_written_files(tmp_path, small):
    assert simulate(small, {"train": 2, "test": 1}, 5, tmp_path) == 15
    names = [f"{level}/{name}.tfrecord" for level in Level for name in ("train0000", "train0001", "test0000")]
    assert set(files(tmp_path)) == {*names, "classes.csv"}
    table = read_class_names(tmp_path / "classes.csv", 10)
    assert table == small.statistics["class_names"].tolist()
    assert len(set(table)) == 10


def test_seed_decides_all(tmp_path, small):
    for folder, seed in (("first", 0), ("again", 0), ("other", 1)):
        simulate(Simulator(small.schema, 12, seed), {"train": 1}, 5, tmp_path / folder)
    first, again, other = (files(tmp_path / folder) for folder in ("first", "again", "other"))
    assert first == again
    assert all(first[name] != other[name] for name in first if name.endswith("tfrecord"))


def test_a_shard_depends_on_its_name_and_place_alone(small):
    one, again, other = (list(small.shard(*of, 8)) for of in (("train0000", 0), ("train0000", 0), ("train0001", 8)))
    assert all(map(same, one, again))
    assert all(map(same, one, small.shard("train0000", 0, 3)))
    assert not any(np.array_equal(a.features["rgb"], b.features["rgb"]) for a, b in zip(one, other, strict=True))
    assert len({video.id for video in one + other}) == 16


def test_no_real_video_comes_twice(tmp_path):
    """Or a test video's mean might be a training video's."""
    simulator = Simulator(schema_of(classes=1), 12, 0)
    order = simulator.order
    assert len(set(order.tolist())) == len(order) > 1000
    assert simulator.statistics["hot"][order].any(axis=1).all()
    assert order.tolist() != Simulator(simulator.schema, 12, 1).order.tolist()
    object.__setattr__(simulator, "order", order[:40])
    with pytest.raises(InputError, match=r"expected at most 40 videos in all.* at shard test0001"):
        simulate(simulator, {"train": 1, "test": 2}, 15, tmp_path)


@pytest.mark.parametrize(
    "schema",
    [
        schema_of(),
        schema_of(classes=1),
        schema_of(classes=3, max_frames=4),
        schema_of(rgb=16),
        schema_of(classes=100, rgb=1024, audio=128),
    ],
    ids=["small", "one class", "few frames", "one feature", "full"],
)
def test_videos_fit_the_schema(schema):
    simulator = Simulator(schema, frame_divisor=12, seed=3)
    for video in simulator.shard("train0000", 0, 40):
        assert 1 <= video.frames <= schema.max_frames
        assert 0 < len(video.labels) == len(set(video.labels.tolist()))
        assert video.labels.tolist() == sorted(video.labels)
        assert video.labels.min() >= 0
        assert video.labels.max() < schema.classes
        assert {name: rows.shape for name, rows in video.features.items()} == {
            name: (video.frames, size) for name, size in schema.features.items()
        }
        assert all(rows.dtype == np.uint8 for rows in video.features.values())


@pytest.mark.parametrize("divisor", [1.0, 12.0, 300.0])
def test_frame_divisor(divisor):
    """Real frame counts reach 301; many are 300, few 301; the 5 % quantile is 129."""
    simulator = Simulator(schema_of(max_frames=1000), divisor, seed=0)
    lengths = [video.frames for video in simulator.shard("train0000", 0, 300)]
    assert np.ceil(300 / divisor) <= max(lengths) <= np.ceil(301 / divisor)
    assert np.mean(np.array(lengths) <= np.ceil(300 / divisor)) > 0.95
    assert 1 <= min(lengths) <= np.ceil(129 / divisor)


def test_published_means_are_those_of_frames(tmp_path, small):
    simulate(small, {"validate": 1}, 20, tmp_path)
    frames, means = (
        list(read_videos(tmp_path / level / "validate0000.tfrecord", level, small.schema)) for level in Level
    )
    assert [video.id for video in frames] == [video.id for video in means]
    for video, mean in zip(frames, means, strict=True):
        assert video.labels.tolist() == mean.labels.tolist()
        for name, rows in video.features.items():
            expected = (rows.astype(float) * 4 / 255 + 4 / 512 - 2).mean(0)
            np.testing.assert_allclose(mean.features[name][0], expected, atol=1e-6)


def test_classes_show_in_features(small):
    """Videos of a class are nearer to its own mean than to that of others, more often than by chance."""
    videos = [video for video in small.shard("train0000", 0, 600) if len(video.labels) == 1]
    labels = np.array([video.labels[0] for video in videos])
    x = np.array([video.means()["rgb"] for video in videos])
    common = np.argsort(-np.bincount(labels))[:2]
    x, labels = x[np.isin(labels, common)], labels[np.isin(labels, common)]
    half = len(x) // 2
    centres = [x[:half][labels[:half] == label].mean(0) for label in common]
    nearest = common[np.argmin([np.linalg.norm(x[half:] - centre, axis=1) for centre in centres], axis=0)]
    share = np.mean([np.mean(nearest[labels[half:] == label] == label) for label in common])
    assert share > 0.6


def test_it_knows_which_frames_show_a_label():
    """Those that show it lie further along its effect than others of the video."""
    simulator = Simulator(schema_of(rgb=64, audio=16), 12, 0)
    effects, further = simulator.statistics["effects"], []
    for index in range(200):
        video, shows = simulator.video(str(index), index)
        assert (shows.shape, shows.dtype) == ((video.frames, len(video.labels)), bool)
        x = np.concatenate(list(video.features.values()), axis=1) * 4 / 255
        for label, shown in zip(video.labels, shows.T, strict=True):
            if 0 < shown.sum() < len(shown):
                further.append((x[shown].mean(0) - x[~shown].mean(0)) @ effects[label] > 0)
    assert np.mean(further) > 0.8


def test_a_videos_mean_is_the_real_ones():
    """In the directions that are kept of it; across them it is as long as the real one."""
    simulator = Simulator(schema_of(classes=100, max_frames=300, rgb=1024, audio=128), 1, 0)
    statistics = simulator.statistics
    directions = statistics["directions"]
    lengths = np.linalg.norm(directions, axis=1)
    np.testing.assert_allclose(directions @ directions.T / np.outer(lengths, lengths), np.eye(len(lengths)), atol=0.01)
    for place in range(5):
        real = simulator.order[place]
        video, _ = simulator.video("v", place)
        assert video.labels.tolist() == np.flatnonzero(statistics["hot"][real]).tolist()
        away = np.concatenate(list(video.means().values())) - statistics["centre"]
        along = directions @ away / lengths**2
        # Bytes of few frames round, and what the code's range cuts off moves other frames.
        np.testing.assert_allclose(along, statistics["codes"][real], atol=0.5)
        rest = away - along @ directions
        assert np.linalg.norm(rest) == pytest.approx(statistics["strays"][real], rel=0.05)


def test_frames_correlate_as_those_of_real_sound_do():
    """AudioSet's, 0.51 and 0.34 one and nine seconds apart (`python -m benchmarks.likeness`)."""
    simulator = Simulator(schema_of(classes=100, max_frames=300, rgb=1024, audio=128), 12, 0)
    videos = [simulator.video(str(place), place)[0] for place in range(200)]
    frames = [dequantize(video.features["audio"]) for video in videos if video.frames > 9]
    centre = np.mean([rows.mean(0) for rows in frames], axis=0)
    total = np.mean([((rows - centre) ** 2).mean() for rows in frames])
    for lag, expected in ((1, 0.51), (9, 0.34)):
        products = [((rows[lag:] - centre) * (rows[:-lag] - centre)).mean() for rows in frames]
        assert np.mean(products) / total == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("schema", "match"),
    [
        (schema_of(classes=101), r"data\.schema\.classes: the simulator has 100 classes, received 101"),
        (
            schema_of(rgb=1025),
            r"data\.schema\.features: the simulator has sizes up to \[1024, 128\], received \[1025\]",
        ),
        (schema_of(rgb=8, audio=129), r"data\.schema\.features: .* received \[8, 129\]"),
        (schema_of(rgb=8, audio=8, flow=8), r"data\.schema\.features: .* received \[8, 8, 8\]"),
    ],
)
def test_too_large_schemas_are_refused(schema, match):
    with pytest.raises(InputError, match=match):
        Simulator(schema, 12, 0)
