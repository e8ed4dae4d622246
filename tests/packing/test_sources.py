"""Folders and tables give the same values, wherever they come from, and say what is wrong with them."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.packing import made
from yt8m.core.errors import InputError
from yt8m.packing.sources import complete, open_sources

VIDEOS = made.arrays(20)


@pytest.fixture
def opened(tmp_path):
    """A function from sources to their features."""
    (tmp_path / "work").mkdir()
    return lambda *sources: open_sources([str(source) for source in sources], tmp_path / "work")


def refused(opened, *sources) -> str:
    def read():
        for feature in opened(*sources).values():
            for id in feature.places:
                feature.read(id)

    with pytest.raises(InputError) as refusal:
        read()
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def check(features, videos, order=tuple(made.SIZES)):
    assert list(features) == list(order)
    for name, feature in features.items():
        assert sorted(feature.places) == sorted(videos)
        for id, values in videos.items():
            assert np.array_equal(feature.read(id), values[name])
            assert np.array_equal(feature.of([id]).read(id), values[name])


def test_a_folder_for_each_feature(opened, tmp_path):
    rgb, audio = (made.write_npy(tmp_path / f"the {name}", VIDEOS, name) for name in ("rgb", "audio"))
    check(opened(f"rgb={rgb}", f"audio={audio}"), VIDEOS, ("rgb", "audio"))


def test_a_folder_without_a_name(opened, tmp_path):
    made.write_npy(tmp_path / "a=b", VIDEOS, "rgb")  # is a path, not a name
    features = opened(tmp_path / "a=b")
    assert list(features) == ["features"]
    assert np.array_equal(features["features"].read("v003"), VIDEOS["v003"]["rgb"])


def test_a_folder_of_npz(opened, tmp_path):
    check(opened(made.write_npz(tmp_path / "both", VIDEOS)), VIDEOS)


FRAMES = [pa.list_(pa.list_(pa.float32())), pa.large_list(pa.list_(pa.float64()))]


@pytest.mark.parametrize("kind", FRAMES)
def test_a_table_of_frames(opened, tmp_path, kind):
    check(opened(made.write_parquet(tmp_path / "t.parquet", VIDEOS, kind)), VIDEOS)


def test_frames_of_fixed_size(opened, tmp_path):
    columns = {
        name: pa.array([v[name].tolist() for v in VIDEOS.values()], pa.list_(pa.list_(pa.float32(), size)))
        for name, size in made.SIZES.items()
    }
    pq.write_table(
        pa.table({"tags": [["x"]] * 20, **columns, "title": ["x"] * 20, "Video_ID": list(VIDEOS)}),
        tmp_path / "t.parquet",
    )
    check(opened(tmp_path / "t.parquet"), VIDEOS)


@pytest.mark.parametrize("fixed", [True, False])
def test_a_table_of_videos_in_two_files(opened, tmp_path, fixed):
    videos = made.arrays(9, frames=0)
    for part, ids in (("a", list(videos)[:4]), ("b/c", list(videos)[4:])):
        columns = {
            name: pa.array([videos[id][name].tolist() for id in ids], pa.list_(pa.float32(), size if fixed else -1))
            for name, size in made.SIZES.items()
        }
        (tmp_path / "t" / part).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"id": ids, **columns}), tmp_path / "t" / f"{part}.parquet")
    check(opened(tmp_path / "t"), videos)


def test_folder_and_table_together(opened, tmp_path):
    table = pa.table({"id": list(VIDEOS), "rgb": [v["rgb"].tolist() for v in VIDEOS.values()]})
    pq.write_table(table, tmp_path / "t.parquet")
    features = opened(tmp_path / "t.parquet", f"audio={made.write_npy(tmp_path / 'audio', VIDEOS, 'audio')}")
    assert list(features) == ["rgb", "audio"]


def test_links_are_followed_also_in_circles_and_hidden_files_left_out(opened, tmp_path):
    made.write_npy(tmp_path / "elsewhere", VIDEOS, "rgb")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "0" / "back").symlink_to(folder)
    (folder / "._v000.npy").write_bytes(b"")
    assert sorted(opened(folder)["features"].places) == sorted(VIDEOS)


def test_what_is_missing_is_counted_and_named_or_left_out(opened, tmp_path):
    fewer = {id: values for id, values in VIDEOS.items() if id not in ("v001", "v004", "v005", "v009")}
    features = opened(
        f"rgb={made.write_npy(tmp_path / 'rgb', VIDEOS, 'rgb')}",
        f"audio={made.write_npy(tmp_path / 'audio', fewer, 'audio')}",
    )
    with pytest.raises(InputError, match=re.escape("'audio' is missing for 4 (v001, v004, v005, …)")):
        complete(features, skip=False)
    assert complete(features, skip=True) == (sorted(fewer), 4)


def test_no_video_has_all(opened, tmp_path):
    np.savez(made.write_npz(tmp_path / "x", {}) / "a.npz", rgb=np.zeros((1, 1)))
    np.savez(tmp_path / "x" / "b.npz", audio=np.zeros((1, 1)))
    features = opened(tmp_path / "x")
    with pytest.raises(InputError, match=re.escape("videos that have all of ['audio', 'rgb'], received none of 2")):
        complete(features, skip=True)


def test_a_table_lacks_what_is_null(opened, tmp_path):
    table = {"id": ["a", "b"], "rgb": [[[1.0]], None], "audio": [[[1.0]], [[2.0]]]}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    assert complete(opened(tmp_path / "t.parquet"), skip=True) == (["a"], 1)


def test_nothing_there(opened, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "found no file or folder" in refused(opened, tmp_path / "none")
    assert "received none" in refused(opened, tmp_path / "empty")


def test_files_of_two_kinds(opened, tmp_path):
    made.write_npy(tmp_path / "x", VIDEOS, "rgb")
    made.write_npz(tmp_path / "x", VIDEOS)
    assert "received 20 .npy and 20 .npz" in refused(opened, tmp_path / "x")


def test_an_id_twice(opened, tmp_path):
    made.write_npy(tmp_path / "x", VIDEOS, "rgb")
    np.save(tmp_path / "x" / "v003.npy", np.zeros((1, 5)))
    assert f"'v003' again, which {tmp_path}/x/1/v003.npy is" in refused(opened, tmp_path / "x")
    pq.write_table(pa.table({"id": ["a", "b", "a"], "rgb": [[1.0]] * 3}), tmp_path / "t.parquet")
    assert "each once, received 2 (a, a)" in refused(opened, tmp_path / "t.parquet")


def test_a_feature_twice(opened, tmp_path):
    folder = made.write_npy(tmp_path / "x", VIDEOS, "rgb")
    assert "received 'features' again" in refused(opened, folder, folder)


def test_a_name_for_what_has_names(opened, tmp_path):
    assert "names its own features" in refused(opened, f"rgb={made.write_npz(tmp_path / 'x', VIDEOS)}")


@pytest.mark.parametrize("ending", [".npy", ".npz", ".parquet"])
@pytest.mark.parametrize("content", [b"", b"not an array", b"\x93NUMPY\x01\x00garbage", b"PK\x03\x04garbage"])
def test_damaged_files_are_named(opened, tmp_path, ending, content):
    path = tmp_path / "x" / f"v{ending}"
    path.parent.mkdir()
    path.write_bytes(content)
    assert str(path) in refused(opened, path.parent)


@pytest.mark.parametrize("write", [made.write_npz, lambda folder, videos: made.write_npy(folder, videos, "rgb")])
def test_truncated_files_are_named(opened, tmp_path, write):
    folder = write(tmp_path / "x", VIDEOS)
    path = next(path for path in folder.rglob("v000.*"))
    path.write_bytes(path.read_bytes()[:-9])
    assert str(path) in refused(opened, folder)


def test_damage_within_a_table_is_named(opened, tmp_path):
    path = made.write_parquet(tmp_path / "t.parquet", VIDEOS)
    content = bytearray(path.read_bytes())
    for start in range(len(content) // 2):  # the footer stays as it is
        content[start] ^= 0x55
    path.write_bytes(content)
    assert f"{path}: expected a Parquet table, received a damaged one" in refused(opened, path)


def test_pickles_are_not_opened(opened, tmp_path):
    (tmp_path / "x").mkdir()
    np.save(tmp_path / "x" / "v.npy", np.array([{"a": 1}]), allow_pickle=True)
    assert "expected an array of numbers" in refused(opened, tmp_path / "x")


def test_a_table_without_what_is_needed(opened, tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": ["a"], "size": [1.0], "tags": [["x"]]}), path)
    assert "expected columns of lists of floats beside 'id'" in refused(opened, path)
    pq.write_table(pa.table({"name": ["a"], "rgb": [[1.0]]}), path)
    assert "expected one column called id or videoid, received ['name', 'rgb']" in refused(opened, path)
    pq.write_table(pa.table({"id": ["a", None], "rgb": [[1.0], [1.0]]}), path)
    assert "an id for each row" in refused(opened, path)


def test_frames_of_two_sizes(opened, tmp_path):
    pq.write_table(pa.table({"id": ["a"], "rgb": [[[1.0, 2.0], [1.0]]]}), tmp_path / "t.parquet")
    assert f"{tmp_path}/t.parquet: column 'rgb' of 'a': expected frames of one size, received [1, 2]" == refused(
        opened, tmp_path / "t.parquet"
    )


def test_files_of_a_table_that_differ(opened, tmp_path):
    for name, type in (("a", pa.float32()), ("b", pa.float64())):
        pq.write_table(pa.table({"id": [name], "rgb": pa.array([[1.0]], pa.list_(type))}), tmp_path / f"{name}.parquet")
    assert "b.parquet: expected the columns and types" in refused(opened, tmp_path)


def test_reading_a_table_holds_a_batch(opened, tmp_path):
    """Arrow's memory does not grow with the table: what is unpacked lies in a file that is mapped."""
    values = pa.array([np.zeros((50, 256), np.float32).ravel()] * 640, pa.list_(pa.float32()))
    ids = [f"v{index}" for index in range(640)]
    pq.write_table(pa.table({"id": ids, "rgb": values}), tmp_path / "t.parquet", row_group_size=64)
    del values
    before, path = pa.total_allocated_bytes(), Path(tmp_path / "t.parquet")
    feature = opened(path)["rgb"]
    for id in ids:
        feature.read(id)
    assert pa.total_allocated_bytes() - before < 64 * 50 * 256 * 4
