"""Tiny models of every family, and batches for them."""

import numpy as np

from tests.layers.reference import randomize
from yt8m.core.schema import Level, Schema
from yt8m.models.building import Description, build

SCHEMA = Schema(
    id_key="id",
    labels_key="labels",
    mean_prefix="mean_",
    features={"rgb": 6, "audio": 4},
    classes=5,
    max_frames=7,
    uneven_frames="refuse",
    missing_features="refuse",
    extractor=None,
)
ONE_FEATURE = SCHEMA.model_copy(update={"features": {"visual": 6}})
CLUSTERS = {"rgb": 3, "audio": 2, "visual": 4}
GROUPS = {"rgb": 4, "audio": 2, "visual": 3}
EXPERTS = {"mixtures": 2, "l2": 1e-6, "input_dropout": 0.0, "dropout": 0.0}
RECURRENT = {"layers": 2, "units": 3} | EXPERTS
POOLED = {"frames": 6, "clusters": CLUSTERS, "hidden": 4} | EXPERTS
ARGS: dict[str, dict] = {
    "average": {"members": [{"family": "moe", "args": EXPERTS}, {"family": "gru", "args": RECURRENT}]},
    "attention": {"frames": 6, "hidden": 8, "input_dropout": 0.0, "dropout": 0.0, "l2": 1e-6},
    "chain": EXPERTS | {"stages": 3, "hidden": 4},
    "dbow": POOLED,
    "gated_dbow": POOLED | {"rank": 2},
    "gru": RECURRENT,
    "lstm": RECURRENT,
    "mlp": {"hidden": [8], "input_dropout": 0.0, "dropout": 0.25, "l2": 1e-6},
    "moe": EXPERTS,
    "moments": {"hidden": [8], "input_dropout": 0.0, "dropout": 0.25, "l2": 1e-6},
    "netfv": POOLED,
    "netrvlad": POOLED,
    "netvlad": POOLED,
    "nextvlad": POOLED | {"groups": GROUPS, "expansion": 2, "reduction": 2, "pooled_dropout": 0.5},
    "transformer": EXPERTS | {"frames": 6, "layers": 2, "width": 8, "heads": 2},
}


def arguments(family, schema=SCHEMA):
    """The family's arguments for the features of a schema."""
    args = dict(ARGS[family])
    by_feature = {key: value for key, value in args.items() if isinstance(value, dict)}
    return args | {key: {name: value[name] for name in schema.features} for key, value in by_feature.items()}


def describe(family, schema=SCHEMA, level=Level.FRAME, *, seed=1, precision="float32", **args):
    """The description of a tiny model; some arguments may be others."""
    args = arguments(family, schema) | args
    return Description(
        family=family, layout=schema, level=level, seed=seed, momentum=0.9, precision=precision, args=args
    )


def new(family, schema=SCHEMA, level=Level.FRAME, *, seed=1, **args):
    """A model as built, with its initial weights."""
    return build(describe(family, schema, level, seed=seed, **args))


def randomized(family, schema=SCHEMA, level=Level.FRAME, **args):
    """A model whose every weight, moving statistics too, has been moved."""
    return randomize(new(family, schema, level, **args))


def batch(lengths=(1, 4, 7), schema=SCHEMA, level=Level.FRAME, seed=0):
    """Random videos of these lengths; zeros behind."""
    random = np.random.default_rng(seed)
    lengths = np.minimum(np.array(lengths, np.int32), schema.frames(level))
    real = np.arange(schema.frames(level)) < lengths[:, None]
    inputs = {}
    for name, size in schema.features.items():
        shape = (len(lengths), schema.frames(level), size)
        whole = random.integers(0, 256, shape) if level is Level.FRAME else random.normal(0, 1, shape)
        inputs[name] = (whole * real[..., None]).astype(schema.dtype(level))
    return inputs | {"num_frames": lengths}


def score(model, inputs):
    """Scores as inference gives them."""
    return np.asarray(model(inputs, training=False))
