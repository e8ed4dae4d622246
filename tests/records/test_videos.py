from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.records import made
from tests.records.made import SCHEMA, bytes_feature, feature_list, float_feature, int_feature, list_of, same
from yt8m.core.schema import Level
from yt8m.records.tfrecord import RecordError, write_records
from yt8m.records.videos import Losses, Video, encode, encode_labels, encode_means, read_videos

RGB, AUDIO = b"r" * 8, b"a" * 4
CONTEXT = {"id": bytes_feature(b"v"), "labels": int_feature(1, 2)}
LISTS = {"rgb": feature_list(RGB, RGB), "audio": feature_list(AUDIO, AUDIO)}
MEANS = {"mean_rgb": float_feature(*range(8)), "mean_audio": float_feature(*range(4))}


def read_one(folder: Path, level: Level, record: bytes) -> Video:
    write_records(folder / "shard", [record])
    (video,) = read_videos(folder / "shard", level, SCHEMA)
    return video


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("seed", range(3))
def test_round_trip(tmp_path, level, seed):
    written = made.write_shard(tmp_path / "shard", level, 20, seed)
    read = list(read_videos(tmp_path / "shard", level, SCHEMA))
    assert len(read) == 20
    assert all(map(same, read, written))


@pytest.mark.parametrize("level", Level)
def test_empty_file_has_no_videos(tmp_path, level):
    (tmp_path / "empty").touch()
    assert list(read_videos(tmp_path / "empty", level, SCHEMA)) == []


@pytest.mark.parametrize("level", Level)
def test_any_key_order_and_extra_keys(tmp_path, level):
    context = {"start_time_seconds": float_feature(3), "labels": int_feature(2, 1), "id": bytes_feature(b"v")}
    if level is Level.FRAME:
        lists = {"flow": feature_list(b"x"), "audio": LISTS["audio"], "rgb": LISTS["rgb"]}
        video = read_one(tmp_path, level, made.sequence_example(context, lists))
        assert video.features["rgb"].tobytes() == RGB + RGB
    else:
        video = read_one(tmp_path, level, made.example(dict(reversed(MEANS.items())) | context))
        assert video.features["rgb"].tolist() == [list(range(8))]
    assert list(video.features) == ["rgb", "audio"]
    assert video.id == "v"
    assert video.labels.tolist() == [1, 2]


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (int_feature(7, 3, 7, 3), [3, 7]),
        (int_feature(0, 9), [0, 9]),
        (int_feature(), []),
        (b"", []),
        (None, []),
    ],
)
def test_labels(tmp_path, level, labels, expected):
    context = {"id": CONTEXT["id"]} | ({} if labels is None else {"labels": labels})
    record = made.sequence_example(context, LISTS) if level is Level.FRAME else made.example(context | MEANS)
    video = read_one(tmp_path, level, record)
    assert video.labels.tolist() == expected
    assert video.labels.dtype == np.int32


def test_frames_past_the_limit_are_left_out(tmp_path):
    video = made.frame_video(np.random.default_rng(0), "long", frames=SCHEMA.max_frames + 3)
    read = read_one(tmp_path, Level.FRAME, encode(video, Level.FRAME, SCHEMA))
    assert read.frames == SCHEMA.max_frames
    for name, rows in video.features.items():
        np.testing.assert_array_equal(read.features[name], rows[: SCHEMA.max_frames])


BAD_FRAME_LEVEL = {
    "frame 1 too short": (
        CONTEXT,
        LISTS | {"rgb": feature_list(RGB, RGB[1:])},
        "feature 'rgb': frame 1: expected one value of 8 bytes, received sizes .7.",
    ),
    "frame 0 too long": (
        CONTEXT,
        LISTS | {"audio": feature_list(AUDIO + b"a", AUDIO)},
        "feature 'audio': frame 0: expected one value of 4 bytes, received sizes .5.",
    ),
    "all frames wrong": (
        CONTEXT,
        LISTS | {"rgb": feature_list(AUDIO, AUDIO)},
        "feature 'rgb': frame 0: expected one value of 8 bytes, received sizes .4.",
    ),
    "sizes that add up": (
        CONTEXT,
        LISTS | {"rgb": feature_list(RGB[1:], RGB + b"r")},
        "feature 'rgb': frame 0: expected one value of 8 bytes, received sizes .7.",
    ),
    "empty frame": (
        CONTEXT,
        LISTS | {"rgb": feature_list(RGB) + made.field(1)},
        "feature 'rgb': frame 1: expected one value of 8 bytes, received sizes ..",
    ),
    "missing feature": (
        CONTEXT,
        {"rgb": LISTS["rgb"]},
        r"expected 'audio' among its feature lists, received \['rgb'\]",
    ),
    "missing id": (
        {"labels": CONTEXT["labels"]},
        LISTS,
        r"expected 'id' among its keys, received \['labels'\]",
    ),
    "two ids": (CONTEXT | {"id": bytes_feature(b"a", b"b")}, LISTS, "'id': expected one id, received 2"),
    "empty id": (CONTEXT | {"id": bytes_feature(b"")}, LISTS, "'id': expected one id"),
    "id is a number": (CONTEXT | {"id": int_feature(1)}, LISTS, "'id': expected bytes, received int64"),
    "labels are bytes": (CONTEXT | {"labels": bytes_feature(b"3")}, LISTS, "'labels': expected int64, received bytes"),
    "label too large": (
        CONTEXT | {"labels": int_feature(3, 10)},
        LISTS,
        r"'labels': expected labels from 0 to 9, received \[10\]",
    ),
    "label negative": (
        CONTEXT | {"labels": int_feature(-1, 3)},
        LISTS,
        r"'labels': expected labels from 0 to 9, received \[-1\]",
    ),
    "label of more than 64 bits": (
        CONTEXT | {"labels": made.field(3, made.field(1, b"\xff" * 9 + b"\x7f"))},
        LISTS,
        "'labels': a number takes more than 64 bits",
    ),
    "different frame counts": (
        CONTEXT,
        LISTS | {"audio": feature_list(AUDIO)},
        r"expected the same number of frames, at least 1, in each feature, received \{'rgb': 2, 'audio': 1\}",
    ),
    "zero frames": (CONTEXT, {"rgb": b"", "audio": b""}, r"at least 1, .* received \{'rgb': 0, 'audio': 0\}"),
    "zero frames in one": (
        CONTEXT,
        LISTS | {"rgb": b""},
        r"at least 1, .* received \{'rgb': 0, 'audio': 2\}",
    ),
}


@pytest.mark.parametrize(("context", "lists", "match"), BAD_FRAME_LEVEL.values(), ids=BAD_FRAME_LEVEL)
def test_bad_frame_level(tmp_path, context, lists, match):
    records = [made.sequence_example(CONTEXT, LISTS), made.sequence_example(context, lists)]
    refuses_record_1(tmp_path / "bad.tfrecord", Level.FRAME, records, match)


BAD_VIDEO_LEVEL = {
    "too few floats": (
        {"mean_rgb": float_feature(*range(7))},
        "feature 'mean_rgb': expected 8 floats, received 7",
    ),
    "too many floats": (
        {"mean_audio": float_feature(*range(5))},
        "feature 'mean_audio': expected 4 floats, received 5",
    ),
    "ints for floats": (
        {"mean_audio": int_feature(*range(4))},
        "feature 'mean_audio': expected floats, received int64",
    ),
    "not a number": (
        {"mean_audio": float_feature(0, float("nan"), 0, float("inf"))},
        "feature 'mean_audio': expected finite floats, received 2 others",
    ),
    "label too large": ({"labels": int_feature(99)}, r"expected labels from 0 to 9, received \[99\]"),
}


@pytest.mark.parametrize(("change", "match"), BAD_VIDEO_LEVEL.values(), ids=BAD_VIDEO_LEVEL)
def test_bad_video_level(tmp_path, change, match):
    records = [made.example(CONTEXT | MEANS), made.example(CONTEXT | MEANS | change)]
    refuses_record_1(tmp_path / "bad.tfrecord", Level.VIDEO, records, match)


@pytest.mark.parametrize("key", ["id", "mean_rgb", "mean_audio"])
def test_missing_key_at_video_level(tmp_path, key):
    entries = {name: value for name, value in (CONTEXT | MEANS).items() if name != key}
    records = [made.example(CONTEXT | MEANS), made.example(entries)]
    refuses_record_1(tmp_path / "bad.tfrecord", Level.VIDEO, records, f"expected '{key}' among its")


def test_levels_confused(tmp_path):
    frame, video = made.sequence_example(CONTEXT, LISTS), made.example(CONTEXT | MEANS)
    path = tmp_path / "bad.tfrecord"
    refuses_record_1(path, Level.FRAME, [frame, video], "expected a frame-level SequenceExample")
    refuses_record_1(path, Level.VIDEO, [video, frame], "expected 'mean_rgb' among its features")


@pytest.mark.parametrize("level", Level)
def test_content_that_is_no_message(tmp_path, level):
    good = made.sequence_example(CONTEXT, LISTS) if level is Level.FRAME else made.example(CONTEXT | MEANS)
    refuses_record_1(tmp_path / "bad.tfrecord", level, [good, b"\x0a\xff not protobuf"], "")


def refuses_record_1(path: Path, level: Level, records: list[bytes], match: str) -> None:
    write_records(path, records)
    videos = read_videos(path, level, SCHEMA)
    next(videos)
    with pytest.raises(RecordError, match=f"{path}: record 1: .*{match}"):
        next(videos)


@pytest.mark.parametrize("seed", range(3))
def test_means(seed):
    video = made.frame_video(np.random.default_rng(seed), "v")
    for name, rows in video.features.items():
        sums = [0.0] * rows.shape[1]
        for row in rows:
            for column, code in enumerate(row):
                sums[column] += int(code) * 4 / 255 + 4 / 512 - 2
        np.testing.assert_allclose(video.means()[name], np.array(sums) / len(rows), atol=1e-6)


def test_means_of_one_frame_of_floats_are_itself():
    video = made.video_video(np.random.default_rng(0), "v")
    for name, rows in video.features.items():
        np.testing.assert_array_equal(video.means()[name], rows[0])


def test_ids_keep_their_characters(tmp_path):
    video = made.frame_video(np.random.default_rng(0), "ü~int~字")
    assert read_one(tmp_path, Level.FRAME, encode(video, Level.FRAME, SCHEMA)).id == "ü~int~字"


def test_means_of_many_videos_are_encoded_as_one_by_one():
    random = np.random.default_rng(0)
    videos = [made.video_video(random, f"v{index}" * index) for index in range(1, 30)]
    videos[4] = replace(videos[4], labels=np.empty(0, np.int32))
    videos[5] = replace(videos[5], labels=np.array([3, 127, 128, 3861], np.int32))
    features = np.array([np.concatenate([rows[0] for rows in video.features.values()]) for video in videos])
    labels = [encode_labels(video.labels, SCHEMA) for video in videos]
    records = encode_means([video.id for video in videos], labels, features, SCHEMA)
    assert list(records) == [encode(video, Level.VIDEO, SCHEMA) for video in videos]


def parse(folder: Path, record: bytes, level: Level = Level.FRAME, **changes: object) -> Video:
    write_records(folder / "shard.tfrecord", [record])
    (video,) = read_videos(folder / "shard.tfrecord", level, SCHEMA.model_copy(update=changes))
    return video


def test_frames_of_floats_become_the_nearest_codes(tmp_path):
    """As MediaPipe's extractor writes them; what lies beyond the codes is counted."""
    values = np.random.default_rng(0).uniform(-1.9, 1.9, (5, 8)).astype(np.float32)
    values[0, 0], values[1, 1] = 7, -2.1
    lists = {"rgb": list_of(*[float_feature(*row) for row in values.tolist()]), "audio": feature_list(*[AUDIO] * 5)}
    video = parse(tmp_path, made.sequence_example(CONTEXT, lists))
    assert video.features["rgb"].dtype == np.uint8
    kept = video.features["rgb"] * (4 / 255) + 4 / 512 - 2
    np.testing.assert_allclose(kept, np.clip(values, -2, 2.01), atol=2 / 255 + 1e-6)
    assert video.losses == Losses(values=2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_frames_that_are_no_numbers(tmp_path, bad):
    lists = {"rgb": list_of(float_feature(*range(7), bad)), "audio": feature_list(AUDIO)}
    with pytest.raises(RecordError, match="feature 'rgb': expected finite floats, received 1 others"):
        parse(tmp_path, made.sequence_example(CONTEXT, lists))


def test_frames_of_too_few_floats(tmp_path):
    lists = {"rgb": list_of(float_feature(*range(8)), float_feature(1)), "audio": feature_list(AUDIO, AUDIO)}
    with pytest.raises(RecordError, match="feature 'rgb': frame 1: expected 8 floats, received 1"):
        parse(tmp_path, made.sequence_example(CONTEXT, lists))


@pytest.mark.parametrize(("rgb", "audio"), [(5, 4), (4, 5), (6, 1)])
def test_features_of_different_lengths_end_with_the_shortest(tmp_path, rgb, audio):
    record = made.sequence_example(
        CONTEXT, {"rgb": feature_list(*[RGB] * rgb), "audio": feature_list(*[AUDIO] * audio)}
    )
    video = parse(tmp_path, record, uneven_frames="cut")
    assert {len(rows) for rows in video.features.values()} == {min(rgb, audio)}
    assert video.losses == Losses(frames=abs(rgb - audio))
    with pytest.raises(RecordError, match=rf"each feature, received \{{'rgb': {rgb}, 'audio': {audio}\}}"):
        parse(tmp_path, record)


def test_a_feature_without_frames_is_not_the_shortest(tmp_path):
    """A video without sound would have no frame left."""
    record = made.sequence_example(CONTEXT, {"rgb": feature_list(RGB), "audio": b""})
    with pytest.raises(RecordError, match="'audio': 0"):
        parse(tmp_path, record, uneven_frames="cut")


@pytest.mark.parametrize("lists", [{"rgb": LISTS["rgb"]}, LISTS | {"audio": b""}], ids=["no key", "no frames"])
def test_a_missing_feature_is_zeros(tmp_path, lists):
    record = made.sequence_example(CONTEXT, lists)
    video = parse(tmp_path, record, missing_features="zeros")
    assert list(video.features) == ["rgb", "audio"]
    assert video.features["rgb"].tobytes() == RGB + RGB
    assert video.features["audio"].shape == (2, 4)
    np.testing.assert_allclose(video.features["audio"] * (4 / 255) + 4 / 512 - 2, 0, atol=2 / 255)
    assert video.losses == Losses(features=1)
    with pytest.raises(RecordError, match="'audio'"):
        parse(tmp_path, record)


def test_a_missing_mean_is_zeros(tmp_path):
    video = parse(
        tmp_path, made.example(CONTEXT | {"mean_audio": MEANS["mean_audio"]}), Level.VIDEO, missing_features="zeros"
    )
    assert video.features["rgb"].tolist() == [[0.0] * 8]
    assert video.features["audio"].tolist() == [list(range(4))]
    assert video.losses == Losses(features=1)


@pytest.mark.parametrize("level", Level)
def test_a_video_without_any_feature_is_refused(tmp_path, level):
    record = (
        made.sequence_example(CONTEXT, {"flow": feature_list(b"x")}) if level is Level.FRAME else made.example(CONTEXT)
    )
    with pytest.raises(RecordError, match="record 0: expected"):
        parse(tmp_path, record, level, missing_features="zeros")


def test_frames_beyond_the_limit_are_counted(tmp_path):
    record = made.sequence_example(CONTEXT, {"rgb": feature_list(*[RGB] * 9), "audio": feature_list(*[AUDIO] * 9)})
    video = parse(tmp_path, record)
    assert (video.frames, video.losses) == (6, Losses(frames=3))


@pytest.mark.parametrize("level", Level)
def test_videos_without_ids_are_numbered(tmp_path, level):
    schema = SCHEMA.model_copy(update={"id_key": None})
    videos = [made.make(level, np.random.default_rng(index), "") for index in range(3)]
    write_records(tmp_path / "a-00000-of-00001.gz", [encode(video, level, schema) for video in videos])
    read = list(read_videos(tmp_path / "a-00000-of-00001.gz", level, schema))
    assert [video.id for video in read] == [f"a-00000-of-00001:{index}" for index in range(3)]
    for one, other in zip(read, videos, strict=True):
        assert same(replace(one, id=""), other)


def test_means_of_videos_without_ids(tmp_path):
    schema = SCHEMA.model_copy(update={"id_key": None})
    features = np.arange(24, dtype=np.float32).reshape(2, 12)
    labels = [encode_labels(np.array([1, 2]), schema)] * 2
    write_records(tmp_path / "s.tfrecord", encode_means(["x", "y"], labels, features, schema))
    first, second = read_videos(tmp_path / "s.tfrecord", Level.VIDEO, schema)
    assert (first.id, second.id) == ("s:0", "s:1")
    assert second.features["audio"].tolist() == [features[1, 8:].tolist()]
