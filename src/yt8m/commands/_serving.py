"""A model as a TensorFlow SavedModel that takes records as they are stored.

TensorFlow parses them here, in the graph; `records.videos` is what it has to equal, and the tests hold it to that.
TensorFlow's own parsers of examples take one kind of values for each feature; `decode_proto` takes what is there.
"""

from pathlib import Path

import keras
import tensorflow as tf

from yt8m.core.quantization import OFFSET, SCALE
from yt8m.core.schema import LENGTH, Level, Schema
from yt8m.records.videos import ZERO


def export(model: keras.Model, schema: Schema, level: Level, top_k: int, folder: Path) -> None:
    """Write a SavedModel, whose loading needs TensorFlow alone.

    Its signature `serving_default` takes `records`, (B,) strings, at least one: serialized `SequenceExample`s at the
    frame level, `Example`s at the video level. It gives `ids`, (B,) strings, empty where the schema has no key for
    them; `indices`, (B, `top_k`) int32, and `scores`, (B, `top_k`) float32, of the highest classes, highest first and
    ties by class number. A record that does not fit the schema is an `InvalidArgumentError`, one whose bytes are
    no record a `DataLossError`.

    Args:
        top_k: at most as many as there are classes.

    Raises:
        OSError: where the folder cannot be written.
    """
    parse = _frame_level if level is Level.FRAME else _video_level

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "records")])
    def serve(records: tf.Tensor) -> dict[str, tf.Tensor]:
        ids, inputs = parse(records, schema)
        return {"ids": ids, **highest(model, inputs, top_k)}

    module = tf.Module()  # Keras's own archive stores each weight twice
    module.weights = [weight.value for weight in model.weights]
    try:
        tf.saved_model.save(module, str(folder), {"serving_default": serve})
    except tf.errors.OpError as error:  # a full disk, for one
        raise OSError(f"{folder}: {error.message}") from None


def highest(model: keras.Model, inputs: dict[str, tf.Tensor], top_k: int) -> dict[str, tf.Tensor]:
    """`indices`, (B, k) int32, and `scores`, (B, k) float32, of the highest classes; ties by class number."""
    scores, indices = tf.math.top_k(model(inputs, training=False), top_k)
    return {"indices": indices, "scores": scores}


def _frame_level(records: tf.Tensor, schema: Schema) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Ids and a model's inputs: bytes (B, T, size), zeros behind each video's frames, and its frames (B,)."""
    context, lists = (found[:, 0] for found, _ in _fields(records, "SequenceExample", "context", "feature_lists"))
    stored = {name: _frames(lists, name, schema) for name in schema.features}
    lengths = tf.stack([length for _, length in stored.values()], axis=1)
    here, longest = lengths > 0, tf.reduce_max(lengths, axis=1, keepdims=True)
    _require(tf.reduce_any(here, axis=1), "expected a frame in each video")
    if schema.missing_features == "refuse":
        _require(here, f"expected a frame in each of the features {list(schema.features)}")
    if schema.uneven_frames == "refuse":
        _require(~here | (lengths == longest), f"expected as many frames in each of {list(schema.features)}")
    length = tf.reduce_min(tf.where(here, lengths, schema.max_frames), axis=1)
    length = tf.minimum(length, schema.max_frames)
    real = tf.sequence_mask(length, schema.max_frames)[..., None]
    inputs = {LENGTH: length}
    for index, (name, (codes, _)) in enumerate(stored.items()):
        codes = tf.where(here[:, index, None, None], codes, tf.constant(ZERO, tf.uint8))
        inputs[name] = tf.where(real, codes, tf.constant(0, tf.uint8))
    return _ids(context, schema), inputs


def _frames(lists: tf.Tensor, name: str, schema: Schema) -> tuple[tf.Tensor, tf.Tensor]:
    """The first frames of a feature, (B, T, size) uint8, and how many there are, (B,) int32; floats are quantised."""
    size = schema.features[name]
    ((features, length),) = _fields(_entry(lists, "FeatureList", name), "FeatureList", "feature")
    features = features[:, : schema.max_frames]
    (coded, _), (floats, held) = _fields(features, "Feature", "bytes_list", "float_list")
    at = tf.where(held > 0)
    values = _floats(floats[..., 0], at, size, name)
    ((texts, count),) = _fields(coded[..., 0], "BytesList", "value")
    texts = texts[..., 0]
    fits = (held > 0) | ((count == 1) & (tf.strings.length(texts) == size))  # decode_raw would pad or cut
    real = tf.sequence_mask(length, tf.shape(features)[1])
    _require(fits | ~real, f"{name}: expected {size} bytes or floats a frame")
    codes = tf.io.decode_raw(texts, tf.uint8, fixed_length=size)
    nearest = tf.clip_by_value(tf.round((values - OFFSET) / SCALE), 0, 255)
    codes = tf.tensor_scatter_nd_update(codes, at, tf.cast(nearest, tf.uint8))
    codes = tf.pad(codes, [[0, 0], [0, schema.max_frames - tf.shape(codes)[1]], [0, 0]])
    return tf.ensure_shape(codes, [None, schema.max_frames, size]), length


def _video_level(records: tf.Tensor, schema: Schema) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Ids and a model's inputs: floats (B, 1, size), and 1 for each video (B,)."""
    ((features, _),) = _fields(records, "Example", "features")
    stored = {name: _entry(features[:, 0], "Feature", schema.mean_key(name)) for name in schema.features}
    here = tf.stack([tf.strings.length(feature) > 0 for feature in stored.values()], axis=1)
    _require(tf.reduce_any(here, axis=1), f"expected one of the features {list(schema.features)} at least")
    if schema.missing_features == "refuse":
        _require(here, f"expected all of the features {list(schema.features)}")
    inputs = {LENGTH: tf.ones(tf.shape(records), tf.int32)}
    for index, (name, size) in enumerate(schema.features.items()):
        at = tf.where(here[:, index])
        ((floats, _),) = _fields(stored[name], "Feature", "float_list")
        values = _floats(floats[:, 0], at, size, name)
        inputs[name] = tf.scatter_nd(at, values, [tf.shape(records, tf.int64)[0], size])[:, None]
    return _ids(features[:, 0], schema), inputs


def _ids(context: tf.Tensor, schema: Schema) -> tf.Tensor:
    """The ids of records, empty where they have none: their shards' names are not known here."""
    if not schema.id_key:
        return tf.fill(tf.shape(context), "")
    ((lists, _),) = _fields(_entry(context, "Feature", schema.id_key), "Feature", "bytes_list")
    ((ids, count),) = _fields(lists[:, 0], "BytesList", "value")
    _require((count == 1) & (tf.strings.length(ids[:, 0]) > 0), f"{schema.id_key}: expected one id")
    return ids[:, 0]


def _floats(messages: tf.Tensor, at: tf.Tensor, size: int, name: str) -> tf.Tensor:
    """The values of those `FloatList`s among messages, (…) strings, that stand `at` n places, as (n, size) float32."""
    sizes, (values,) = tf.io.decode_proto(messages, "tensorflow.FloatList", ["value"], [tf.float32])
    _require(tf.gather_nd(sizes, at) == size, f"{name}: expected {size} floats")
    values = tf.reshape(tf.gather_nd(values, at), [-1, size])
    _require(tf.math.is_finite(values), f"{name}: expected finite floats")
    return values


def _entry(maps: tf.Tensor, kind: str, name: str) -> tf.Tensor:
    """The entry of a name in `Features` or `FeatureLists`, (B,) strings; empty where there is none.

    Args:
        kind: of the entries, `Feature` or `FeatureList`.
    """
    ((entries, _),) = _fields(maps, f"{kind}s", "feature_list" if kind == "FeatureList" else "feature")
    (keys, _), (values, _) = _fields(entries, f"{kind}s.{kind}Entry", "key", "value")
    keys, values = keys[..., 0], values[..., 0]
    last = tf.reduce_max(tf.where(keys == name, tf.range(tf.shape(keys)[1]), -1), axis=1)
    return tf.where(last < 0, "", tf.gather(values, tf.maximum(last, 0), batch_dims=1))


def _fields(messages: tf.Tensor, message: str, *names: str) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """For each field of strings or messages: what it holds, (…, n), padded with empty ones, and how many, (…)."""
    sizes, found = tf.io.decode_proto(messages, f"tensorflow.{message}", list(names), [tf.string] * len(names))
    return list(zip(found, tf.unstack(sizes, axis=-1), strict=True))


def _require(condition: tf.Tensor, message: str) -> None:
    tf.debugging.Assert(tf.reduce_all(condition), [message])
