"""A model from its description."""

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from tests.models import tiny
from tests.pipeline import ROOT
from yt8m.core.schema import Level
from yt8m.models.building import Description, build
from yt8m.settings import registry

every_family = pytest.mark.parametrize("family", registry.families())


def with_args(family, args):
    return tiny.describe(family).model_copy(update={"args": args})


@every_family
@pytest.mark.parametrize("level", Level)
def test_a_description_is_the_same_after_json(family, level):
    description = tiny.describe(family, level=level)
    text = description.model_dump_json(by_alias=True)
    assert '"schema":' in text
    assert Description.model_validate_json(text) == description


@pytest.mark.parametrize("name", Description.model_fields)
def test_a_description_lacks_nothing(name):
    fields = dict(tiny.describe("moe"))
    del fields[name]
    with pytest.raises(ValidationError, match="schema" if name == "layout" else name):
        Description(**fields)


def test_a_description_does_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        tiny.describe("moe").seed = 2


@every_family
def test_the_model_is_called_by_its_family_and_takes_what_is_stored(family):
    """Each input by its name."""
    for level in Level:
        model = tiny.new(family, level=level)
        assert model.name == family
        wanted = {name: (None, tiny.SCHEMA.frames(level), size) for name, size in tiny.SCHEMA.features.items()}
        assert {value.name: value.shape for value in model.inputs} == wanted | {"num_frames": (None,)}
        assert {value.dtype for value in model.inputs} == {tiny.SCHEMA.dtype(level), "int32"}


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
def test_the_momentum_is_that_of_every_batch_norm(family):
    """After one step of training each statistic keeps that share of what it was."""
    model = build(tiny.describe(family).model_copy(update={"momentum": 0.25}))
    norms = [layer for layer in model._flatten_layers() if hasattr(layer, "moving_mean")]
    assert all(layer.momentum == 0.25 for layer in norms)
    assert norms or family in ("gru", "lstm")


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
        build(with_args(family, args))


def test_an_unknown_family_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"'netvlad'.*received 'netvald'"):
        build(tiny.describe("netvlad").model_copy(update={"family": "netvald"}))


@pytest.mark.parametrize("family", ["netvlad", "netvald"])
def test_the_precision_of_a_model_is_its_own(family):
    """Building one changes nothing for layers made after it, nor does one that cannot be built."""
    description = tiny.describe("netvlad", precision="mixed_bfloat16")
    if family == "netvlad":
        assert build(description).get_layer("hidden").compute_dtype == "bfloat16"
    else:
        with pytest.raises(ValueError, match="groups"):
            tiny.new("nextvlad", precision="mixed_bfloat16", groups={"rgb": 5, "audio": 2})
    assert tiny.new("netvlad").get_layer("hidden").compute_dtype == "float32"


KERAS_FREE = """
import sys
from yt8m.settings import registry
for family in registry.families():
    assert registry.arguments(family).model_fields, family
    assert not {"keras", "tensorflow", "jax"} & set(sys.modules), family
"""


def test_what_families_take_is_known_without_keras():
    """So that parameters are checked within a moment."""
    done = subprocess.run([sys.executable, "-c", KERAS_FREE], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
