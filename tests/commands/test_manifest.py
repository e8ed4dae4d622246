"""`yt8m manifest`: a list that stands for the folder as `data.source`, and what is refused."""

from dataclasses import replace
from hashlib import md5
from pathlib import Path

import fsspec
import pytest

from tests.records import made
from yt8m.cli import main
from yt8m.core.schema import Level
from yt8m.intake.split import list_shards
from yt8m.records.manifest import Shard, checksum, locate, read_manifest, root


@pytest.fixture
def folder(tmp_path):
    """Two shards of each level, and what is none."""
    for level in Level:
        for index in (0, 1):
            made.write_shard(tmp_path / "set" / level / f"s{index}.tfrecord", level, 3 + index)
    (tmp_path / "set" / "notes.txt").write_text("mine")
    return tmp_path / "set"


def test_every_shard_is_listed(folder, capsys):
    main(["manifest", str(folder)])
    assert capsys.readouterr().out == f"{folder}/manifest.tsv: 4 shards, 14 videos\n"
    shards, schema = read_manifest(folder / "manifest.tsv")
    assert schema is None  # `split` checks it, and writes it into its own
    expected = []
    for level in Level:
        for index in (0, 1):
            path = folder / level / f"s{index}.tfrecord"
            name = str(path.relative_to(folder))
            expected.append(Shard(level, name, path.stat().st_size, 3 + index, checksum(path)))
    assert shards == expected


@pytest.mark.parametrize("pattern", ["frame/*.tfrecord", "**/*.tfrecord", "none/*"])
def test_it_stands_for_the_folder(folder, pattern):
    main(["manifest", str(folder)])
    from_folder, nothing = list_shards(folder, pattern)
    from_manifest, recorded = list_shards(folder / "manifest.tsv", pattern)
    assert from_manifest == list(recorded) == from_folder
    assert not nothing


def test_a_manifest_elsewhere_names_absolute_paths(folder, tmp_path):
    main(["manifest", str(folder), "--output", str(tmp_path / "lists" / "all.tsv")])
    shards = read_manifest(tmp_path / "lists" / "all.tsv").shards
    assert len(shards) == 4
    for shard in shards:
        assert Path(shard.path).is_relative_to(folder)
        assert locate(shard, tmp_path / "lists" / "all.tsv") == Path(shard.path)


def test_the_same_folder_gives_the_same_bytes(folder):
    texts = []
    for _ in range(2):
        main(["manifest", str(folder)])
        texts.append((folder / "manifest.tsv").read_bytes())
    assert texts[0] == texts[1]


def test_a_folder_without_shards(fails, tmp_path):
    (tmp_path / "x.txt").touch()
    assert (
        fails("manifest", tmp_path)
        == f"yt8m: {tmp_path}: expected shards (*.tfrecord, *.tfrecord-00000-of-00001, *-00000-of-00001), found none"
    )


@pytest.mark.parametrize("damage", ["empty", "truncated", "another format"])
def test_a_damaged_shard_is_named_and_nothing_written(fails, folder, damage):
    path = folder / "frame" / "s1.tfrecord"
    path.write_bytes({"empty": b"", "truncated": path.read_bytes()[:-5]}.get(damage, b"VideoId,Labels\n"))
    assert str(path) in fails("manifest", folder)
    assert not (folder / "manifest.tsv").exists()


def test_shards_in_a_bucket(folder, bucket, tmp_path, capsys):
    """Paths are relative to the URL, which the manifest names; checksums are the provider's."""
    main(["manifest", str(folder)])
    main(["manifest", f"{bucket.copy(folder)}/", "--output", str(tmp_path / "list.tsv")])
    assert capsys.readouterr().out.endswith(f"{tmp_path}/list.tsv: 4 shards, 14 videos\n")
    found, expected = (read_manifest(path).shards for path in (tmp_path / "list.tsv", folder / "manifest.tsv"))
    assert [replace(shard, checksum="") for shard in found] == [replace(shard, checksum="") for shard in expected]
    for shard in found:
        assert shard.checksum == f"etag:{md5((folder / shard.path).read_bytes()).hexdigest()}"
    assert root(tmp_path / "list.tsv") == bucket.url
    assert list_shards(tmp_path / "list.tsv", "frame/*")[0] == list_shards(folder, "frame/*")[0]


def test_shards_of_a_provider_without_etags(folder, tmp_path):
    files = fsspec.filesystem("memory")
    files.put(f"{folder}/", "/set", recursive=True)
    main(["manifest", "memory://set/frame", "--output", str(tmp_path / "list.tsv")])
    files.store.clear()
    main(["manifest", str(folder / "frame")])
    text = (folder / "frame" / "manifest.tsv").read_text()
    assert (tmp_path / "list.tsv").read_text() == f"# root: memory:///set/frame\n{text}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["s3://{}"], "expected --output FILE.tsv here, where DVC can follow it, received None"),
        (["s3://{}", "--output", "s3://{}/m.tsv"], "expected --output FILE.tsv here"),
        (["s3://{}/frame/*.tfrecord", "--output", "m.tsv"], "expected the URL of a folder, received a shard's or"),
        (["s3://{}/frame/s0.tfrecord", "--output", "m.tsv"], "expected the URL of a folder, received a shard's or"),
        (["s3://{}/none", "--output", "m.tsv"], "expected shards (*.tfrecord, "),
        (["s3://none", "--output", "m.tsv"], "expected shards, found none: "),
        (["abc://none", "--output", "m.tsv"], "expected a URL that fsspec knows: Protocol not known: abc"),
        (["memory:///none", "--output", "m.tsv"], "expected shards (*.tfrecord, "),
    ],
)
def test_what_is_wrong_with_a_url(fails, folder, bucket, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    name = bucket.copy(folder).removeprefix("s3://")
    words = [word.format(name) for word in words]
    assert fails("manifest", *words).startswith(f"yt8m: {words[0]}: {said}")
    assert {path.name for path in tmp_path.iterdir()} == {"set"}


def test_a_damaged_shard_in_a_bucket(fails, folder, bucket, tmp_path):
    url = bucket.copy(folder)
    bucket.write("frame/s1.tfrecord", (folder / "frame" / "s1.tfrecord").read_bytes()[:-5])
    assert f"{url}/frame/s1.tfrecord: record 3 at byte" in fails("manifest", url, "--output", tmp_path / "m.tsv")
    assert not (tmp_path / "m.tsv").exists()
