"""What holds for every layer of the package: its shape is what it says, and its config rebuilds it."""

from importlib import import_module
from pkgutil import iter_modules

import keras
import numpy as np
import pytest

import yt8m.layers
from tests.layers.reference import randomize
from yt8m.settings import registry

MASK = np.arange(7) < np.array([[3], [7]])
FRAMES = [np.random.default_rng(0).normal(size=(2, 7, size)).astype(np.float32) for size in (6, 4)]
VECTORS = FRAMES[0][:, 0]
POOLED = [FRAMES[0], MASK]
CASES: dict[str, tuple[dict, list]] = {  # constructor's and call's arguments by class
    "Average": ({}, [[VECTORS, VECTORS[::-1]]]),
    "ClassAttention": ({"units": 5, "l2": 1e-3}, POOLED),
    "ContextGate": ({"momentum": 0.5}, [VECTORS]),
    "Dequantize": ({}, [np.arange(84, dtype=np.uint8).reshape(2, 7, 6)]),
    "GRUCell": ({"units": 2}, [VECTORS, [VECTORS[:, :2]]]),
    "GatedSoftDBoW": ({"clusters": 3, "rank": 2, "momentum": 0.5}, POOLED),
    "Last": ({}, [[VECTORS, VECTORS[::-1]]]),
    "MixtureOfExperts": ({"classes": 5, "mixtures": 2, "l2": 1e-3}, [VECTORS]),
    "Moments": ({}, POOLED),
    "NetFV": ({"clusters": 3, "momentum": 0.5}, POOLED),
    "NetRVLAD": ({"clusters": 3, "momentum": 0.5}, POOLED),
    "NetVLAD": ({"clusters": 3, "momentum": 0.5}, POOLED),
    "NeXtVLAD": ({"clusters": 3, "momentum": 0.5, "groups": 4, "expansion": 2}, POOLED),
    "NormalizeFrames": ({}, [FRAMES, MASK]),
    "SampleFrames": ({"frames": 7}, [FRAMES, np.array([3, 7], np.int32)]),
    "SoftAssignment": ({"clusters": 3, "momentum": 0.5}, POOLED),
    "SoftDBoW": ({"clusters": 3, "momentum": 0.5}, POOLED),
    "SqueezeGate": ({"momentum": 0.5, "reduction": 2}, [VECTORS]),
}


def own_layers():
    names = [f"yt8m.layers.{module.name}" for module in iter_modules(yt8m.layers.__path__)]
    names += [f"{family}.network" for family in registry.families().values()]
    modules = [import_module(name) for name in names]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, keras.Layer) and value.__module__ == module.__name__
        if keras.saving.get_registered_name(value) != name  # Pooling and Several are none by themselves
    }


def test_every_layer_is_checked_here():
    assert set(own_layers()) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_symbolic_shape_and_type_are_those_of_the_result(name):
    arguments, inputs = CASES[name]
    layer = own_layers()[name](**arguments)
    symbolic = keras.tree.map_structure(lambda x: keras.KerasTensor((None, *x.shape[1:]), x.dtype.name), inputs)
    found, said = keras.tree.flatten(layer(*inputs)), keras.tree.flatten(layer(*symbolic))
    assert len(found) == len(said)
    for value, spec in zip(found, said, strict=True):
        assert keras.backend.standardize_dtype(value.dtype) == spec.dtype
        assert len(value.shape) == len(spec.shape)
        assert all(b in (None, a) for a, b in zip(value.shape, spec.shape, strict=True))
        assert spec.shape[-1] == value.shape[-1] or name == "SampleFrames"


@pytest.mark.parametrize("name", CASES)
def test_config_rebuilds_the_layer(name):
    arguments, inputs = CASES[name]
    layer = own_layers()[name](**arguments)
    layer(*inputs)
    expected = randomize(layer)(*inputs)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert copy.get_config() == layer.get_config()
    assert arguments.items() <= copy.get_config().items()
    copy(*inputs)
    copy.set_weights(layer.get_weights())
    for a, b in zip(keras.tree.flatten(copy(*inputs)), keras.tree.flatten(expected), strict=True):
        np.testing.assert_array_equal(a, b)
