from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pytest

from tests.pipeline import load_yaml
from yt8m.core.schema import Level
from yt8m.records.manifest import (
    DataError,
    Shard,
    assign,
    checksum,
    locate,
    matches,
    read_manifest,
    root,
    write_manifest,
)

SHARDS = [
    Shard(Level.FRAME, "{source}/frame/train0000.tfrecord", 1234, 5, "ab" * 16),
    Shard(Level.VIDEO, "data/a path with spaces,\tand tabs.tfrecord", 0, 0, "00" * 16),
]
HEADER = "level\tpath\tbytes\tvideos\tchecksum\n"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_round_trip(tmp_path, count):
    write_manifest(tmp_path / "m.tsv", SHARDS[:count])
    assert read_manifest(tmp_path / "m.tsv") == SHARDS[:count]


def test_is_a_table_with_a_header(tmp_path):
    write_manifest(tmp_path / "m.tsv", SHARDS[:1])
    row = "frame\t{source}/frame/train0000.tfrecord\t1234\t5\t" + "ab" * 16 + "\n"
    assert (tmp_path / "m.tsv").read_text() == HEADER + row


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", r"expected the columns \['level', .*received \[\]"),
        ("level,path\n", r"expected the columns .*received \['level,path'\]"),
        (
            HEADER + "frame\ta\t1\t1\tx\nframe\ta\t1\t1\n",
            r"line 3: expected .*received \['frame', 'a', '1', '1'\]",
        ),
        (HEADER + "frame\ta\t1\tmany\tx\n", "line 2: expected .*received .*'many'"),
        (HEADER + "shot\ta\t1\t1\tx\n", "line 2: expected .*received .*'shot'"),
    ],
    ids=["empty", "columns", "too short", "no number", "no level"],
)
def test_bad_manifest(tmp_path, text, match):
    path = tmp_path / "m.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=f"{path}: {match}"):
        read_manifest(path)


@pytest.mark.parametrize("content", [b"", b"a" * 100_000])
def test_checksum(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert checksum(tmp_path / "a") == blake2b(content, digest_size=16).hexdigest()


def test_locate(tmp_path):
    (tmp_path / "source" / "frame").mkdir(parents=True)
    path = tmp_path / "source" / "frame" / "a.tfrecord"
    path.write_bytes(b"123")
    manifest = tmp_path / "source" / "all.tsv"
    manifest.touch()
    shard = Shard(Level.FRAME, "{source}/frame/a.tfrecord", 3, 1, "")
    assert locate(shard, tmp_path / "source") == path
    assert locate(shard, manifest) == path
    assert root(manifest) == root(tmp_path / "source") == tmp_path / "source"
    assert locate(replace(shard, path=str(path)), "elsewhere") == path
    for size in (2, 4):
        with pytest.raises(DataError, match=f"{path}: expected {size} bytes as recorded, received 3"):
            locate(replace(shard, bytes=size), tmp_path / "source")
    path.unlink()
    with pytest.raises(DataError, match=f"{path}: the shard is missing"):
        locate(shard, tmp_path / "source")


def test_papers_patterns():
    patterns = load_yaml("params.yaml")["split"]["patterns"]
    train, validate, test = (
        [f"frame/{kind}{index:04d}.tfrecord" for index in range(30)] for kind in ("train", "validate", "test")
    )
    other = ["frame/train00.tfrecord", "frame/validate00055.tfrecord", "frame/mytrain0000.tfrecord"]
    holdout = [path for path in validate if int(Path(path).stem[-1]) == 5]
    rest = [path for path in validate if path not in holdout]
    assert "frame/validate0005.tfrecord" in holdout
    splits = assign([*test, *validate, *other, *train], patterns)
    assert splits == {"train": sorted(train + rest), "holdout": holdout, "test": test}


def test_assign_names_an_empty_split():
    with pytest.raises(DataError, match=r"split\.patterns\.b: expected shards that match \['v\*'\], received none"):
        assign(["t0.tfrecord", "t1.tfrecord"], {"a": ["t*"], "b": ["v*"]})


def test_assign_without_any_shard():
    with pytest.raises(DataError, match=r"split\.patterns\.a: .*none of the 0 shards"):
        assign([], {"a": ["t*"]})


def test_assign_names_a_shard_of_two_splits():
    with pytest.raises(DataError, match=r"split\.patterns: shard 't5' matches more than one .*\['a', 'b'\]"):
        assign(["x/t4.tfrecord", "x/t5.tfrecord"], {"a": ["t*"], "b": ["*5"]})


def test_two_patterns_of_one_split_may_match():
    assert assign(["t5.tfrecord"], {"a": ["t*", "*5"]}) == {"a": ["t5.tfrecord"]}


def test_shards_of_one_name_in_two_folders_are_refused():
    """What is derived from each is called by its name."""
    with pytest.raises(DataError, match=r"each name once, received a/t0\.tfrecord and b/t0\.tfrecord"):
        assign(["b/t0.tfrecord", "a/t0.tfrecord"], {"a": ["t*"]})


@pytest.mark.parametrize("pattern", ["*.tfrecord", "frame/*.tfrecord", "**/*.tfrecord", "frame/**/s?.tfrecord", "x/*"])
def test_a_pattern_means_the_same_for_a_manifest_as_for_a_folder(tmp_path, pattern):
    names = ["s1.tfrecord", "frame/s2.tfrecord", "frame/old/s3.tfrecord", "old/frame/s4.tfrecord", "frame/s5.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.glob(pattern)}
    assert {name for name in names if matches(name, pattern)} == found


def test_of_an_absolute_path_the_end_has_to_match():
    assert matches("/disk/yt8m/frame/s1.tfrecord", "frame/*.tfrecord")
    assert not matches("/disk/yt8m/video/s1.tfrecord", "frame/*.tfrecord")
