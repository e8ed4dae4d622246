"""`yt8m pack`: what is in the shards it writes, the same for the same videos, and what it refuses."""

import hashlib
import pickle
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.packing import made
from tests.pipeline import ROOT
from yt8m.cli import main
from yt8m.core.schema import Level, Schema
from yt8m.packing import splits
from yt8m.records.classes import read_class_names
from yt8m.records.videos import read_videos
from yt8m.settings.loading import load

VIDEOS = made.arrays(60)
NAMES = ["ant", "bee", "cat"]
SCHEMA = Schema(
    id_key="id",
    labels_key="labels",
    mean_prefix="mean_",
    features=made.SIZES,
    classes=3,
    max_frames=6,
    uneven_frames="refuse",
    missing_features="refuse",
    extractor=None,
)


def labels_of(id: str) -> list[int]:
    """One class, or two, or for each tenth video none."""
    number = int(id[1:])
    return [] if number % 10 == 9 else sorted({number % 3, number % 2})


def code(values: np.ndarray) -> np.ndarray:
    """The code whose published meaning is nearest."""
    meanings = np.arange(256) * 4 / 255 + 4 / 512 - 2
    return np.abs(values[..., None].astype(np.float64) - meanings).argmin(-1)


def packed(folder, level=Level.FRAME) -> dict:
    """The videos of each split by id."""
    found: dict = {}
    for path in sorted((folder / level).glob("*.tfrecord")):
        for video in read_videos(path, level, SCHEMA):
            found.setdefault(path.stem[:-4], {})[video.id] = video
    return found


def digests(folder) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def labels(tmp_path):
    """A table of all videos' classes by name."""
    lines = [f"{id},{';'.join(NAMES[index] for index in labels_of(id))}" for id in VIDEOS]
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["id,labels", *lines]) + "\n")
    return path


@pytest.fixture
def npz(tmp_path):
    """A folder of all videos."""
    return made.write_npz(tmp_path / "npz", VIDEOS)


@pytest.fixture
def pack(tmp_path):
    """A function that packs into a new folder and returns it."""

    def run(*words, name="out"):
        main(["pack", "--output", str(tmp_path / name), "--features", *map(str, words)])
        return tmp_path / name

    return run


def test_every_video_is_in_its_split_with_its_codes_and_labels(pack, npz, labels):
    out = pack(npz, "--labels", labels)
    found = packed(out)
    assert {id for videos in found.values() for id in videos} == set(VIDEOS)
    for split, videos in found.items():
        for id, video in videos.items():
            assert splits.split_of(id, (0.8, 0.1, 0.1)) == split
            assert video.labels.tolist() == labels_of(id)
            for name, values in VIDEOS[id].items():
                assert np.array_equal(video.features[name], code(values))
    assert read_class_names(out / "classes.csv", 3) == NAMES
    assert sorted(path.name for path in out.iterdir()) == ["classes.csv", "frame"]


def test_wherever_the_same_videos_come_from_the_bytes_are_the_same(pack, npz, labels, tmp_path, monkeypatch):
    monkeypatch.setattr(splits, "VIDEOS", 10)
    backwards = dict(reversed(VIDEOS.items()))
    folders = [f"{name}={made.write_npy(tmp_path / name, backwards, name)}" for name in made.SIZES]
    table = made.write_parquet(tmp_path / "t.parquet", backwards, pa.list_(pa.list_(pa.float64())))
    first = digests(pack(npz, "--labels", labels))
    assert len(first) > 6
    lines = labels.read_text().splitlines()
    labels.write_text("\n".join([lines[0], *lines[:0:-1]]))
    assert digests(pack(*folders, "--labels", labels, name="folders")) == first
    assert digests(pack(table, "--labels", labels, name="table")) == first


@pytest.mark.parametrize("table", [True, False])
def test_other_processes_write_the_same(pack, npz, labels, tmp_path, monkeypatch, table):
    @contextmanager
    def elsewhere(address, processes):
        def spread(function, calls):
            for call in calls:
                function, arguments = pickle.loads(pickle.dumps((function, call)))
                yield pickle.loads(pickle.dumps(function(*arguments)))

        yield spread

    source = made.write_parquet(tmp_path / "t.parquet", VIDEOS) if table else npz
    here = digests(pack(source, "--labels", labels))
    monkeypatch.setattr("yt8m.packing.pack.workers", elsewhere)
    assert digests(pack(source, "--labels", labels, name="elsewhere")) == here


def test_videos_of_one_vector(pack, labels, tmp_path, capsys):
    videos = made.arrays(60, frames=0)
    out = pack(made.write_npz(tmp_path / "npz", videos), "--labels", labels)
    for split in packed(out, Level.VIDEO).values():
        for id, video in split.items():
            for name, values in videos[id].items():
                assert np.array_equal(video.features[name], values[None])
    assert "video level, rgb 5, audio 3\n" in capsys.readouterr().out


@pytest.mark.parametrize("frames", [None, 0])
def test_the_parameters_are_a_projects(pack, labels, tmp_path, frames, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params").symlink_to(ROOT / "params")
    out = pack(made.write_npz(tmp_path / "npz", made.arrays(60, frames)), "--labels", labels, "--params-out", "p.yaml")
    params = load("p.yaml")
    assert params.data.layout == (SCHEMA if frames is None else SCHEMA.model_copy(update={"max_frames": 1}))
    assert params.data.layout.primary == "rgb"  # the larger one
    assert params.data.source == "out"  # from the project's folder
    level = Level.FRAME if frames is None else Level.VIDEO
    assert sorted((tmp_path / "out").glob(params.data.globs[level] or "")) == sorted((out / level).iterdir())


def test_a_source_out_of_the_project_is_absolute(pack, npz, labels, tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    Path("params").symlink_to(ROOT / "params")
    out = pack(npz, "--labels", labels, "--params-out", "p.yaml")
    assert load("p.yaml").data.source == str(out)


def test_a_column_says_the_split(pack, npz, tmp_path):
    split = {id: splits.SPLITS[index % 3] for index, id in enumerate(VIDEOS)}
    path = tmp_path / "l.csv"
    path.write_text(
        "\n".join(["id,labels,part", *(f"{id},{index % 2},{split[id]}" for index, id in enumerate(VIDEOS))])
    )
    found = packed(pack(npz, "--labels", path, "--split-column", "part"))
    assert {id: name for name, videos in found.items() for id in videos} == split


def test_without_labels_all_is_for_test(pack, npz, capsys):
    out = pack(npz)
    assert list(packed(out)) == ["test"]
    assert all(len(video.labels) == 0 for video in packed(out)["test"].values())
    assert capsys.readouterr().out.startswith(f"{out}: 60 videos (0 train, 0 validate, 60 test), frame level")
    assert sorted(path.name for path in out.iterdir()) == ["frame"]


def test_what_is_left_out_is_counted(pack, labels, tmp_path, capsys):
    made.write_npy(tmp_path / "rgb", VIDEOS, "rgb")
    made.write_npy(tmp_path / "audio", dict(list(VIDEOS.items())[:57]), "audio")
    lines = labels.read_text().splitlines()
    labels.write_text("\n".join([*lines[:51], "x1,ant", "x2,ant"]))
    sources = (f"audio={tmp_path}/audio", f"rgb={tmp_path}/rgb")
    out = pack(*sources, "--labels", labels, "--skip-incomplete", "--max-frames", "4")
    found = [video for videos in packed(out).values() for video in videos.values()]
    cut = sum(len(values["rgb"]) > 4 for values in list(VIDEOS.values())[:50])
    assert len(found) == 50
    assert max(video.frames for video in found) == 4
    assert np.array_equal(found[0].features["rgb"], code(VIDEOS[found[0].id]["rgb"][:4]))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "3 classes (ant, bee, cat)",
        "5 videos without a label",
        "7 videos left out that the labels do not name",
        "3 videos left out that lack a feature",
        "2 videos of the labels that have no features",
        f"{cut} videos cut to --max-frames",
    ]


def test_values_outside_of_the_code(pack, fails, tmp_path, capsys):
    videos = {id: {"rgb": values["rgb"] * 10} for id, values in VIDEOS.items()}
    folder = made.write_npy(tmp_path / "x", videos, "rgb")
    everything = np.concatenate([values["rgb"] for values in videos.values()])
    largest = np.abs(everything).max()
    scale = np.floor(200 / largest) / 100
    line = fails("pack", "--features", f"rgb={folder}", "--output", tmp_path / "out")
    assert line == (
        f"yt8m: rgb: expected values from -2 to 2, which 8-bit codes stand for, received {everything.min():.4g} to "
        f"{everything.max():.4g}, {np.mean((everything < -2) | (everything > 2.0157)):.2%} of them outside: "
        f"give --scale rgb={scale:g}, say"
    )
    assert not (tmp_path / "out").exists()
    out = pack(f"rgb={folder}", "--scale", f"rgb={scale:g}")
    (video, *_) = read_videos(
        out / "frame" / "test0000.tfrecord", Level.FRAME, SCHEMA.model_copy(update={"features": {"rgb": 5}})
    )
    assert np.array_equal(video.features["rgb"], code(videos[video.id]["rgb"].astype(np.float64) * scale))
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_few_values_outside_are_cut_off_and_told(pack, tmp_path, capsys):
    values = np.random.default_rng(0).uniform(-1, 1, (500, 4))
    values[3, 2] = 7
    np.save(tmp_path / "v.npy", values)
    out = pack(f"rgb={tmp_path / 'v.npy'}")
    assert capsys.readouterr().out.splitlines()[1] == (
        f"rgb: 1 of 2000 values were outside of -2 to 2 and cut off: values are from {values.min():.4g} to 7"
    )
    assert (out / "frame" / "test0000.tfrecord").is_file()


def test_values_that_take_few_codes_are_told(pack, tmp_path, capsys):
    np.save(tmp_path / "v.npy", np.random.default_rng(0).uniform(-0.1, 0.1, (50, 4)))
    pack(f"rgb={tmp_path / 'v.npy'}")
    line = capsys.readouterr().out.splitlines()[1]
    assert line.startswith("rgb: 8-bit codes are coarse for values from -0.0")
    assert line.endswith("steps: give --scale rgb=20, say")


@pytest.fixture
def broken(tmp_path):
    """A function from a broken video's arrays to a folder with it among others."""

    def write(**values):
        return made.write_npz(tmp_path / "broken", VIDEOS | {"v030": VIDEOS["v030"] | values})

    return write


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"rgb": np.full((2, 5), np.nan)}, "v030.npz: array 'rgb': expected finite numbers"),
        ({"rgb": np.zeros((2, 6))}, "v030.npz: array 'rgb': expected an array of shape (frames, 5)"),
        ({"rgb": np.zeros((9, 5))}, "v030.npz: array 'rgb': expected as many frames in each of a video's features"),
    ],
)
def test_a_broken_video_is_named_and_nothing_written(fails, broken, tmp_path, values, expected):
    assert f"{tmp_path}/broken/{expected}" in fails(
        "pack", "--features", broken(**values), "--output", tmp_path / "out"
    )
    assert not list(tmp_path.glob("out*"))


def test_no_video_of_the_labels(fails, npz, tmp_path):
    (tmp_path / "l.csv").write_text("id,labels\na.mp4,1\n")
    line = fails("pack", "--features", npz, "--labels", tmp_path / "l.csv", "--output", tmp_path / "out")
    assert line == "yt8m: labels: expected ids as features have them (v000, v001, v002, …), received others (a.mp4, …)"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--split", "8", "1", "1"], "--split: expected shares that add up to 1, received 8.0 1.0 1.0"),
        (["--split", "1", "0", "0", "--params-out", "p.yaml"], "expected labelled videos in all splits"),
        (["--scale", "bgr=2"], "--scale: expected features of ['audio', 'rgb'], received ['bgr']"),
        (["--split-column", "part"], "expected a column 'part'"),
        (["--params-out", "."], "expected the path of a file to write"),
    ],
)
def test_options_that_are_not_as_expected(fails, npz, labels, tmp_path, options, expected):
    out = tmp_path / "out"
    assert expected in fails("pack", "--features", npz, "--labels", labels, "--output", out, *options)
    assert not list(tmp_path.glob("out*"))


def test_options_that_need_labels(fails, npz, tmp_path):
    line = fails("pack", "--features", npz, "--output", tmp_path / "out", "--params-out", tmp_path / "p.yaml")
    assert "expected --labels with them" in line


def test_a_folder_that_is_there_stays(fails, npz, tmp_path):
    before = digests(npz)
    assert "expected a new folder" in fails("pack", "--features", npz, "--output", npz)
    assert digests(npz) == before
