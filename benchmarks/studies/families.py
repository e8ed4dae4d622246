"""Families beyond the 14 models, beside those: `python -m benchmarks.studies.families [--project FOLDER]`.

Each is trained as the model of params.yaml that it is nearest to is, for as many steps at the same rate. Beside its own
scores the table has the test GAP of the equal mean of all members of the finished project, and of the mean of these and
it: an ensemble gains by what a model knows that its members do not.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks._nextvlad import DEMO
from benchmarks.studies import _study
from benchmarks.studies._study import Trained
from stages._places import MEMBERS, PREDICTIONS
from yt8m.core.files import read_json
from yt8m.core.ragged import Ragged
from yt8m.scoring import metrics
from yt8m.scoring.predictions import ById, Store
from yt8m.settings.params import Model, Params

NAME = "beyond"
SHARED = ("frames", "mixtures", "l2", "input_dropout", "dropout")


def like(model: Model, family: str, keys: Sequence[str], **own: Any) -> Model:
    """A model of another family, trained as this one is, with some of its arguments and its own."""
    args = {key: model.args[key] for key in keys} | own
    return model.model_copy(update={"family": family, "args": args})


def first(params: Params, *names: str) -> Model:
    """The first of some models that there is; where there is none of them, the project's first."""
    return next(params.models[name] for name in [*names, *params.models] if name in params.models)


def named(name: str) -> Callable[[Params], Model]:
    """A model of the project's own."""
    return lambda params: params.models[name]


def pooling(params: Params) -> Model:
    """A model that draws frames."""
    return first(params, "netvlad")


def nextvlad(params: Params) -> Model:
    """NeXtVLAD with NetVLAD's clusters and hidden layer."""
    model = pooling(params)
    groups = {name: 8 if size >= 1024 else 4 for name, size in params.data.layout.features.items()}
    own = {key: DEMO[key] for key in ("expansion", "reduction", "pooled_dropout")}
    return like(model, "nextvlad", [*SHARED, "clusters", "hidden"], groups=groups, **own)


def attention(params: Params) -> Model:
    """Attention by class, of a hidden layer of 512 units."""
    return like(pooling(params), "attention", ["frames", "l2", "input_dropout"], hidden=512, dropout=0.3)


def transformer(params: Params) -> Model:
    """Two layers of width 128."""
    return like(pooling(params), "transformer", SHARED, layers=2, width=128, heads=4)


def moments(params: Params) -> Model:
    """A hidden layer of 1024 units on mean, deviation and maximum."""
    model = first(params, "mlp", "gated_dbow")
    return like(model, "moments", ["input_dropout"], hidden=[1024], dropout=0.5, l2=0.0)


def chain(params: Params) -> Model:
    """Three mixtures of two experts, and 64 units between them."""
    model = first(params, "moe", "gated_dbow")
    return like(model, "chain", ["l2", "input_dropout", "dropout"], mixtures=2, stages=3, hidden=64)


BEYOND: dict[str, Callable[[Params], Model]] = {
    "nextvlad": nextvlad,
    "attention": attention,
    "transformer": transformer,
    "moments": moments,
    "chain": chain,
}
OF_THE_PROJECT = ("netvlad", "netfv", "gated_dbow", "dbow", "netrvlad", "gru", "lstm", "mlp", "moe")
FAMILIES = BEYOND | {name: named(name) for name in OF_THE_PROJECT}


def of_seed(params: Params, model: Model, seed: int) -> Params:
    """A project with this model alone, which is not fine-tuned."""
    return _study.changed(params, {"models": {NAME: model.model_dump(mode="json")}, **_study.alone(NAME, seed)})


def beside(found: Trained, members: Sequence[ById]) -> dict[str, float]:
    """Test GAP of the members' equal mean, and of the mean of these and the model."""
    from yt8m.training.scores import predict

    without, together = metrics.PooledGap(), metrics.PooledGap()
    for batch, scores in predict(found.model, found.test, _study.BATCH):
        total = np.sum([member.at(batch.ids, scores.shape[1]) for member in members], axis=0)
        labels = Ragged.hot(batch.labels)
        for pooled, mean in ((without, total / len(members)), (together, (total + scores) / (len(members) + 1))):
            pooled.add(*metrics.top_k(mean.astype(np.float32), 20), labels)
    return {"members": without.value(), "members_and_it": together.value()}


def main(argv: Sequence[str] | None = None) -> None:
    args, table, families = _study.begin("families", FAMILIES, argv)
    with _study.at(args.project) as params:
        members = [Store(PREDICTIONS / "test" / f"{name}.parquet").by_id() for name in read_json(MEMBERS)]
        known = {name: family for name, family in families.items() if name in BEYOND or name in params.models}
        for seed in args.seeds:
            for name, family in known.items():
                other = of_seed(params, family(params), seed)
                with _study.workplace("families"):
                    table.add(name, seed, partial(_study.train_alone, other, NAME), partial(beside, members=members))
    print(table.summary())


if __name__ == "__main__":
    main()
