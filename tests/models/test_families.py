"""The contract of every family: a file put into `yt8m/models` is checked here once it has arguments in `tiny.ARGS`."""

from functools import cache

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.layers.reference import randomize
from tests.models import tiny
from yt8m import models
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.settings import registry
from yt8m.training.losses import cross_entropy

FAMILIES = registry.names("models")
every_family = pytest.mark.parametrize("family", FAMILIES)
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
def test_longer_padding_changes_nothing(family):
    longer = tiny.SCHEMA.model_copy(update={"max_frames": 12})
    model, other = randomized(family), tiny.new(family, longer)
    other.set_weights(model.get_weights())
    inputs = tiny.batch((1, 4, 7))
    padded = {name: np.pad(inputs[name], [(0, 0), (0, 5), (0, 0)]) for name in tiny.SCHEMA.features}
    padded["num_frames"] = inputs["num_frames"]
    np.testing.assert_allclose(tiny.score(other, padded), tiny.score(model, inputs), atol=1e-5)


@every_family
def test_scores_do_not_depend_on_the_batch(family):
    model, inputs = randomized(family), tiny.batch([1 + row % 7 for row in range(64)])
    together = tiny.score(model, inputs)
    alone = [tiny.score(model, {name: x[row : row + 1] for name, x in inputs.items()})[0] for row in range(64)]
    np.testing.assert_allclose(alone, together, atol=1e-5)


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


@every_family
def test_the_seed_decides_the_weights(family):
    first, again, other = tiny.new(family, seed=1), tiny.new(family, seed=1), tiny.new(family, seed=2)
    assert [weight.path for weight in first.weights] == [weight.path for weight in again.weights]
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for weight, a, b in zip(first.weights, first.get_weights(), other.get_weights(), strict=True):
        if a.ndim > 1:
            assert (a != b).any(), weight.path


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
    losses += [float(model.train_on_batch(inputs, labels)) for _ in range(9)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < 0.9 * losses[0]


@every_family
def test_a_loaded_model_is_the_saved_one(family, tmp_path):
    description = tiny.describe(family)
    model = randomize(models.build(description))
    models.save(model, description, tmp_path)
    loaded, read = models.load(tmp_path)
    assert read == description | {"storage": "float32"}
    np.testing.assert_array_equal(tiny.score(loaded, tiny.batch()), tiny.score(model, tiny.batch()))


@every_family
def test_a_trained_model_is_saved_without_its_optimizer(family, tmp_path):
    """Its limit on disk is that of the weights."""
    description = tiny.describe(family)
    model = randomize(models.build(description))
    models.save(model, description, tmp_path / "plain")
    model.compile("adam", cross_entropy)
    model.optimizer.build(model.trainable_variables)
    models.save(model, description, tmp_path / "trained")
    assert (tmp_path / "trained" / models.WEIGHTS).read_bytes() == (tmp_path / "plain" / models.WEIGHTS).read_bytes()


@every_family
def test_the_same_weights_are_the_same_bytes(family, tmp_path):
    description = tiny.describe(family)
    model = randomize(models.build(description))
    models.save(model, description, tmp_path / "first")
    models.save(model, description, tmp_path / "second")
    models.save(*models.load(tmp_path / "first"), tmp_path / "loaded")
    for name in (models.WEIGHTS, models.DESCRIPTION):
        first = (tmp_path / "first" / name).read_bytes()
        assert first == (tmp_path / "second" / name).read_bytes()
        assert first == (tmp_path / "loaded" / name).read_bytes()


@every_family
def test_a_model_stored_in_half_precision_is_loaded_as_its_rounded_weights(family, tmp_path):
    description, model = tiny.describe(family), randomized(family)
    models.save(model, description, tmp_path / "half", "float16")
    models.save(model, description, tmp_path / "again", "float16")
    path = tmp_path / "half" / models.WEIGHTS
    assert path.read_bytes() == (tmp_path / "again" / models.WEIGHTS).read_bytes()
    assert sum(x.nbytes for x in load_file(path).values() if x.dtype == np.float16) == 2 * model.count_params()
    loaded, read = models.load(tmp_path / "half")
    assert read == description | {"storage": "float16"}
    for weight, own in zip(loaded.weights, model.get_weights(), strict=True):
        assert weight.dtype == "float32"
        np.testing.assert_array_equal(np.asarray(weight), own.astype(np.float16).astype(np.float32))


def test_what_a_loaded_model_draws_goes_on_from_the_saved_one(tmp_path):
    """Fine-tuning would else draw the frames of training over again."""
    models.save(model := tiny.new("netvlad"), tiny.describe("netvlad"), tmp_path / "start")
    model(tiny.batch(), training=True)  # draws frames
    models.save(model, tiny.describe("netvlad"), tmp_path / "later")
    inputs, seen = tiny.batch((7, 7)), {}
    for name in ("start", "later"):
        loaded, _ = models.load(tmp_path / name)
        seen[name] = np.asarray(loaded(inputs, training=True))
    assert (seen["start"] != seen["later"]).any()
    np.testing.assert_allclose(seen["later"], np.asarray(model(inputs, training=True)), atol=1e-6)


@pytest.mark.parametrize("value", [70_000.0, -70_000.0, float("inf"), float("nan")])
def test_a_weight_beyond_half_precision_is_refused_by_name(value, tmp_path):
    model = tiny.new("moe")
    weight = model.get_layer("input_norm").moving_mean
    weight.assign(np.where(np.arange(weight.shape[0]) == 1, value, 0))
    with pytest.raises(InputError, match=r"^input_norm/moving_mean: .* ±65504, .* received (70000|inf|nan)$"):
        models.save(model, tiny.describe("moe"), tmp_path / "model", "float16")
    assert not (tmp_path / "model").exists()


def test_the_largest_half_is_stored(tmp_path):
    model = tiny.new("moe")
    weight = model.get_layer("input_norm").moving_mean
    weight.assign(np.full(weight.shape, 65504))
    models.save(model, tiny.describe("moe"), tmp_path, "float16")
    np.testing.assert_array_equal(models.load(tmp_path)[0].get_layer("input_norm").moving_mean, 65504)


def test_damaged_weights_and_those_of_another_model_are_refused_with_their_file(tmp_path):
    models.save(tiny.new("netvlad"), tiny.describe("netvlad"), tmp_path)
    path = tmp_path / models.WEIGHTS
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(InputError, match=f"{path}: expected the weights of netvlad"):
        models.load(tmp_path)
    for family, args in (("gru", {}), ("netvlad", {"hidden": 5})):
        models.save(tiny.new(family, **args), tiny.describe(family, **args), tmp_path / "other")
        path.write_bytes((tmp_path / "other" / models.WEIGHTS).read_bytes())
        with pytest.raises(InputError, match=f"{path}: expected the weights of netvlad"):
            models.load(tmp_path)


def wrong_arguments():
    """Each family with one argument wrong, and the key its error must name."""
    for family in tiny.ARGS:
        args = tiny.arguments(family)
        yield family, args | {"typo": 1}, "typo"
        yield family, args | {"momentum": 0.5}, "momentum"
        for key, value in args.items():
            yield family, {name: other for name, other in args.items() if name != key}, key
            if isinstance(value, dict):
                for wrong in ({"rgb": 3}, {"rgb": 3, "sound": 2}, value | {"text": 2}, value | {"rgb": -3}, {}, 3):
                    yield family, args | {key: wrong}, key
                continue
            yield family, args | {key: -1}, key
            yield family, args | {key: "3"}, key
            if isinstance(value, int):
                yield family, args | {key: 0}, key
                yield family, args | {key: 2.5}, key


@pytest.mark.parametrize(("family", "args", "key"), list(wrong_arguments()))
def test_wrong_arguments_are_refused_by_name(family, args, key):
    with pytest.raises(ValueError, match=rf"\b{key}\b"):
        models.build(tiny.describe(family) | {"args": args})


def test_an_unknown_family_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"'netvlad'.*received 'netvald'"):
        models.build(tiny.describe("netvlad") | {"family": "netvald"})


def test_loading_a_folder_without_a_model_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        models.load(tmp_path)
