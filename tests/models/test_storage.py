"""Models on disk: what is read is what was saved, and always the same bytes."""

import json
from functools import cache

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.layers.reference import randomize
from tests.models import tiny
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.models import storage
from yt8m.models.building import build
from yt8m.settings import registry
from yt8m.training.losses import cross_entropy

every_family = pytest.mark.parametrize("family", registry.families())
randomized = cache(tiny.randomized)  # for tests that change nothing


@every_family
@pytest.mark.parametrize("level", Level)
def test_a_loaded_model_is_the_saved_one(family, level, tmp_path):
    description = tiny.describe(family, level=level)
    model, inputs = randomize(build(description)), tiny.batch(level=level)
    storage.save(model, description, tmp_path)
    loaded, read = storage.load(tmp_path)
    assert read == storage.read_description(tmp_path) == description
    np.testing.assert_array_equal(tiny.score(loaded, inputs), tiny.score(model, inputs))


def described(folder):
    return json.loads((folder / storage.DESCRIPTION).read_text())


@pytest.mark.parametrize("type", ["float32", "float16"])
def test_the_description_says_what_rebuilds_the_model_and_how_it_is_stored(type, tmp_path):
    storage.save(randomized("mlp"), tiny.describe("mlp"), tmp_path, type)
    assert described(tmp_path) == {
        "family": "mlp",
        "schema": tiny.SCHEMA.model_dump(),
        "level": "frame",
        "seed": 1,
        "momentum": 0.9,
        "precision": "float32",
        "args": tiny.arguments("mlp"),
        "storage": type,
    }


def test_how_it_was_made_is_kept_beside_it_and_changes_nothing(tmp_path):
    model, description = randomized("moe"), tiny.describe("moe")
    made = {"devices": 2, "training": {"steps": [1, 2]}}
    storage.save(model, description, tmp_path / "made", made=made)
    storage.save(model, description, tmp_path / "plain")
    assert described(tmp_path / "made") == described(tmp_path / "plain") | {"made": made}
    one, other = (tmp_path / name / storage.WEIGHTS for name in ("made", "plain"))
    assert one.read_bytes() == other.read_bytes()
    assert storage.load(tmp_path / "made")[1] == description


@pytest.mark.parametrize("damage", ["cut off", "a key is missing", "a value is wrong"])
def test_a_damaged_description_is_refused_with_its_file(damage, tmp_path):
    storage.save(randomized("moe"), tiny.describe("moe"), tmp_path)
    path, content = tmp_path / storage.DESCRIPTION, described(tmp_path)
    text = {
        "cut off": path.read_text()[:-10],
        "a key is missing": json.dumps({key: content[key] for key in content if key != "schema"}),
        "a value is wrong": json.dumps(content | {"level": "shot"}),
    }[damage]
    path.write_text(text)
    for read in (storage.read_description, storage.load):
        with pytest.raises(InputError, match=f"^{path}: expected the description of a model"):
            read(tmp_path)


def test_a_description_without_weights_names_what_is_missing(tmp_path):
    storage.save(randomized("moe"), tiny.describe("moe"), tmp_path)
    (tmp_path / storage.WEIGHTS).unlink()
    with pytest.raises(FileNotFoundError, match=storage.WEIGHTS):
        storage.load(tmp_path)


@every_family
def test_a_trained_model_is_saved_without_its_optimizer(family, tmp_path):
    """Its limit on disk is that of the weights."""
    description = tiny.describe(family)
    model = randomize(build(description))
    storage.save(model, description, tmp_path / "plain")
    model.compile("adam", cross_entropy)
    model.optimizer.build(model.trainable_variables)
    storage.save(model, description, tmp_path / "trained")
    assert (tmp_path / "trained" / storage.WEIGHTS).read_bytes() == (tmp_path / "plain" / storage.WEIGHTS).read_bytes()


@every_family
def test_the_same_weights_are_the_same_bytes(family, tmp_path):
    description = tiny.describe(family)
    model = randomize(build(description))
    storage.save(model, description, tmp_path / "first")
    storage.save(model, description, tmp_path / "second")
    storage.save(*storage.load(tmp_path / "first"), tmp_path / "loaded")
    for name in (storage.WEIGHTS, storage.DESCRIPTION):
        first = (tmp_path / "first" / name).read_bytes()
        assert first == (tmp_path / "second" / name).read_bytes()
        assert first == (tmp_path / "loaded" / name).read_bytes()


@every_family
def test_a_model_stored_in_half_precision_is_loaded_as_its_rounded_weights(family, tmp_path):
    description, model = tiny.describe(family), randomized(family)
    storage.save(model, description, tmp_path / "half", "float16")
    storage.save(model, description, tmp_path / "again", "float16")
    path = tmp_path / "half" / storage.WEIGHTS
    assert path.read_bytes() == (tmp_path / "again" / storage.WEIGHTS).read_bytes()
    assert sum(x.nbytes for x in load_file(path).values() if x.dtype == np.float16) == 2 * model.count_params()
    loaded, read = storage.load(tmp_path / "half")
    assert read == description
    for weight, own in zip(loaded.weights, model.get_weights(), strict=True):
        assert weight.dtype == "float32"
        np.testing.assert_array_equal(np.asarray(weight), own.astype(np.float16).astype(np.float32))


def test_what_a_loaded_model_draws_goes_on_from_the_saved_one(tmp_path):
    """Fine-tuning would else draw the frames of training over again."""
    storage.save(model := tiny.new("netvlad"), tiny.describe("netvlad"), tmp_path / "start")
    model(tiny.batch(), training=True)  # draws frames
    storage.save(model, tiny.describe("netvlad"), tmp_path / "later")
    inputs, seen = tiny.batch((7, 7)), {}
    for name in ("start", "later"):
        loaded, _ = storage.load(tmp_path / name)
        seen[name] = np.asarray(loaded(inputs, training=True))
    assert (seen["start"] != seen["later"]).any()
    np.testing.assert_allclose(seen["later"], np.asarray(model(inputs, training=True)), atol=1e-6)


@pytest.mark.parametrize("value", [70_000.0, -70_000.0, float("inf"), float("nan")])
def test_a_weight_beyond_half_precision_is_refused_by_name(value, tmp_path):
    model = tiny.new("moe")
    weight = model.get_layer("input_norm").moving_mean
    weight.assign(np.where(np.arange(weight.shape[0]) == 1, value, 0))
    with pytest.raises(InputError, match=r"^input_norm/moving_mean: .* ±65504, .* received (70000|inf|nan)$"):
        storage.save(model, tiny.describe("moe"), tmp_path / "model", "float16")
    assert not (tmp_path / "model").exists()


def test_the_largest_half_is_stored(tmp_path):
    model = tiny.new("moe")
    weight = model.get_layer("input_norm").moving_mean
    weight.assign(np.full(weight.shape, 65504))
    storage.save(model, tiny.describe("moe"), tmp_path, "float16")
    np.testing.assert_array_equal(storage.load(tmp_path)[0].get_layer("input_norm").moving_mean, 65504)


def test_damaged_weights_and_those_of_another_model_are_refused_with_their_file(tmp_path):
    storage.save(tiny.new("netvlad"), tiny.describe("netvlad"), tmp_path)
    path = tmp_path / storage.WEIGHTS
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(InputError, match=f"{path}: expected the weights of netvlad"):
        storage.load(tmp_path)
    for family, args in (("gru", {}), ("netvlad", {"hidden": 5})):
        storage.save(tiny.new(family, **args), tiny.describe(family, **args), tmp_path / "other")
        path.write_bytes((tmp_path / "other" / storage.WEIGHTS).read_bytes())
        with pytest.raises(InputError, match=f"{path}: expected the weights of netvlad"):
            storage.load(tmp_path)


def test_loading_a_folder_without_a_model_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        storage.load(tmp_path)
