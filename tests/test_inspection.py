"""yt8m inspect: what shards hold, told from the videos that were written, and every problem."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.data.made import SCHEMA, field, frame_video, write_shard
from yt8m import inspection
from yt8m.cli import main
from yt8m.data import wire
from yt8m.data.manifest import read_manifest
from yt8m.data.tfrecord import write_records
from yt8m.data.videos import encode
from yt8m.schema import Level


def write(path, *videos):
    write_records(path, [encode(video, Level.FRAME, SCHEMA) for video in videos])


@pytest.mark.parametrize("level", list(Level))
def test_what_there_is(tmp_path, level, capsys):
    videos = write_shard(tmp_path / "a.tfrecord", level, 7) + write_shard(tmp_path / "b.tfrecord", level, 4)
    main(["inspect", str(tmp_path / "*.tfrecord"), "--json"])
    found = json.loads(capsys.readouterr().out)
    prefix = "" if level is Level.FRAME else SCHEMA.mean_prefix
    frames, labels = [video.frames for video in videos], [len(video.labels) for video in videos]
    flat = np.concatenate([video.labels for video in videos])
    assert found == {
        "shards": 2,
        "bytes": sum(path.stat().st_size for path in tmp_path.iterdir()),
        "records": 11,
        "level": level.value,
        "keys": "id, labels",
        "features": f"{prefix}audio: 4, {prefix}rgb: 8",
        "frames (least, median, most)": f"{min(frames)}, {int(np.median(frames))}, {max(frames)}",
        "labels of a video (least, median, most)": f"{min(labels)}, {int(np.median(labels))}, {max(labels)}",
        "classes with labels": len(np.unique(flat)),
        "labels from": f"{flat.min()} to {flat.max()}",
        "problems": [],
    }


def test_the_table(tmp_path, capsys):
    write_shard(tmp_path / "a.tfrecord", Level.FRAME, 3)
    main(["inspect", str(tmp_path / "**/*.tfrecord")])
    printed = capsys.readouterr().out
    assert "audio: 4, rgb: 8" in printed
    assert printed.endswith("no problems found\n")


def test_every_problem_is_told_and_the_rest_is_read(tmp_path, capsys):
    random = np.random.default_rng(0)
    good = [frame_video(random, f"v{index}") for index in range(6)]
    short = replace(good[5], features={"rgb": good[5].features["rgb"], "audio": good[5].features["audio"][:0]})
    narrow = replace(good[4], id="w", features={name: rows[:, :3] for name, rows in good[4].features.items()})
    write(tmp_path / "a.tfrecord", *good[:4], narrow, good[0])
    write(tmp_path / "b.tfrecord", short)
    write(tmp_path / "c.tfrecord")
    write(tmp_path / "d.tfrecord", good[4], good[5])
    (tmp_path / "d.tfrecord").write_bytes((tmp_path / "d.tfrecord").read_bytes()[:-1])
    (tmp_path / "e.tfrecord").write_bytes(b"nothing of the kind, whatever it may be")
    values: dict[str, wire.Value] = {"id": b"x", "labels": [1], "mean_rgb": np.array([1, np.nan, np.inf], np.float32)}
    write_records(tmp_path / "f.tfrecord", [wire.example(values), b"\xff\xff"])
    (tmp_path / "g.tfrecord").mkdir()
    with pytest.raises(SystemExit) as end:
        main(["inspect", str(tmp_path / "*.tfrecord"), "--json"])
    assert end.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert found["records"] == 9
    usual = "expected frame level with audio: 4, id, labels, rgb: 8 as in most records"
    expected = [
        "a.tfrecord: record 5: id: 'v0' stands in an earlier record",
        "b.tfrecord: record 0: expected as many frames in each feature, at least one, received",
        "c.tfrecord: expected records, received none",
        "d.tfrecord: record 1 at byte",
        "e.tfrecord: record 0 at byte 0: the checksum of the length does not hold",
        "f.tfrecord: record 0: mean_rgb: expected finite floats, received 2 others",
        "f.tfrecord: record 1: ",
        "g.tfrecord",
        f"a.tfrecord: record 4: {usual}, received frame level with audio: 3, id, labels, rgb: 3",
        f"b.tfrecord: record 0: {usual}",
        f"f.tfrecord: record 0: {usual}, received video level with id, labels, mean_rgb: 3",
    ]
    assert len(found["problems"]) == len(expected)
    for problem, part in zip(found["problems"], expected, strict=True):
        assert part in problem


def test_no_file(tmp_path):
    with pytest.raises(SystemExit, match=r"yt8m: .*none: expected shards, found no file"):
        main(["inspect", str(tmp_path / "none")])


def test_records_with_empty_feature_lists_are_of_videos(tmp_path):
    """As YouTube-8M publishes them."""
    write_shard(tmp_path / "a.tfrecord", Level.VIDEO, 1)
    (record,) = inspection.read_records(tmp_path / "a.tfrecord")
    write_records(tmp_path / "a.tfrecord", [bytes(record) + field(2)])
    main(["manifest", str(tmp_path)])
    assert [shard.level for shard in read_manifest(tmp_path / "manifest.tsv")] == [Level.VIDEO]
    assert inspection.inspect(str(tmp_path / "a.tfrecord")).summary()["level"] == "video"
