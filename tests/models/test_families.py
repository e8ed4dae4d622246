"""What every family keeps to: a folder put into `yt8m/models` is checked here once it has arguments in `tiny.ARGS`.

`test_contract.py` shows that these tests fail for a family that looks at padding.
"""

from functools import cache

import keras
import numpy as np
import pytest

from tests.models import tiny
from yt8m.core.schema import LENGTH, Level
from yt8m.models.building import build
from yt8m.settings import registry
from yt8m.training.losses import cross_entropy

FAMILIES = list(registry.families())
every_family = pytest.mark.parametrize("family", FAMILIES)
ROOMS = [(1, 2), (2, 7), (3, 4), (5, 30)]  # frames that videos have at most, and those that there is room for
randomized = cache(tiny.randomized)  # for tests that change nothing


def test_every_family_has_arguments_here():
    assert set(FAMILIES) == set(tiny.ARGS)


@every_family
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("schema", [tiny.SCHEMA, tiny.ONE_FEATURE], ids=["two features", "one feature"])
def test_scores_are_probabilities_for_every_kind_of_video(family, level, schema):
    model = tiny.randomized(family, schema, level)
    assert model.output_shape == (None, schema.classes)
    scores = tiny.score(model, tiny.batch((1, 4, 7), schema, level))
    assert scores.shape == (3, schema.classes)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.ptp(scores, axis=0).max() > 1e-3  # videos are told apart


@every_family
def test_names_of_features_are_any(family):
    """MediaPipe calls them so; Keras takes no slashes in the names of layers."""
    named = {"rgb": "RGB/feature/bytes", "audio": "Ton, 44 kHz"}
    features = {named[name]: size for name, size in tiny.SCHEMA.features.items()}
    description = tiny.describe(family)
    args = {
        key: {named[name]: each for name, each in value.items()} if isinstance(value, dict) else value
        for key, value in description.args.items()
    }
    layout = tiny.SCHEMA.model_copy(update={"features": features})
    model = build(description.model_copy(update={"layout": layout, "args": args}))
    model.set_weights(randomized(family).get_weights())
    inputs = tiny.batch()
    renamed = {named.get(name, name): values for name, values in inputs.items()}
    np.testing.assert_array_equal(tiny.score(model, renamed), tiny.score(randomized(family), inputs))
    assert not any("/" in layer.name for layer in model.layers)


@every_family
def test_a_video_without_frames_has_finite_scores(family):
    """`scores.predict` may fill a batch with such."""
    assert np.isfinite(tiny.score(randomized(family), tiny.batch((0, 3)))).all()


@every_family
def test_what_lies_behind_a_videos_frames_changes_nothing(family):
    inputs = tiny.batch((1, 4, 6))
    garbage = {name: x.copy() for name, x in inputs.items()}
    for name in tiny.SCHEMA.features:
        for row, length in enumerate(inputs["num_frames"]):
            garbage[name][row, length:] = np.random.default_rng(row).integers(0, 256, garbage[name][row, length:].shape)
    model = randomized(family)
    np.testing.assert_allclose(tiny.score(model, garbage), tiny.score(model, inputs), atol=1e-5)


@every_family
@pytest.mark.parametrize(("frames", "room"), ROOMS)
def test_longer_padding_changes_nothing(family, frames, room):
    """Videos that filled all frames get padding, and those that did not get more of it.

    Most fill them, and are short: only then is a sum or a maximum over their frames one that padding would change.
    """
    short, long = (tiny.SCHEMA.model_copy(update={"max_frames": most}) for most in (frames, room))
    model, longer = tiny.randomized(family, short), tiny.new(family, long)
    longer.set_weights(model.get_weights())
    inputs = tiny.batch([*range(1, frames), *[frames] * 20], short)
    padded = {name: np.pad(inputs[name], [(0, 0), (0, room - frames), (0, 0)]) for name in short.features}
    padded["num_frames"] = inputs["num_frames"]
    np.testing.assert_allclose(tiny.score(longer, padded), tiny.score(model, inputs), atol=2e-6, rtol=0)


@every_family
def test_scores_do_not_depend_on_the_batch(family):
    model, inputs = randomized(family), tiny.batch([1 + row % 7 for row in range(64)])
    together = tiny.score(model, inputs)
    rows = range(0, 64, 5)  # of all lengths
    alone = [tiny.score(model, {name: x[row : row + 1] for name, x in inputs.items()})[0] for row in rows]
    np.testing.assert_allclose(alone, together[rows], atol=1e-5)


@every_family
def test_inference_gives_the_same_each_time_and_changes_nothing(family):
    model, inputs = randomized(family), tiny.batch()
    before = model.get_weights()
    first = tiny.score(model, inputs)
    np.testing.assert_array_equal(tiny.score(model, inputs), first)
    np.testing.assert_array_equal(model.predict_on_batch(inputs), model.predict_on_batch(inputs))
    np.testing.assert_allclose(model.predict_on_batch(inputs), first, atol=1e-5)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("family", [name for name in registry.families() if name != "average"])  # drops as its members
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("argument", ["input_dropout", "dropout"])
def test_what_is_dropped_is_missed_in_training_alone(family, level, argument):
    """Nearly all of it: two calls would hardly draw the same. All frames are alike, so that it is not their drawing."""
    none = {"input_dropout": 0.0, "dropout": 0.0}
    model, plain = (
        tiny.randomized(family, level=level, **none | {argument: 0.9}),
        randomized(family, level=level, **none),
    )
    inputs = tiny.batch((3, 7) * 20, level=level)
    for name, x in inputs.items():
        if name != LENGTH:
            x[:] = x[:, :1] * (np.arange(x.shape[1]) < inputs[LENGTH][:, None])[..., None]
    first, second = (np.asarray(model(inputs, training=True)) for _ in range(2))
    assert (np.abs(first - second) > 1e-6).any()
    model.set_weights(plain.get_weights())  # training has moved batch norm's statistics
    np.testing.assert_array_equal(tiny.score(model, inputs), tiny.score(plain, inputs))


@every_family
def test_no_two_kernels_start_alike(family):
    kernels = [weight for weight in tiny.new(family).get_weights() if weight.ndim > 1]
    starts = {tuple(kernel.ravel()[:6]) for kernel in kernels}
    assert len(starts) == len(kernels)


@every_family
def test_training_moves_every_weight_and_lowers_the_loss(family):
    model = tiny.new(family)
    model.compile(keras.optimizers.Adam(0.02), cross_entropy, run_eagerly=True)
    inputs = tiny.batch((7, 7, 5, 6))
    labels = np.eye(5, dtype=np.float32)[:4]
    before = model.get_weights()
    losses = [float(model.train_on_batch(inputs, labels))]
    for weight, old in zip(model.weights, before, strict=True):
        assert (np.asarray(weight) != old).any(), f"{weight.path} has not moved"
    losses += [float(model.train_on_batch(inputs, labels)) for _ in range(6)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < 0.9 * losses[0]
