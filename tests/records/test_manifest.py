import json
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pytest

from tests.records.made import SCHEMA
from yt8m.core.schema import Level, Schema
from yt8m.records.cache import Cache
from yt8m.records.manifest import (
    DataError,
    Manifest,
    Shard,
    assign,
    checksum,
    locate,
    read_manifest,
    root,
    write_manifest,
)
from yt8m.records.remote import Remote

SHARDS = [
    Shard(Level.FRAME, "{source}/frame/train0000.tfrecord", 1234, 5, "ab" * 16),
    Shard(Level.VIDEO, "data/a path with spaces,\tand tabs.tfrecord", 0, 0, "00" * 16),
]
HEADER = "level\tpath\tbytes\tvideos\tchecksum\n"
PAPERS_PATTERNS = {
    "train": ["train????", "validate???[0-46-9]"],
    "holdout": ["validate???5"],
    "test": ["test????"],
}


@pytest.mark.parametrize("schema", [None, SCHEMA], ids=["no schema", "schema"])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_round_trip(tmp_path, count, schema):
    write_manifest(tmp_path / "m.tsv", SHARDS[:count], schema)
    found = read_manifest(tmp_path / "m.tsv")
    assert found == Manifest(SHARDS[:count], schema)
    assert found.videos == [0, 5, 5][count]


@pytest.mark.parametrize("features", [{"rgb": 8, "audio": 4}, {"audio": 4, "rgb": 8}, {"Étude \t#\n": 1}])
def test_a_schema_comes_back_with_its_features_in_order(tmp_path, features):
    """The first is the primary one."""
    schema = SCHEMA.model_copy(update={"features": features, "id_key": 'a "key"'})
    write_manifest(tmp_path / "m.tsv", SHARDS, schema)
    found = read_manifest(tmp_path / "m.tsv").schema
    assert found == schema
    assert list(found.features) == list(features)


def test_a_schema_is_one_line_of_json_above_the_table(tmp_path):
    write_manifest(tmp_path / "without.tsv", SHARDS)
    write_manifest(tmp_path / "with.tsv", SHARDS, SCHEMA)
    line, rest = (tmp_path / "with.tsv").read_text().split("\n", 1)
    assert rest == (tmp_path / "without.tsv").read_text()
    assert line.startswith("# schema: {")
    said = json.loads(line.removeprefix("# schema: "))
    assert said == {
        "id_key": "id",
        "labels_key": "labels",
        "mean_prefix": "mean_",
        "features": {"rgb": 8, "audio": 4},
        "classes": 10,
        "max_frames": 6,
        "uneven_frames": "refuse",
        "missing_features": "refuse",
        "extractor": None,
    }


@pytest.mark.parametrize("name", Schema.model_fields)
def test_whatever_records_hold_changes_the_bytes(tmp_path, name):
    """Or what depends on a manifest would not know of another schema."""
    others = {"classes": 11, "max_frames": 7, "features": {"audio": 4, "rgb": 8}, "id_key": None}
    other = others.get(name, "other")
    write_manifest(tmp_path / "one.tsv", SHARDS, SCHEMA)
    write_manifest(tmp_path / "other.tsv", SHARDS, SCHEMA.model_copy(update={name: other}))
    assert (tmp_path / "one.tsv").read_bytes() != (tmp_path / "other.tsv").read_bytes()


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
        (f"# schema: {SCHEMA.model_dump_json()[:-1]}\n{HEADER}", "line 1: expected a schema: "),
        (f'# schema: {{"id_key": "id"}}\n{HEADER}', r"line 1: expected a schema: (.|\n)*classes"),
        (f"# schema: {SCHEMA.model_dump_json().replace('10', '-10')}\n", r"line 1: expected a schema: (.|\n)*classes"),
        (f"# schema: \n{HEADER}", "line 1: expected a schema: "),
        (f"# schema: {SCHEMA.model_dump_json()}\n", r"expected the columns \['level', .*received \[\]"),
        (f"# schema: {SCHEMA.model_dump_json()}\n{HEADER}shot\ta\t1\t1\tx\n", "line 3: expected .*'shot'"),
        (f"{HEADER}# schema: {SCHEMA.model_dump_json()}\n", "line 2: expected .*received .*schema"),
    ],
    ids=[
        "empty",
        "columns",
        "too short",
        "no number",
        "no level",
        "schema cut off",
        "schema of one key",
        "schema of a bad number",
        "schema of nothing",
        "schema alone",
        "schema and no level",
        "schema below",
    ],
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


@pytest.mark.parametrize("schema", [None, SCHEMA], ids=["no schema", "schema"])
def test_one_of_a_bucket_says_where_it_lies(tmp_path, schema):
    """So that the same manifest of a stage is of files and of a bucket."""
    source, cache = tmp_path / "source.tsv", Cache(tmp_path, 1)
    write_manifest(source, SHARDS, schema, root="s3://bucket/a folder")
    assert read_manifest(source) == Manifest(SHARDS, schema)
    assert source.read_text().startswith("# root: s3://bucket/a folder\n")
    assert root(source) == "s3://bucket/a folder"
    expected = Remote("s3://bucket/a folder/frame/train0000.tfrecord", 1234, "ab" * 16, cache)
    assert locate(SHARDS[0], source, cache) == expected
    named = replace(SHARDS[0], path="gs://other/x.tfrecord")
    assert locate(named, source, cache) == replace(expected, url="gs://other/x.tfrecord")
    assert locate(replace(named, path="{source}/gs://other/x.tfrecord"), source, cache) == locate(named, "", cache)
    with pytest.raises(DataError, match=r"data/a path with spaces,.*: the shard is missing"):
        locate(SHARDS[1], source, cache)


def test_a_bad_line_below_a_root(tmp_path):
    write_manifest(tmp_path / "m.tsv", SHARDS, SCHEMA, root="s3://b")
    (tmp_path / "m.tsv").write_text((tmp_path / "m.tsv").read_text().replace("1234", "many"))
    with pytest.raises(DataError, match=r"m\.tsv: line 4: expected .*'many'"):
        read_manifest(tmp_path / "m.tsv")


def test_papers_patterns():
    train, validate, test = (
        [f"frame/{kind}{index:04d}.tfrecord" for index in range(30)] for kind in ("train", "validate", "test")
    )
    other = ["frame/train00.tfrecord", "frame/validate00055.tfrecord", "frame/mytrain0000.tfrecord"]
    holdout = [path for path in validate if int(Path(path).stem[-1]) == 5]
    rest = [path for path in validate if path not in holdout]
    assert "frame/validate0005.tfrecord" in holdout
    splits = assign([*test, *validate, *other, *train], PAPERS_PATTERNS)
    assert splits == {"train": sorted(train + rest), "holdout": holdout, "test": test}


def test_assign_names_an_empty_split():
    with pytest.raises(DataError, match=r"split\.patterns\.b: expected shards that match \['v\*'\], received none"):
        assign(["t0.tfrecord", "t1.tfrecord"], {"a": ["t*"], "b": ["v*"]})


def test_assign_without_any_shard():
    with pytest.raises(DataError, match=r"split\.patterns\.a: .*none of the 0 shards"):
        assign([], {"a": ["t*"]})


def test_assign_names_a_shard_of_two_splits():
    with pytest.raises(
        DataError, match=r"split\.patterns: shard 'x/t5\.tfrecord' matches more than one .*\['a', 'b'\]"
    ):
        assign(["x/t4.tfrecord", "x/t5.tfrecord"], {"a": ["t*"], "b": ["*5"]})


def test_two_patterns_of_one_split_may_match():
    assert assign(["t5.tfrecord"], {"a": ["t*", "*5"]}) == {"a": ["t5.tfrecord"]}


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ({"a": ["t*"]}, {"a": ["x/t0.tfrecord", "y/t0.tfrecord"]}),
        ({"a": ["x/*"], "b": ["y/t?.tfrecord"]}, {"a": ["x/t0.tfrecord"], "b": ["y/t0.tfrecord"]}),
        ({"a": ["x/t0"], "b": ["y/t[0]"]}, {"a": ["x/t0.tfrecord"], "b": ["y/t0.tfrecord"]}),
        ({"a": ["t0"], "b": ["y/*"]}, {"a": ["x/t0.tfrecord"], "b": ["y/t0.tfrecord"]}),
        ({"a": ["**/x/*"], "b": ["**/y/**"]}, {"a": ["x/t0.tfrecord"], "b": ["y/t0.tfrecord"]}),
    ],
    ids=["names alone", "paths", "without ending", "a path before a name", "any folders"],
)
def test_shards_of_one_name_in_two_folders(patterns, expected):
    """As AudioSet and YouTube-8M publish them: train/00.tfrecord, eval/00.tfrecord."""
    assert assign(["y/t0.tfrecord", "x/t0.tfrecord"], patterns) == expected


def test_parts_are_named_as_they_are_numbered():
    paths = [f"s/mine-{split}.tfrecord-0000{part}-of-00002" for split in ("train", "test") for part in (0, 1)]
    assert assign(paths, {"train": ["mine-train*"], "test": ["*test-0000?-of-00002"]}) == {
        "train": paths[:2],
        "test": paths[2:],
    }
