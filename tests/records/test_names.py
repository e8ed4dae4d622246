"""Which files are shards, what they are called, and what patterns find."""

from pathlib import Path

import pytest

from yt8m.records.names import below, inside, is_shard, matches, name_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("frame/train0000.tfrecord", "train0000"),
        ("bal_train/00.tfrecord", "00"),
        ("a.tfrecords", "a"),
        ("a.tfrec", "a"),
        ("a.b.tfrecord", "a.b"),
        ("a.tfrecord.gz", "a"),
        ("a.tfrecord.zlib", "a"),
        ("mine-train.tfrecord-00000-of-00002", "mine-train-00000-of-00002"),
        ("mine-train-00000-of-00002", "mine-train-00000-of-00002"),
        ("mine-train-00000-of-00002.tfrecord", "mine-train-00000-of-00002"),
        ("mine-train.tfrecord-00000-of-00002.gz", "mine-train-00000-of-00002"),
        ("v1.2-train.tfrecord-00000-of-01024", "v1.2-train-00000-of-01024"),
        ("mine@2.tfrecord-000-of-128", "mine@2-000-of-128"),
    ],
)
def test_names_as_writers_make_them(path, name):
    assert is_shard(path)
    assert name_of(path) == name


@pytest.mark.parametrize(
    "path", ["dataset_info.json", "features.json", "a.txt", "a-of-b", "a.tfrecord.partial", "x.gz"]
)
def test_other_files_are_no_shards(path):
    assert not is_shard(path)


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize("pattern", ["*.tfrecord", "frame/*.tfrecord", "**/*.tfrecord", "frame/**/s?.tfrecord", "x/*"])
def test_a_pattern_means_the_same_for_a_manifest_as_for_a_folder(tmp_path, pattern):
    names = ["s1.tfrecord", "frame/s2.tfrecord", "frame/old/s3.tfrecord", "old/frame/s4.tfrecord", "frame/s5.txt"]
    make(tmp_path, *names)
    found = sorted(tmp_path.glob(pattern))  # without links Python finds the same
    assert sorted(tmp_path / name for name in names if matches(name, pattern)) == found
    assert below(tmp_path, pattern) == found


def test_of_an_absolute_path_the_end_has_to_match():
    assert matches("/disk/yt8m/frame/s1.tfrecord", "frame/*.tfrecord")
    assert not matches("/disk/yt8m/video/s1.tfrecord", "frame/*.tfrecord")


def test_a_linked_folder_is_followed(tmp_path):
    make(tmp_path, "data/frame/a", "disk2/b", "disk3/deep/c")
    (tmp_path / "data/frame/more").symlink_to(Path("../../disk2"))
    (tmp_path / "disk2/further").symlink_to(tmp_path / "disk3")
    data = tmp_path / "data"
    names = ["frame/a", "frame/more/b", "frame/more/further/deep/c"]
    assert below(data) == below(data, "frame/**/*") == below(data, "**/*") == [data / name for name in names]
    assert below(data, "frame/*") == [data / "frame/a"]
    assert below(data, "frame/*/*") == [data / "frame/more/b"]
    assert below("", f"{data}/**/c") == [data / names[-1]]


def test_a_link_to_a_folder_above_ends(tmp_path):
    make(tmp_path, "a/b/x")
    (tmp_path / "a/b/up").symlink_to(tmp_path / "a")
    (tmp_path / "a/b/self").symlink_to(tmp_path / "a/b")
    assert below(tmp_path) == [tmp_path / "a/b/x"]


def test_a_file_with_several_names_is_one(tmp_path):
    make(tmp_path, "z/real", "y/own")
    (tmp_path / "a").symlink_to(tmp_path / "z/real")
    (tmp_path / "b").symlink_to(tmp_path / "z")
    (tmp_path / "c").symlink_to(tmp_path.parent / "elsewhere")
    (tmp_path / "d").symlink_to(tmp_path.parent / "elsewhere")
    assert below(tmp_path) == [tmp_path / name for name in ("c", "y/own", "z/real")]


def test_a_link_to_nothing_is_not_passed_over_in_silence(tmp_path):
    (tmp_path / "a.tfrecord").symlink_to(tmp_path / "gone")
    assert below(tmp_path, "*.tfrecord") == [tmp_path / "a.tfrecord"]


def test_hidden_files_are_left_out(tmp_path):
    make(tmp_path, ".git/x", "a/.cache", "a/b")
    assert below(tmp_path) == [tmp_path / "a/b"]


def test_patterns_that_find_nothing(tmp_path):
    make(tmp_path, "a/b")
    for pattern in ("nowhere/*", "a/c", "a/b/*", "a"):
        assert below(tmp_path, pattern) == []
    assert below(tmp_path, "a/b") == [tmp_path / "a/b"]


def test_no_two_paths_are_the_same_inside():
    paths = ["a/b", "/a/b", "../a/b", "a/../b", "a+b"]
    placed = [Path("/home", inside(path)) for path in paths]
    assert all(".." not in path.parts and path.is_relative_to("/home") for path in placed)
    assert len(set(placed)) == 5
