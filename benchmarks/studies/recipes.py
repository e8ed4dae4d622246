"""What keeps models from overfitting, each recipe alone: `python -m benchmarks.studies.recipes [--models MODEL …]`.

Models of params.yaml are trained for the same steps at the same rate with none of the recipes, with each of them alone,
with the moving average and one more, and as params.yaml has them. The table is the mean over the models.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from statistics import mean
from typing import Any

from benchmarks.studies import _study
from benchmarks.studies._study import Table, Trained, spread
from yt8m.report.tables import markdown
from yt8m.settings.params import Params

SEPARATOR = ": "
NONE: dict[str, Any] = {
    "train.schedule": {"kind": "staircase", "decay": 1.0, "decay_examples": 1, "patience": 1000},
    "train.ema": 0.0,
    "train.checkpoints": 1,
    "train.weight_decay": 0.0,
    "train.mixup": 0.0,
    "args.input_dropout": 0.0,
    "args.dropout": 0.0,
    "args.l2": 1e-6,
}
AVERAGE = {"train.ema": 0.98}  # its memory is 50 steps, a fifth of the shortest training here
ALONE: dict[str, dict[str, Any]] = {
    "moving average": AVERAGE,
    "mean of the 3 best": {"train.checkpoints": 3},
    "final drop": {"train.schedule": {"kind": "drop", "warmup": 0.0, "share": 0.4, "shape": "linear"}},
    "weight decay 0.02": {"train.weight_decay": 0.02},
    "weight decay 0.1": {"train.weight_decay": 0.1},
    "input dropout 0.3": {"args.input_dropout": 0.3},
    "dropout 0.3": {"args.dropout": 0.3},
    "mixup 0.3": {"train.mixup": 0.3},
    "L2 1e-4": {"args.l2": 1e-4},
    "L2 4e-4": {"args.l2": 4e-4},
}
RECIPES: dict[str, dict[str, Any] | None] = {
    "none": NONE,
    **{name: NONE | changes for name, changes in ALONE.items()},
    **{
        f"moving average, {name}": NONE | AVERAGE | changes
        for name, changes in ALONE.items()
        if name not in ("moving average", "mean of the 3 best")
    },
    "params.yaml": None,  # as it is
}
FIGURES = ("holdout_gap", "test_gap", "train_gap", "seconds")


def of_model(params: Params, model: str, seed: int, changes: dict[str, Any] | None) -> Params:
    """A project whose set `study` is of this seed; `args.` are the model's."""
    named = {key.replace("args.", f"models.{model}.args.", 1): value for key, value in (changes or {}).items()}
    return _study.changed(params, named | _study.alone(model, seed))


def fitted(found: Trained, source: str) -> dict[str, float]:
    """The GAP of the videos trained on."""
    from yt8m.records.dataset import Dataset
    from yt8m.training.scores import dataset_gap

    videos = Dataset(found.test.manifest.with_name("train.tsv"), source)
    return {"train_gap": dataset_gap(found.model, videos, _study.BATCH)}


def summary(table: Table, models: Sequence[str]) -> str:
    """Means over the models: their mean and standard deviation over seeds; what lacks a model is left out."""
    lines = []
    for name in RECIPES:
        columns = [[table.values(f"{model}{SEPARATOR}{name}", key) for model in models] for key in FIGURES]
        if not min(map(len, columns[0])):
            continue
        seeds = [[mean(values) for values in zip(*column, strict=True)] for column in columns]
        lines.append((name, str(len(seeds[0])), *map(spread, seeds[:-1]), f"{mean(seeds[-1]):.0f}"))
    return markdown(("recipe", "seeds", "holdout GAP", "test GAP", "train GAP", "seconds"), lines)


def main(argv: Sequence[str] | None = None) -> None:
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--models", nargs="+", help="of params.yaml; default: all")
    chosen, rest = own.parse_known_args(argv)
    args, table, recipes = _study.begin("recipes", RECIPES, rest)
    with _study.at(args.project) as params:
        figures = partial(fitted, source=params.data.source)
        models = chosen.models or list(params.models)
        for seed in args.seeds:
            for name, changes in recipes.items():
                for model in models:
                    other = of_model(params, model, seed, changes)
                    with _study.workplace(f"recipes-{table.path.stem}"):
                        table.add(f"{model}{SEPARATOR}{name}", seed, partial(_study.train_alone, other, model), figures)
    print(summary(table, models))


if __name__ == "__main__":
    main()
