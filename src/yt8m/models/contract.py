"""What every family keeps to (see `yt8m.models`), checked on small videos before a model of it is trained."""

import inspect
from importlib import import_module
from importlib.util import find_spec

import keras
import numpy as np

from yt8m.core.errors import InputError
from yt8m.core.schema import LENGTH, Level
from yt8m.layers.head import OUTPUT
from yt8m.models.building import Description, build
from yt8m.settings import registry

BUILD = ("schema", "level", "momentum", "args")  # what `build` of a family takes
SHORT, LONG = 3, 8  # frames that the small videos have room for
CLASSES = 4
TOLERANCE = 1e-4  # of scores: products of other shapes round differently


def check(description: Description) -> None:
    """Refuse a family that does not keep its contract, by building it twice for a few classes and frames.

    Args:
        description: of a model that is to be trained; its family and arguments are what is looked at.

    Raises:
        InputError: naming the family, what was expected and what was received.
    """
    if problem := _interface(description.family):
        raise InputError(f"family {description.family!r}: {problem}")
    # A level without frames has one frame a video, and nothing behind it.
    lengths = (SHORT, LONG) if description.level is Level.FRAME else (1, 1)
    short, long = (
        description.layout.model_copy(update={"classes": CLASSES, "max_frames": frames}) for frames in lengths
    )
    small = description.model_copy(update={"layout": short, "precision": "float32"})
    model, longer = build(small), build(small.model_copy(update={"layout": long}))
    for problem in (_output(model), _names(model, longer)):
        if problem:
            raise InputError(f"family {description.family!r}: {problem}")
    longer.set_weights(_moved(model))
    model.set_weights(longer.get_weights())
    if problem := _padding(model, longer, small, long.frames(description.level)):
        raise InputError(f"family {description.family!r}: {problem}")


def _interface(family: str) -> str | None:
    """What is wrong with how the family's function is called, before it is."""
    name = f"{registry.families()[family]}.network"
    if find_spec(name) is None:
        return f"expected a module {name}, found none"
    function = getattr(import_module(name), "build", None)
    if not callable(function):
        return f"expected a function build in {name}, found none"
    try:
        inspect.signature(function).bind(*BUILD)
    except TypeError:
        return f"expected build({', '.join(BUILD)}), received build{inspect.signature(function)}"
    return None


def _output(model: keras.Model) -> str | None:
    if not any(layer.name == OUTPUT for layer in model.layers):
        names = ", ".join(layer.name for layer in model.layers[-3:])
        return f"expected an output layer named {OUTPUT!r}, received a model whose last layers are {names}"
    if model.output_shape != (None, CLASSES):
        return f"expected scores of shape (None, classes), here {(None, CLASSES)}, received {model.output_shape}"
    return None


def _names(model: keras.Model, other: keras.Model) -> str | None:
    """Names that Keras gives count all layers of a process, so that two models have others."""
    paths, others = ([weight.path for weight in built.weights] for built in (model, other))
    for one, two in zip(paths, others, strict=False):
        if one != two:
            return f"expected a name for each layer that has weights, received {one!r} and then {two!r}"
    for path in paths:
        if paths.count(path) > 1:
            return f"expected another name for each layer that has weights, received {path!r} more than once"
    shapes, longer = ([tuple(weight.shape) for weight in built.weights] for built in (model, other))
    if shapes != longer:
        return "expected weights that do not depend on the most frames of a video, received others for more frames"
    return None


def _moved(model: keras.Model) -> list[np.ndarray]:
    """The model's weights with all biases, factors and statistics moved, as training does: at 0 they would hide much.

    A batch norm or a dense layer gives 0 for a frame of zeros only as long as its shift and its bias are 0.
    """
    random = np.random.default_rng(1)
    return [
        weight + random.uniform(0.1, 0.5, weight.shape).astype(weight.dtype) if weight.ndim == 1 else weight
        for weight in model.get_weights()
    ]


def _padding(model: keras.Model, longer: keras.Model, small: Description, room: int) -> str | None:
    """Scores that change with what lies behind the frames, or with how much of it does; `longer` has room for more."""
    schema, level, random = small.layout, small.level, np.random.default_rng(0)
    frames = schema.frames(level)
    # Most fill all frames: of these alone a maximum changes with the first frame of padding.
    lengths = np.array([*range(1, frames)] * 4 + [frames] * 48, np.int32)
    real = np.arange(frames) < lengths[:, None]
    noise = {
        name: random.integers(0, 256, (*real.shape, size)).astype(schema.dtype(level))
        for name, size in schema.features.items()
    }
    videos = {name: np.where(real[..., None], values, 0).astype(values.dtype) for name, values in noise.items()}
    padded = {name: np.pad(values, [(0, 0), (0, room - frames), (0, 0)]) for name, values in videos.items()}
    expected = _scores(model, videos, lengths)
    if not (np.isfinite(expected).all() and expected.min() >= 0 and expected.max() <= 1):
        return f"expected scores within 0 and 1, received {expected.min():g} to {expected.max():g}"
    for found, what in (
        (_scores(model, noise, lengths), "the same scores whatever lies behind a video's frames"),
        (_scores(longer, padded, lengths), "the same scores however much padding lies behind a video's frames"),
    ):
        if changed := (np.abs(found - expected) > TOLERANCE).sum():
            return f"expected {what}, received {changed} others of {expected.size}"
    return None


def _scores(model: keras.Model, features: dict[str, np.ndarray], lengths: np.ndarray) -> np.ndarray:
    scores: np.ndarray = keras.ops.convert_to_numpy(model(features | {LENGTH: lengths}, training=False))
    return scores
