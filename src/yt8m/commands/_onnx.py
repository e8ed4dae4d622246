"""A model as an ONNX file that takes decoded features."""

from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from yt8m.commands._serving import highest
from yt8m.core.errors import InputError
from yt8m.core.schema import LENGTH, Level, Schema

FILE, BESIDE = "model.onnx", "model.onnx.data"
OPSET = 18
LARGEST = 2_000_000_000  # bytes of weights; protocol buffers end at 2 GiB


def export(model: keras.Model, schema: Schema, level: Level, top_k: int, folder: Path) -> None:
    """Write `model.onnx`, and where its weights are beyond 2 GB `model.onnx.data` beside it with them.

    Its inputs are a model's: each feature by its name, (B, T, size) as stored, padded with zeros to T, the schema's
    frames; and `num_frames`, (B,) int32. It gives `indices`, (B, `top_k`) int32, and `scores`, (B, `top_k`) float32,
    of the highest classes, highest first and ties by class number.

    Args:
        top_k: at most as many as there are classes.

    Raises:
        InputError: where a feature is called as an output is.
        OSError: where the folder cannot be written.
    """
    if taken := [name for name in schema.features if name in ("indices", "scores")]:
        raise InputError(f"--format onnx: expected features with other names than the file's outputs, received {taken}")
    weights = {f"yt8m/weight_{index}": variable for index, variable in enumerate(model.weights)}
    names, frames = [*schema.features, LENGTH], schema.frames(level)

    def score(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = dict(zip(names, tensors, strict=False))
        with keras.StatelessScope(state_mapping=zip(weights.values(), tensors[len(names) :], strict=True)):
            return highest(model, inputs, top_k)

    # Weights are inputs while the graph is converted: as constants of it they might be beyond TensorFlow's own 2 GB.
    signature = [
        *(tf.TensorSpec([None, frames, size], schema.dtype(level), name) for name, size in schema.features.items()),
        tf.TensorSpec([None], tf.int32, LENGTH),
        *(tf.TensorSpec(variable.shape, variable.dtype, name) for name, variable in weights.items()),
    ]
    function = tf.function(score, input_signature=signature)
    proto, _ = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    captured = function.get_concrete_function().graph.captures  # constants, of masks for one
    constants = weights | {inner.name: outer for outer, inner in captured}
    arrays = {name: keras.ops.convert_to_numpy(value) for name, value in constants.items()}
    _hold(proto.graph, arrays)
    large = sum(array.nbytes for array in arrays.values()) > LARGEST
    folder.mkdir()
    onnx.save_model(proto, folder / FILE, save_as_external_data=large, location=BESIDE)
    if large:
        (folder / BESIDE).chmod((folder / FILE).stat().st_mode)  # onnx keeps it from all other users


def _hold(graph: onnx.GraphProto, values: dict[str, np.ndarray]) -> None:
    """Make inputs of a graph constants that it holds."""
    asked = [each for each in graph.input if each.name not in values]
    held = [onnx.numpy_helper.from_array(values[each.name], each.name) for each in graph.input if each.name in values]
    del graph.input[:]
    graph.input.extend(asked)
    graph.initializer.extend(held)
