"""The transformer as a whole against numpy."""

import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny
from yt8m.layers.head import OUTPUT

HEADS, WIDTH = tiny.ARGS["transformer"]["heads"], tiny.ARGS["transformer"]["width"]


def layer_norm(x, layer):
    scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
    return scaled * reference.of(layer.gamma) + reference.of(layer.beta)


def attention(x, layer):
    """Of n frames to n frames, head by head."""
    query, key, value = (
        np.einsum("nd,dhk->hnk", x, reference.of(part.kernel))
        for part in (layer.query_dense, layer.key_dense, layer.value_dense)
    )
    weights = reference.softmax(query @ key.transpose(0, 2, 1) / np.sqrt(WIDTH // HEADS))
    return np.einsum("hnk,hkd->nd", weights @ value, reference.of(layer.output_dense.kernel))


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
def test_scores_equal_numpy(schema, level):
    model = tiny.randomized("transformer", schema, level)
    inputs, expected = tiny.batch(schema=schema, level=level), []
    for row in range(3):
        x = reference.batch_norm(forward.frames(inputs, row, schema), model.get_layer("input_norm"))
        x = forward.dense(x, model.get_layer("project"))
        for index in range(2):
            part = {name: model.get_layer(f"{name}_{index}") for name in ("attention_norm", "attention", "dense_norm")}
            x = x + attention(layer_norm(x, part["attention_norm"]), part["attention"])
            wide = forward.dense(layer_norm(x, part["dense_norm"]), model.get_layer(f"expand_{index}"))
            x = x + forward.dense(np.maximum(wide, 0), model.get_layer(f"reduce_{index}"))
        x = layer_norm(x, model.get_layer("norm")).mean(axis=0)
        expected.append(reference.experts(x, model.get_layer(OUTPUT)))
    np.testing.assert_allclose(tiny.score(model, inputs), expected, atol=1e-5)


def test_the_order_of_frames_changes_nothing():
    model, inputs = tiny.randomized("transformer"), tiny.batch((7,))
    turned = {name: x[:, ::-1] if x.ndim == 3 else x for name, x in inputs.items()}
    np.testing.assert_allclose(tiny.score(model, turned), tiny.score(model, inputs), atol=1e-6)


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="heads: expected a divisor of width, 8, received 3"):
        tiny.new("transformer", heads=3)
