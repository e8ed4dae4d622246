"""`yt8m inspect`: what is there by other means, and each problem by its file and record."""

import gzip
import json
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.records import made
from tests.records.made import SCHEMA, bytes_feature, feature_list, float_feature, int_feature, list_of
from yt8m.cli import main
from yt8m.core.quantization import quantize
from yt8m.core.schema import Level
from yt8m.intake.inspection import examine
from yt8m.records.cache import Cache
from yt8m.records.remote import Remote
from yt8m.records.tfrecord import read_records, write_records
from yt8m.records.videos import encode


def inspect(capsys, *patterns):
    """The exit status and the report."""
    try:
        main(["inspect", "--json", *map(str, patterns)])
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, json.loads(capsys.readouterr().out)


@pytest.fixture
def problems(tmp_path, capsys):
    """A function from records, put behind three good ones in a second shard, to the problems found."""

    def run(*records, level=Level.FRAME):
        made.write_shard(tmp_path / "a.tfrecord", level, 5)
        made.write_shard(tmp_path / "b.tfrecord", level, 3)
        write_records(tmp_path / "b.tfrecord", [*map(bytes, read_records(tmp_path / "b.tfrecord")), *records])
        status, (report,) = inspect(capsys, tmp_path / "*.tfrecord")
        assert status == int(bool(report["problems"]))
        assert report["level"] == level.value
        return [(Path(p["file"]).name, p["record"], p["problem"]) for p in report["problems"]]

    return run


@pytest.mark.parametrize("level", Level)
def test_good_shards(shards, capsys, level):
    pattern, videos = shards(level)
    status, (report,) = inspect(capsys, pattern)
    frames, counts = (
        [len(x) for x in part] for part in ([v.features["rgb"] for v in videos], [v.labels for v in videos])
    )
    prefix, kind = ("", "frames of {} bytes") if level is Level.FRAME else ("mean_", "{} floats")
    features = {f"{prefix}{name}": kind.format(size) for name, size in SCHEMA.features.items()}
    looks = {}
    for name in SCHEMA.features if level is Level.FRAME else ():
        codes = np.concatenate([video.features[name].ravel() for video in videos])
        looks[name] = {
            "mean": pytest.approx(codes.mean()),
            "at 0": np.mean(codes == 0),
            "at 255": np.mean(codes == 255),
        }
    assert status == 0
    assert report == {
        "glob": pattern,
        "shards": 2,
        "records": 14,
        "level": level.value,
        "id_key": "id",
        "labels_key": "labels",
        "keys": {"id": "bytes", "labels": "int64"} | features,
        "frames": {"min": min(frames), "median": np.median(frames), "max": max(frames)},
        "labels": sum(counts),
        "labels_per_video": {"min": min(counts), "median": np.median(counts), "max": max(counts)},
        "classes": {"min": min(min(v.labels) for v in videos), "max": max(max(v.labels) for v in videos)},
        "bytes": looks,
        "warnings": [],
        "problems": [],
    }


def test_the_table_has_a_column_for_each_pattern(shards, capsys):
    patterns = [shards(level)[0] for level in Level]
    main(["inspect", *patterns])
    out = capsys.readouterr().out
    for text in ("frames of 8 bytes", "8 floats", "records", "problems", "14"):
        assert text in out


def test_problems_are_lines_below_the_table(tmp_path, capsys):
    (tmp_path / "x.tfrecord").touch()
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(tmp_path / "*")])
    assert ended.value.code == 1
    assert capsys.readouterr().out.endswith(f"\n{tmp_path}/x.tfrecord: expected records, received an empty shard\n")


def test_a_pattern_without_a_match(fails, tmp_path):
    assert "none*: expected shards, found no file" in fails("inspect", tmp_path / "none*")


def test_damaged_files_are_named_and_the_rest_is_read(tmp_path, capsys):
    for name in ("content", "fine", "length", "truncated"):
        made.write_shard(tmp_path / name, Level.FRAME, 4)
    starts = [0]
    for record in read_records(tmp_path / "fine"):
        starts.append(starts[-1] + 16 + len(record))
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("no records are in here")
    content = bytearray((tmp_path / "content").read_bytes())
    content[20] ^= 1  # in record 0
    content[-1] ^= 1  # of record 3
    (tmp_path / "content").write_bytes(content)
    length = bytearray((tmp_path / "length").read_bytes())
    second = 16 + len(next(read_records(tmp_path / "length")))
    length[second] ^= 1
    (tmp_path / "length").write_bytes(length)
    (tmp_path / "truncated").write_bytes((tmp_path / "truncated").read_bytes()[:-1])
    status, (report,) = inspect(capsys, tmp_path / "*")
    found = [(Path(p["file"]).name, p["record"], p["problem"]) for p in report["problems"]]
    assert status == 1
    assert [problem[:2] for problem in found] == [
        ("content", 0),
        ("content", 3),
        ("empty", None),
        ("length", 1),
        ("text", 0),
        ("truncated", 3),
    ]
    expected = (
        "checksum of the content",
        "checksum of the content",
        "empty",
        "length",
        "length",
        "tru",
    )
    assert all(word in problem[2] for word, problem in zip(expected, found, strict=True))
    assert report["records"] == 2 + 4 + 1 + 3


def video(level=Level.FRAME, schema=SCHEMA, **changes):
    """A record that differs from a good one."""
    good = made.make(level, np.random.default_rng(1), "new")
    return encode(replace(good, **changes), level, schema)


def frames(rgb=3, audio=3, sizes=(8, 4)):
    return {"rgb": np.zeros((rgb, sizes[0]), np.uint8), "audio": np.zeros((audio, sizes[1]), np.uint8)}


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (video(schema=SCHEMA.model_copy(update={"labels_key": "tags"})), "'labels': expected int64 as in most"),
        (video(features={"rgb": frames()["rgb"]}), "'audio': expected frames of 4 bytes as in most"),
        (video(features=frames() | {"flow": frames()["rgb"]}), "'flow': expected no such key as in most records"),
        (
            video(features=frames(sizes=(9, 4))),
            "'rgb': expected frames of 8 bytes as in most records, received frames of 9",
        ),
        (video(features=frames(audio=2)), "in each feature, received {'rgb': 3, 'audio': 2}"),
        (video(features=frames(rgb=0)), "'rgb': expected frames of 8 bytes as in most records, received no frames"),
        (video(Level.VIDEO), "expected a frame-level record as most are, received video-level"),
        (video(id=""), "expected a key that holds one id as bytes, received"),
        (video(id="b_1"), "b.tfrecord: record 1"),
        (video(id="a_4"), "a.tfrecord: record 4"),
        (b"\xff\xff", "expected an Example or a SequenceExample: the message ends within a number"),
        (b"", "expected a frame-level record as most are, received video-level"),
    ],
)
def test_a_frame_level_record(problems, record, text):
    found = problems(record, video(id="last"))
    assert all(problem[:2] == ("b.tfrecord", 3) for problem in found)
    assert any(text in problem[2] for problem in found)


def test_frames_of_mixed_sizes(problems):
    context = {"id": bytes_feature(b"v"), "labels": int_feature(1)}
    lists = {"rgb": feature_list(bytes(8), bytes(7)), "audio": feature_list(bytes(4), bytes(4))}
    assert problems(made.sequence_example(context, lists)) == [
        ("b.tfrecord", 3, "'rgb': frame 1: expected one value of 8 bytes, received sizes [7]")
    ]


def test_negative_labels(problems):
    assert problems(video(labels=[-2, 1])) == [("b.tfrecord", 3, "expected labels of at least 0, received -2")]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([float("nan"), *[0.0] * 6, float("inf")], "'mean_rgb': expected finite floats, received 2 others"),
        ([0.0] * 9, "'mean_rgb': expected 8 floats as in most records, received 9 floats"),
    ],
)
def test_a_video_level_record(problems, values, text):
    entries = {
        "id": bytes_feature(b"v"),
        "labels": int_feature(1),
        "mean_rgb": float_feature(*values),
        "mean_audio": float_feature(*[0.0] * 4),
    }
    ((file, record, problem),) = problems(made.example(entries), level=Level.VIDEO)
    assert (file, record) == ("b.tfrecord", 3)
    assert text in problem


def test_ids_may_repeat_at_the_other_level(tmp_path, capsys):
    for level in Level:
        made.write_shard(tmp_path / level / "s.tfrecord", level, 3)
    status, _ = inspect(capsys, *(tmp_path / level / "*" for level in Level))
    assert status == 0


def test_keys_of_any_name(tmp_path, capsys):
    """As in AudioSet: other keys, and floats beside them."""
    context = {
        "name": bytes_feature(b"x"),
        "video_id": bytes_feature(b"v"),
        "tags": int_feature(3),
        "start": float_feature(0),
    }
    write_records(tmp_path / "s", [made.sequence_example(context, {"embedding": feature_list(bytes(5))})])
    status, (report,) = inspect(capsys, tmp_path / "s")
    assert status == 0
    assert (report["id_key"], report["labels_key"], report["classes"]) == ("video_id", "tags", {"min": 3, "max": 3})
    assert report["keys"]["embedding"] == "frames of 5 bytes"
    assert report["keys"]["start"] == "floats"


def test_frames_of_floats_and_times_are_named(tmp_path, capsys):
    """As MediaPipe's extractor writes them."""
    context = {"clip/media_id": bytes_feature(b"v"), "clip/label/index": int_feature(3)}
    lists = {
        "RGB/feature/floats": list_of(*[float_feature(*range(8))] * 3),
        "RGB/feature/timestamp": list_of(*[int_feature(second) for second in range(4)]),
    }
    write_records(tmp_path / "s", [made.sequence_example(context, lists)])
    status, (report,) = inspect(capsys, tmp_path / "s")
    assert (status, report["problems"], report["warnings"]) == (0, [], [])
    assert report["keys"]["RGB/feature/floats"] == "frames of 8 floats"
    assert report["keys"]["RGB/feature/timestamp"] == "frames of int64"
    assert report["frames"]["max"] == 3
    assert (report["id_key"], report["labels_key"]) == ("clip/media_id", "clip/label/index")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_frame_that_is_no_number(tmp_path, capsys, bad):
    lists = {"rgb": list_of(float_feature(0, 1), float_feature(0, bad))}
    write_records(tmp_path / "s", [made.sequence_example({"id": bytes_feature(b"v")}, lists)])
    _, (report,) = inspect(capsys, tmp_path / "s")
    assert [p["problem"] for p in report["problems"]] == [
        "'rgb': expected finite floats, received 1 others (NaN or infinite)"
    ]


def test_keys_whose_values_are_more_or_fewer(tmp_path, capsys):
    """As YouTube-8M's segments: three to six rated ones a video."""
    records = []
    for index in range(6):
        rated = {f"segment_{name}": int_feature(*range(3 + index % 4)) for name in ("labels", "start_times")}
        scores = {"segment_scores": float_feature(*[0.5] * (3 + index % 4))}
        context = {"id": bytes_feature(b"v%d" % index), "labels": int_feature(1)} | rated | scores
        records.append(made.sequence_example(context, {"rgb": feature_list(bytes(8))}))
    write_records(tmp_path / "s", records)
    status, (report,) = inspect(capsys, tmp_path / "s")
    assert (status, report["problems"]) == (0, [])
    assert report["keys"]["segment_scores"] == "floats"
    assert (report["labels_key"], report["labels"]) == ("labels", 6)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
def test_a_compressed_shard_is_looked_into(tmp_path, capsys, pack):
    made.write_shard(tmp_path / "s.tfrecord", Level.FRAME, 5)
    (tmp_path / "s.tfrecord.gz").write_bytes(pack((tmp_path / "s.tfrecord").read_bytes()))
    status, (report,) = inspect(capsys, tmp_path / "s.tfrecord.gz")
    assert (status, report["records"]) == (1, 5)
    ((problem),) = report["problems"]
    assert "compressed with" in problem["problem"]
    assert "unpack the file" in problem["problem"]


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_numbers_that_were_not_quantised(tmp_path, capsys, kind):
    random = np.random.default_rng(0)
    rows = [random.normal(size=48).astype(kind).tobytes() for _ in range(20)]
    records = [
        made.sequence_example({"id": bytes_feature(b"v%d" % index)}, {"rgb": feature_list(*rows)}) for index in range(3)
    ]
    write_records(tmp_path / "s", records)
    status, (report,) = inspect(capsys, tmp_path / "s")
    assert status == 0  # the pipeline would take them
    (warning,) = report["warnings"]
    assert warning.startswith(f"'rgb': in 3 of 3 records a frame's bytes look like 48 numbers in {np.dtype(kind).name}")


@pytest.mark.parametrize(("scale", "warned"), [(1, False), (2, False), (4, True), (40, True)])
def test_values_that_were_clipped(tmp_path, capsys, scale, warned):
    """Of N(0, scale) in a code from -2 to 2."""
    values = np.random.default_rng(0).normal(scale=scale, size=(50, 32))
    rows = [bytes(row) for row in quantize(values)]
    write_records(tmp_path / "s", [made.sequence_example({"id": bytes_feature(b"v")}, {"rgb": feature_list(*rows)})])
    _, (report,) = inspect(capsys, tmp_path / "s")
    share = np.mean(np.abs(values) > 2)
    assert report["bytes"]["rgb"]["at 0"] + report["bytes"]["rgb"]["at 255"] == pytest.approx(share, abs=0.01)
    assert bool(report["warnings"]) is warned
    if warned:
        assert "% of the bytes are 0 or 255" in report["warnings"][0]


def test_warnings_are_lines_below_the_table(tmp_path, capsys):
    rows = [np.random.default_rng(0).normal(size=4).astype("<f4").tobytes()] * 9
    write_records(tmp_path / "s", [made.sequence_example({"id": bytes_feature(b"v")}, {"rgb": feature_list(*rows)})])
    main(["inspect", str(tmp_path / "s")])
    assert "\nwarning: 'rgb': in 1 of 1 records" in capsys.readouterr().out


def test_shards_in_a_bucket(tmp_path, bucket, capsys):
    """The report is that of the files, also of what is wrong; one that is not there any more is a problem too."""
    for name in "abc":
        made.write_shard(tmp_path / "set" / f"{name}.tfrecord", Level.FRAME, 4)
    (tmp_path / "set" / "b.tfrecord").write_bytes((tmp_path / "set" / "b.tfrecord").read_bytes()[:-5])
    url = bucket.copy(tmp_path / "set")
    (status, (report,)), (local_status, (local,)) = (
        inspect(capsys, f"{where}/*.tfrecord") for where in (url, tmp_path / "set")
    )
    assert status == local_status == 1
    text = json.dumps(report).replace(url, str(tmp_path / "set"))
    assert text == json.dumps(local)


def test_a_shard_that_has_gone_from_a_bucket(tmp_path, bucket):
    """It is a problem of its own, and the others are looked at."""
    gone = Remote(f"{bucket.url}/a.tfrecord", 3, None, Cache(tmp_path, 10))
    (problem,) = examine(gone).problems
    assert str(problem).startswith(f"{bucket.url}/a.tfrecord: expected shards, found none")


def test_a_url_that_names_nothing(fails, bucket):
    assert fails("inspect", f"{bucket.url}/*.tfrecord").startswith(f"yt8m: {bucket.url}/*.tfrecord: expected shards")
