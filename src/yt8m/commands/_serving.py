"""A trained model as a TensorFlow SavedModel that takes records as they are stored.

TensorFlow parses them here, in the graph; `records.videos` is what it has to equal, and the tests hold it to that.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from yt8m.core.schema import LENGTH, Level, Schema


def export(model: keras.Model, schema: Schema, level: Level, top_k: int, folder: Path) -> None:
    """Write a SavedModel, whose loading needs TensorFlow alone.

    Its signature `serving_default` takes `records`, (B,) strings, at least one: serialized `SequenceExample`s at the
    frame level, `Example`s at the video level. It gives `ids`, (B,) strings; `indices`, (B, k) int32, and `scores`,
    (B, k) float32, of the k = min(`top_k`, classes) highest classes, highest first and ties by class number. A record
    that does not fit the schema is an `InvalidArgumentError`.

    Raises:
        OSError: where the folder cannot be written.
    """
    parse = _frame_level if level is Level.FRAME else _video_level

    def serve(records: tf.Tensor) -> dict[str, tf.Tensor]:
        ids, inputs = parse(records, schema)
        scores, indices = tf.math.top_k(model(inputs, training=False), min(top_k, schema.classes))
        return {"ids": ids, "indices": indices, "scores": scores}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, [tf.TensorSpec([None], tf.string, "records")])
    try:
        archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:  # a full disk, for one
        raise OSError(f"{folder}: {error.message}") from None


def _frame_level(records: tf.Tensor, schema: Schema) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Ids and a model's inputs: bytes (B, T, size), zeros behind each video's frames, and its frames (B,)."""
    frames = tf.io.FixedLenSequenceFeature([], tf.string)
    context, lists, stored = tf.io.parse_sequence_example(records, _id(schema), dict.fromkeys(schema.features, frames))
    lengths = {name: tf.minimum(tf.cast(stored[name], tf.int32), schema.max_frames) for name in schema.features}
    length = lengths[schema.primary]
    tf.debugging.assert_positive(length, "expected a frame in each video")
    inputs = {LENGTH: length}
    for name, size in schema.features.items():
        tf.debugging.assert_equal(lengths[name], length, f"{name}: expected as many frames as {schema.primary} has")
        rows = lists[name][:, : schema.max_frames]
        rows = tf.pad(rows, [[0, 0], [0, schema.max_frames - tf.shape(rows)[1]]])
        real = tf.sequence_mask(length, schema.max_frames)
        sizes = tf.boolean_mask(tf.strings.length(rows), real)
        tf.debugging.assert_equal(sizes, size, f"{name}: expected {size} bytes a frame")  # decode_raw would pad or cut
        inputs[name] = tf.io.decode_raw(rows, tf.uint8, fixed_length=size)
    return _ids(context, schema, records), inputs


def _video_level(records: tf.Tensor, schema: Schema) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Ids and a model's inputs: floats (B, 1, size), and 1 for each video (B,)."""
    sizes = {schema.mean_key(name): tf.io.FixedLenFeature([size], tf.float32) for name, size in schema.features.items()}
    stored: Mapping[str, Any] = tf.io.parse_example(records, _id(schema) | sizes)
    inputs = {LENGTH: tf.ones(tf.shape(records), tf.int32)}
    for name in schema.features:
        values = tf.debugging.assert_all_finite(stored[schema.mean_key(name)], f"{name}: expected finite floats")
        inputs[name] = values[:, None]
    return _ids(stored, schema, records), inputs


def _id(schema: Schema) -> dict[str, tf.io.FixedLenFeature]:
    return {schema.id_key: tf.io.FixedLenFeature([], tf.string)} if schema.id_key else {}


def _ids(stored: Mapping[str, Any], schema: Schema, records: tf.Tensor) -> tf.Tensor:
    """The ids of records, empty where they have none: their shards' names are not known here."""
    return stored[schema.id_key] if schema.id_key else tf.fill(tf.shape(records), "")
