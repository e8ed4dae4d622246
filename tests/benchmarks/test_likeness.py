"""Figures of how like real videos simulated ones are, against loops and cases that are known."""

import numpy as np
import pytest

from benchmarks import likeness
from benchmarks.likeness import Means
from tests.pipeline import ROOT
from yt8m.core.quantization import quantize
from yt8m.core.schema import Level
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode
from yt8m.settings.loading import load
from yt8m.simulation.derive_statistics import REAL
from yt8m.simulation.simulator import STATISTICS


def test_shares_of_neighbours_against_a_loop():
    random = np.random.default_rng(0)
    x, hot = random.normal(size=(30, 5)), random.random((30, 4)) < 0.4
    centred = x - x.mean(0)
    found: dict[int, list[bool]] = {nth: [] for nth in likeness.NEIGHBOURS}
    for row in range(30):
        cosines = [
            float(centred[row] @ other / np.linalg.norm(other)) if index != row else -np.inf
            for index, other in enumerate(centred)
        ]
        order = sorted(range(30), key=lambda index: -cosines[index])
        for nth, shared in found.items():
            shared.append(bool((hot[row] & hot[order[nth - 1]]).any()))
    expected = [float(np.mean(shared)) for shared in found.values()]
    np.testing.assert_allclose(likeness.shares(x, hot), expected)


def test_ridge_ranks_what_is_linear_and_not_what_is_chance():
    random = np.random.default_rng(0)
    hot = np.eye(4, dtype=bool)[random.integers(4, size=400)]
    assert likeness.ridge(hot @ random.normal(size=(4, 8)) + 1, hot) == pytest.approx(1)
    assert likeness.ridge(random.normal(size=(400, 8)), hot) < 0.5


def test_variance_and_norm_of_known_directions():
    """Two directions of the first feature have all of the variance; the second feature does not count."""
    random = np.random.default_rng(0)
    x = np.zeros((300, 210), np.float32)
    x[:, :2], x[:, 205:] = random.normal(size=(300, 2)), random.normal(size=(300, 5))
    found = likeness.likeness(Means(x, np.ones((300, 2), bool)), 205)
    assert [found[f"variance in {n} directions"] for n in likeness.DIRECTIONS] == pytest.approx([1, 1, 1])
    assert found["norm"] == pytest.approx(np.linalg.norm(x[:, :2], axis=1).mean())
    assert (found["labels a video"], found["1. neighbour shares a label"]) == (2, 1)


def test_frames_that_change_halfway_correlate_less_the_further_they_lie_apart():
    random = np.random.default_rng(0)
    films = []
    for index in range(40):
        scenes = random.normal(size=(2, 16))
        frames = np.concatenate([np.repeat(scenes[:1], 6, 0), np.repeat(scenes[1:], 6, 0)])
        films.append(Video(str(index), np.array([0], np.int32), {"a": quantize(np.clip(frames, -2, 2))}))
    films.append(Video("short", np.array([0], np.int32), {"a": np.zeros((3, 16), np.uint8)}))
    found = list(likeness.within(films, "a").values())
    for lag, value in zip(likeness.LAGS, found, strict=True):
        same = max(0, 6 - lag) * 2 / (12 - lag)  # the share of pairs within one half
        assert value == pytest.approx(same, abs=0.12)
    assert likeness.within(films[-1:], "a") == {}


def test_fig_1_shows_videos_of_one_label_of_the_most_frequent_classes(monkeypatch):
    monkeypatch.setattr(likeness, "CLASSES", 2)
    monkeypatch.setattr(likeness, "VIDEOS", 3)
    hot = np.zeros((9, 4), bool)
    for row, labels in enumerate([[1], [2], [1, 2], [1], [3], [1], [2], [1], [0, 1]]):
        hot[row, labels] = True
    rows, classes = likeness.single_labelled(Means(np.zeros((9, 1)), hot))
    assert rows.tolist() == [0, 3, 5, 1, 6]
    assert classes.tolist() == [1, 1, 1, 2, 2]


def test_a_table_and_figures_of_both(tmp_path, capsys):
    """The real ones are simulated here, as if they had the real classes' numbers."""
    params = load(ROOT / "tests" / "params.yaml")
    classes = np.load(STATISTICS)["class_index"].astype(np.int32)
    random, made = np.random.default_rng(0), []
    for index in range(60):
        features = {
            name: random.integers(0, 256, (1, size), np.uint8).astype(np.float32)
            for name, size in REAL.features.items()
        }
        made.append(Video(str(index), np.sort(classes[[index % params.data.layout.classes]]), features))
    write_records(tmp_path / "real" / "a.tfrecord", (encode(video, Level.VIDEO, REAL) for video in made))
    words = ["--params", str(ROOT / "tests" / "params.yaml"), "--seeds", "3", "--figures", str(tmp_path)]
    likeness.main([str(tmp_path / "real"), *words])
    header = capsys.readouterr().out.splitlines()[0]
    assert [cell.strip() for cell in header.strip("|").split("|")] == ["", "real, sample 3", "simulated, seed 3"]
    for name in ("real", "simulated"):
        assert (tmp_path / f"likeness_{name}.png").read_bytes().startswith(b"\x89PNG")
