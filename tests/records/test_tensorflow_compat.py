"""TensorFlow reads what we write, and we read what TensorFlow writes."""

from pathlib import Path

import numpy as np
import pytest

from tests.records import made
from tests.records.made import SCHEMA, same
from yt8m.core.schema import Level
from yt8m.records.videos import encode_labels, encode_means, read_videos

tf = pytest.importorskip("tensorflow")


def test_tensorflow_reads_frames(tmp_path):
    videos = made.write_shard(tmp_path / "shard", Level.FRAME, 10)
    records = list(tf.data.TFRecordDataset(str(tmp_path / "shard")))
    assert len(records) == len(videos)
    for video, record in zip(videos, records, strict=True):
        context, lists = tf.io.parse_single_sequence_example(
            record,
            {"id": tf.io.FixedLenFeature([], tf.string), "labels": tf.io.VarLenFeature(tf.int64)},
            {name: tf.io.FixedLenSequenceFeature([], tf.string) for name in SCHEMA.features},
        )
        assert context["id"].numpy().decode() == video.id
        assert tf.sparse.to_dense(context["labels"]).numpy().tolist() == video.labels.tolist()
        for name, rows in video.features.items():
            np.testing.assert_array_equal(tf.io.decode_raw(lists[name], tf.uint8).numpy(), rows)


def test_tensorflow_reads_means(tmp_path):
    videos = made.write_shard(tmp_path / "shard", Level.VIDEO, 10)
    keys = {f"mean_{name}": tf.io.FixedLenFeature([size], tf.float32) for name, size in SCHEMA.features.items()}
    keys |= {"id": tf.io.FixedLenFeature([], tf.string), "labels": tf.io.VarLenFeature(tf.int64)}
    records = list(tf.data.TFRecordDataset(str(tmp_path / "shard")))
    assert len(records) == len(videos)
    for video, record in zip(videos, records, strict=True):
        values = tf.io.parse_single_example(record, keys)
        assert values["id"].numpy().decode() == video.id
        assert tf.sparse.to_dense(values["labels"]).numpy().tolist() == video.labels.tolist()
        for name, rows in video.features.items():
            np.testing.assert_array_equal(values[f"mean_{name}"].numpy(), rows[0])


def test_tensorflow_reads_means_encoded_together():
    labels = [[], [3], [127, 128, 3861]]
    x = np.random.default_rng(0).normal(size=(3, SCHEMA.width)).astype(np.float32)
    encoded = [encode_labels(np.array(row, np.int32), SCHEMA) for row in labels]
    for index, record in enumerate(encode_means(["a", "ü~int~字", "c" * 200], encoded, x, SCHEMA)):
        stored = tf.train.Example.FromString(record).features.feature
        assert stored.keys() == {"id", "labels", "mean_rgb", "mean_audio"}
        assert stored["id"].bytes_list.value == [["a", "ü~int~字", "c" * 200][index].encode()]
        assert list(stored["labels"].int64_list.value) == labels[index]
        assert [*stored["mean_rgb"].float_list.value, *stored["mean_audio"].float_list.value] == x[index].tolist()


def feature(*values):
    """TensorFlow's `Feature` of any of its types."""
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def write(path: Path, messages: list) -> None:
    with tf.io.TFRecordWriter(str(path)) as file:
        for message in messages:
            file.write(message.SerializeToString())


def shuffled(random: np.random.Generator, entries: dict) -> dict:
    names = list(entries)
    return {names[index]: entries[names[index]] for index in random.permutation(len(names))}


@pytest.mark.parametrize("level", Level)
def test_we_read_tensorflow(tmp_path, level):
    random = np.random.default_rng(0)
    videos = [made.make(level, random, f"v{index}") for index in range(20)]
    messages = []
    for video in videos:
        context = {
            "id": feature(video.id.encode()),
            "labels": feature(*video.labels[::-1].tolist()),
            "start_time_seconds": feature(1.5),
        }
        if level is Level.VIDEO:
            means = {f"mean_{name}": feature(*rows[0].tolist()) for name, rows in video.features.items()}
            entries = shuffled(random, context | means)
            messages.append(tf.train.Example(features=tf.train.Features(feature=entries)))
            continue
        lists = {
            name: tf.train.FeatureList(feature=[feature(row.tobytes()) for row in rows])
            for name, rows in video.features.items()
        } | {"flow": tf.train.FeatureList(feature=[feature(b"x")])}
        messages.append(
            tf.train.SequenceExample(
                context=tf.train.Features(feature=shuffled(random, context)),
                feature_lists=tf.train.FeatureLists(feature_list=shuffled(random, lists)),
            )
        )
    write(tmp_path / "shard", messages)
    read = list(read_videos(tmp_path / "shard", level, SCHEMA))
    assert len(read) == len(videos)
    assert all(map(same, read, videos))


def test_we_write_tensorflows_bytes(tmp_path):
    """The container too: byte for byte what TFRecordWriter makes of the same records."""
    made.write_shard(tmp_path / "ours", Level.FRAME, 5)
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as file:
        for record in tf.data.TFRecordDataset(str(tmp_path / "ours")):
            file.write(record.numpy())
    assert (tmp_path / "theirs").read_bytes() == (tmp_path / "ours").read_bytes()
