"""Distil the ensemble into one student within the size limit (eq. 7): `python -m stages distill`."""

from collections import defaultdict
from dataclasses import replace
from statistics import mean
from typing import cast

from stages._places import SCORED, TEACHER
from stages._tables import rows_of
from yt8m.distillation.objective import Distillation
from yt8m.distillation.student import best_within
from yt8m.models.building import Description
from yt8m.settings.params import Model, Params
from yt8m.training.run import run
from yt8m.training.training import Training


def main(params: Params) -> None:
    settings = params.distill
    training = of_model(params, settings.own or best_model(params))
    objective = Distillation(settings.share, TEACHER)
    run(replace(training, objective=objective, storage=settings.storage, max_bytes=settings.max_bytes))


def of_model(params: Params, model: Model) -> Training:
    """The training of a student of a model's family and arguments, by labels."""
    return Training.of(params, model, params.distill.seed, "distill")


def best_model(params: Params) -> Model:
    """The model that scores best on the holdout, in the mean of its sets, and fits; it is trained for longer."""
    gaps = defaultdict(list)
    for row in rows_of(SCORED):
        gaps[row["model"].split("-")[0]].append(float(row["holdout_gap"]))
    means = {name: mean(found) for name, found in gaps.items()}
    described = {name: cast(Description, of_model(params, params.models[name]).start) for name in means}
    name = best_within(means, described, params.distill.max_bytes, params.distill.storage)
    print(f"distill: of {name}'s family and arguments, the best that fits (holdout GAP {means[name]:.4f})")
    return params.models[name].model_copy(update={"epochs": params.distill.epochs})
