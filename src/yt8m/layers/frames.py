"""From stored bytes to the normalised frames that every family starts from, on the device."""

from itertools import accumulate

import keras
from keras import ops

from yt8m.core.quantization import OFFSET, SCALE
from yt8m.core.schema import LENGTH, Level, Schema
from yt8m.layers.normalization import l2_normalize


@keras.saving.register_keras_serializable("yt8m")
class Dequantize(keras.layers.Layer):
    """Bytes to floats: `x * 4/255 + 4/512 - 2`; floats pass as they are.

    Input shape: any, uint8 or float32. Output shape: the same, float32.
    """

    def call(self, x):
        if keras.backend.standardize_dtype(x.dtype) != "uint8":
            return x
        return ops.cast(x, "float32") * SCALE + OFFSET

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, "float32")


@keras.saving.register_keras_serializable("yt8m")
class SampleFrames(keras.layers.Layer):
    """Draw frames with replacement in training; pass all frames, with their mask, otherwise.

    Args:
        frames: number of frames drawn in training.

    Call arguments:
        features: list of (B, T, size) tensors.
        length: (B,) int32, the frames that each video has; what lies behind is padding.

    Output shape: the features, (B, frames or T, size), and a (B, frames or T) mask of what is no padding.
    """

    def __init__(self, frames: int, **kwargs):
        super().__init__(**kwargs)
        self.frames = frames
        self.generator = keras.random.SeedGenerator()

    def call(self, features, length, training=False):
        if not training:
            mask = ops.arange(ops.shape(features[0])[1], dtype="int32")[None] < length[:, None]
            return [*features, mask]
        batch, total = ops.shape(features[0])[0], ops.shape(features[0])[1]
        uniform = keras.random.uniform((batch, self.frames), seed=self.generator)
        index = ops.cast(uniform * ops.cast(length, "float32")[:, None], "int32")
        index = ops.minimum(index, ops.maximum(length - 1, 0)[:, None])  # uniform * length may round up
        rows = index + ops.arange(batch, dtype="int32")[:, None] * total
        # Gathering whole rows of the flattened batch costs far less than gathering elements.
        drawn = [ops.take(ops.reshape(x, (-1, x.shape[-1])), rows, axis=0) for x in features]
        return [*drawn, ops.broadcast_to((length > 0)[:, None], ops.shape(index))]

    def compute_output_spec(self, features, length, training=False):
        batch = features[0].shape[0]
        shapes = [keras.KerasTensor((batch, None, x.shape[-1]), x.dtype) for x in features]
        return [*shapes, keras.KerasTensor((batch, None), "bool")]

    def get_config(self):
        return super().get_config() | {"frames": self.frames}


@keras.saving.register_keras_serializable("yt8m")
class NormalizeFrames(keras.layers.Layer):
    """L2-normalise each frame's concatenated features and set padding to zero.

    Call arguments: list of (B, T, size) floats, mask (B, T). Output shape: (B, T, sum of sizes).
    """

    def call(self, features, mask):
        x = l2_normalize(ops.concatenate(features, axis=-1))
        return x * ops.cast(mask, x.dtype)[..., None]


def video_inputs(schema: Schema, level: Level) -> dict[str, keras.KerasTensor]:
    """The inputs of a model: each feature (B, T, size) as stored, and `num_frames` (B,) int32."""
    inputs = {
        name: keras.Input((schema.frames(level), size), dtype=schema.dtype(level), name=schema.layer(name))
        for name, size in schema.features.items()
    }
    return inputs | {LENGTH: keras.Input((), dtype="int32", name=LENGTH)}


def frames_in_order(inputs: dict, schema: Schema, level: Level):
    """All frames, normalised: (B, T, width) and mask (B, T)."""
    mask = inputs[LENGTH][:, None] > ops.arange(schema.frames(level), dtype="int32")[None]
    return _normalized(schema, [inputs[name] for name in schema.features], mask), mask


def mean_frame(inputs: dict, schema: Schema, level: Level):
    """The mean of a video's normalised frames, (B, width)."""
    return mean_over(*frames_in_order(inputs, schema, level))


def mean_over(x, mask):
    """The mean (B, D) of each video's frames (B, T, D), without padding; zeros of a video without any."""
    shown = ops.cast(mask, x.dtype)[..., None]
    return ops.sum(x * shown, axis=1) / ops.maximum(ops.sum(shown, axis=1), 1.0)


def sampled_frames(inputs: dict, schema: Schema, frames: int):
    """Frames drawn with replacement in training and all of them otherwise, normalised: (B, S, width), mask (B, S)."""
    sample = SampleFrames(frames, dtype="float32", name="sample")
    *drawn, mask = sample([inputs[name] for name in schema.features], inputs[LENGTH])
    return _normalized(schema, drawn, mask), mask


def _normalized(schema: Schema, features, mask):
    # Bytes become float32, and the compute type only behind their norm.
    names = [f"dequantize_{schema.layer(name)}" for name in schema.features]
    x = [Dequantize(dtype="float32", name=name)(x) for name, x in zip(names, features, strict=True)]
    return NormalizeFrames(dtype="float32", name="normalize")(x, mask)


def split_features(x, schema: Schema) -> dict:
    """The features of concatenated frames (B, T, width), by name."""
    # Not cut out one by one: the gradient of a slice takes TensorFlow a third of a training's time, of a split little.
    *ends, _ = accumulate(schema.features.values())
    return dict(zip(schema.features, ops.split(x, ends, axis=-1) if ends else [x], strict=True))
