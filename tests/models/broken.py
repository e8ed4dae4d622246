"""Families that break their contract (see `yt8m.models`), each in one thing, for tests of what holds families to it."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yt8m.models
from tests.models import tiny
from yt8m.settings import registry

ARGUMENTS = "from yt8m.settings.arguments import Experts as Arguments\n\n__all__ = ['Arguments']\n"
NETWORK = """
import keras
from keras import ops

from yt8m.core.schema import Level
from yt8m.layers.experts import MixtureOfExperts
from yt8m.layers.frames import frames_in_order, video_inputs
from yt8m.layers.head import OUTPUT, experts
from yt8m.layers.normalization import batch_norm


def stored(inputs, schema):
    return ops.concatenate([ops.cast(inputs[name], "float32") / 255 for name in schema.features], axis=-1)


class Twice(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.one, self.other = keras.layers.Dense(4, name="dense"), keras.layers.Dense(4, name="dense")

    def call(self, x):
        return self.other(self.one(x))


def build(schema, level, momentum, args):
    inputs = video_inputs(schema, level)
    x, mask = frames_in_order(inputs, schema, level)
    length = ops.cast(inputs["num_frames"], "float32")[:, None]
    own = ops.cast(mask, "float32")[..., None]
    x = BODY
    return keras.Model(inputs, HEAD)
"""
EXPERTS = "experts(x, schema, args)"
MEAN = "ops.sum(x, axis=1) / ops.maximum(length, 1.0)"

# What becomes of frames `x`, (B, T, width), and what gives the scores. These keep the contract:
KEPT = {
    "mean": (MEAN, EXPERTS),
    "maximum": ("ops.max(x - 9 * (1 - own), axis=1)", EXPERTS),
    "normalized": ("ops.sum(batch_norm(momentum)(x) * own, axis=1)", EXPERTS),
    "rectified": ("ops.max(keras.layers.Dense(4, activation='relu', name='hidden')(x) * own, axis=1)", EXPERTS),
    "sigmoids": (MEAN, "keras.layers.Dense(schema.classes, activation='sigmoid', name=OUTPUT)(x)"),
}
# These do not, and what is said of them:
NAMED = "expected a name for each layer that has weights"
BEHIND = "expected the same scores whatever lies behind a video's frames"
PADDING = "expected the same scores however much padding lies behind a video's frames"
ROOM = "expected weights that do not depend on the most frames of a video"
BROKEN = {
    "maximum_of_padding": ("ops.max(x, axis=1)", EXPERTS, PADDING),
    "mean_of_padding": ("ops.mean(x, axis=1)", EXPERTS, PADDING),
    "normalized_padding": ("ops.sum(batch_norm(momentum)(x), axis=1)", EXPERTS, PADDING),
    "rectified_padding": (
        "ops.max(keras.layers.Dense(4, activation='relu', name='hidden')(x), axis=1)",
        EXPERTS,
        PADDING,
    ),
    "garbage": ("ops.sum(stored(inputs, schema), axis=1)", EXPERTS, BEHIND),
    "last_place": ("stored(inputs, schema)[:, -1]", EXPERTS, BEHIND),
    "no_output": (
        MEAN,
        "MixtureOfExperts(schema.classes, args.mixtures, args.l2, name='scores')(x)",
        "expected an output layer named 'classifier', received a model whose last layers are .*scores",
    ),
    "unnamed": (f"keras.layers.Dense(4)({MEAN})", EXPERTS, f"{NAMED}, received 'dense"),
    "unnamed_within": (f"keras.Sequential([keras.layers.Dense(4)], name='hidden')({MEAN})", EXPERTS, NAMED),
    "named_twice": (
        f"Twice(name='hidden')({MEAN})",
        EXPERTS,
        "expected another name for each layer that has weights, received 'hidden/dense/kernel' more than once",
    ),
    "by_place": (
        "keras.layers.Dense(4, name='hidden')(keras.layers.Flatten()(x))",
        EXPERTS,
        ROOM,
    ),
    "logits": (MEAN, "9 * keras.layers.Dense(schema.classes, name=OUTPUT)(x)", "expected scores within 0 and 1"),
    "too_many": (
        MEAN,
        "keras.layers.Dense(schema.classes + 1, activation='sigmoid', name=OUTPUT)(x)",
        r"expected scores of shape \(None, classes\), here \(None, 4\), received \(None, 5\)",
    ),
}


@contextmanager
def family(folder: Path, name: str, body: str, head: str) -> Iterator[None]:
    """Put a family's folder where families are found, for a while, and its arguments where tests find them."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(ARGUMENTS)
    (folder / name / "network.py").write_text(NETWORK.replace("BODY", body).replace("HEAD", head))
    module, families, path = f"yt8m.models.{name}", registry.families, list(yt8m.models.__path__)
    found = families() | {name: module}
    yt8m.models.__path__ = [*path, str(folder)]
    registry.families = lambda: found  # type: ignore[assignment]
    tiny.ARGS[name] = tiny.EXPERTS
    importlib.invalidate_caches()
    try:
        yield
    finally:
        yt8m.models.__path__, registry.families = path, families
        del tiny.ARGS[name]
        for loaded in (module, f"{module}.network"):
            sys.modules.pop(loaded, None)
        vars(yt8m.models).pop(name, None)
