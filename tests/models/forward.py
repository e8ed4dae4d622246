"""Whole models in float64 numpy, a video at a time, from the layers' references."""

import numpy as np

from tests.layers import reference
from tests.models import tiny
from yt8m.core.schema import Level
from yt8m.layers.head import OUTPUT


def frames(inputs, row, schema):
    """The frames that one video has, dequantised and each divided by its length: (n, width)."""
    parts = []
    for name in schema.features:
        values = inputs[name][row, : inputs["num_frames"][row]]
        parts.append(values * (4 / 255) + (4 / 512 - 2) if values.dtype == np.uint8 else values.astype(np.float64))
    return np.array([reference.unit(frame) for frame in np.concatenate(parts, axis=1)])


def dense(x, layer):
    return x @ reference.of(layer.kernel) + reference.of(layer.bias)


def hidden(vector, model):
    return dense(vector, model.get_layer("hidden"))


def pooled(model, inputs, row, schema, pools):
    """Normalised frames, each feature pooled by its `(layer's name, function)`, side by side."""
    x = reference.batch_norm(frames(inputs, row, schema), model.get_layer("input_norm"))
    vectors, start = [], 0
    for name, size in schema.features.items():
        layer, pool = pools[name]
        vectors.append(pool(x[:, start : start + size], model.get_layer(layer)))
        start += size
    return np.concatenate(vectors)


def plain(vector, model):
    """Hidden layer and experts."""
    return reference.experts(hidden(vector, model), model.get_layer(OUTPUT))


def gated(vector, model):
    """Hidden layer, context gate, experts, probability gate."""
    x = reference.context_gate(hidden(vector, model), model.get_layer("context_gate"))
    p = reference.experts(x, model.get_layer(OUTPUT))
    return reference.context_gate(p, model.get_layer("probability_gate"))


def assert_equals(family, schema, level, pools, classify):
    """A pooling family's scores are what numpy makes of its weights."""
    model, inputs = tiny.randomized(family, schema, level), tiny.batch(schema=schema, level=level)
    expected = [classify(pooled(model, inputs, row, schema, pools), model) for row in range(len(inputs["num_frames"]))]
    np.testing.assert_allclose(tiny.score(model, inputs), expected, atol=1e-5)


CASES = [
    (tiny.SCHEMA, Level.FRAME),
    (tiny.SCHEMA, Level.VIDEO),
    (tiny.ONE_FEATURE, Level.FRAME),
]
