"""A chain of experts as a whole against numpy."""

import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny
from yt8m.layers.head import OUTPUT
from yt8m.training.losses import cross_entropy

STAGES = tiny.ARGS["chain"]["stages"]


def stages(model, inputs, row, schema):
    """The scores of all stages for a video, (S, C)."""
    x = reference.batch_norm(forward.frames(inputs, row, schema).mean(0), model.get_layer("input_norm"))
    seen, scores = [x], list[np.ndarray]()
    for stage in range(STAGES):
        if scores:
            found = forward.dense(scores[-1], model.get_layer(f"found_{stage}"))
            seen.append(np.maximum(reference.batch_norm(found, model.get_layer(f"norm_{stage}")), 0))
        layer = model.get_layer(OUTPUT if stage == STAGES - 1 else f"experts_{stage}")
        scores.append(reference.experts(np.concatenate(seen), layer))
    return np.array(scores)


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
def test_scores_are_those_of_the_last_stage(schema, level):
    model, inputs = tiny.randomized("chain", schema, level), tiny.batch(schema=schema, level=level)
    expected = [stages(model, inputs, row, schema)[-1] for row in range(3)]
    np.testing.assert_allclose(tiny.score(model, inputs), expected, atol=1e-5)


def test_in_training_each_stage_has_a_loss_of_its_own():
    """Their mean, (B, S, C) scores of which are compared with the same targets."""
    model, inputs = tiny.randomized("chain"), tiny.batch()
    scores = np.asarray(model(inputs, training=True))
    assert scores.shape == (3, STAGES, 5)
    targets = np.eye(5, dtype=np.float32)[:3]
    each = [np.asarray(cross_entropy(targets, scores[:, stage])) for stage in range(STAGES)]
    np.testing.assert_allclose(np.asarray(cross_entropy(targets, scores)), np.mean(each, axis=0), rtol=1e-5)
    assert len({round(float(value[0]), 4) for value in each}) == STAGES


def test_one_stage_is_no_chain():
    with pytest.raises(ValueError, match="stages"):
        tiny.new("chain", stages=1)
