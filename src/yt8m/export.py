"""A trained model as a TensorFlow SavedModel, which reads records itself and needs nothing of this package."""

from pathlib import Path
from typing import Any

import keras

from yt8m import models
from yt8m.data.dataset import LENGTH
from yt8m.data.manifest import DataError
from yt8m.errors import InputError
from yt8m.files import whole
from yt8m.schema import Level, Schema


def export(model: Path, output: Path, k: int) -> None:
    """Write a SavedModel with one endpoint, `serve`, which is also the default signature.

    It takes records (`SequenceExample`s or `Example`s, as the model's level has it), (B,) string, and returns `id` (B,)
    string, `classes` (B, k) int32 and `scores` (B, k) float32, highest first.

    Args:
        model: folder of a trained model.
        output: a folder that does not exist yet.

    Raises:
        InputError: where it does exist, the model is damaged, or Keras does not run on TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError(f"export: expected the backend tensorflow, received {keras.backend.backend()}")
    if output.exists():
        raise DataError(f"{output}: expected a folder that does not exist yet")
    import tensorflow as tf

    network, description = models.load(model)
    schema, level = Schema.model_validate(description["schema"]), Level(description["level"])

    def serve(records: Any) -> dict[str, Any]:
        ids, inputs = (_frames if level is Level.FRAME else _means)(records, schema)
        scores, classes = tf.math.top_k(network(inputs, training=False), min(k, schema.classes))
        return {"id": ids, "classes": classes, "scores": scores}

    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", serve, input_signature=[tf.TensorSpec([None], tf.string, name="records")])
    with whole(output) as folder:
        archive.write_out(str(folder), verbose=False)


def _frames(records: Any, schema: Schema) -> tuple[Any, dict[str, Any]]:
    """Ids and the model's inputs of `SequenceExample`s; as `collate` makes them."""
    import tensorflow as tf

    context, frames, lengths = tf.io.parse_sequence_example(
        records,
        context_features={schema.id_key: tf.io.FixedLenFeature([], tf.string)},
        sequence_features={name: tf.io.FixedLenSequenceFeature([], tf.string) for name in schema.features},
    )
    inputs, most = {}, schema.frames(Level.FRAME)
    for name, size in schema.features.items():
        rows = frames[name][:, :most]
        padded = tf.pad(rows, [[0, 0], [0, most - tf.shape(rows)[1]]])
        inputs[name] = tf.ensure_shape(tf.io.decode_raw(padded, tf.uint8, fixed_length=size), [None, most, size])
    inputs[LENGTH] = tf.cast(tf.minimum(lengths[schema.primary], most), tf.int32)
    return context[schema.id_key], inputs


def _means(records: Any, schema: Schema) -> tuple[Any, dict[str, Any]]:
    """Ids and the model's inputs of `Example`s: one frame each."""
    import tensorflow as tf

    keys = {name: schema.mean_key(name) for name in schema.features}
    parsed = tf.io.parse_example(
        records,
        {schema.id_key: tf.io.FixedLenFeature([], tf.string)}
        | {key: tf.io.FixedLenFeature([schema.features[name]], tf.float32) for name, key in keys.items()},
    )
    inputs = {name: parsed[key][:, None] for name, key in keys.items()}
    inputs[LENGTH] = tf.ones(tf.shape(records), tf.int32)
    return parsed[schema.id_key], inputs
