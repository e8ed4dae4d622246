"""The training of the student by labels alone, which distillation adds the teacher to."""

from collections import defaultdict
from dataclasses import replace
from statistics import mean

from stages._places import SCORED
from yt8m.core.files import read_csv
from yt8m.distillation.student import best_within
from yt8m.models.building import Description
from yt8m.settings.params import Model, Params
from yt8m.training.training import Training


def by_labels(params: Params, stage: str) -> Training:
    """A training of the student's model, whose files are a stage's."""
    own = params.distill.own
    model = own.times(params.distill.members) if own else best_models(params)
    training = Training.of(params, model, params.distill.seed, stage)
    schedule = replace(training.schedule, rate=params.distill.schedule or params.train.schedule)
    return replace(training, schedule=schedule, storage=params.distill.storage)


def best_models(params: Params) -> Model:
    """Networks like the models that score best on the holdout, in the mean of their sets, and fit, as one model."""
    settings, gaps = params.distill, holdout_gaps()
    described = {
        name: Description.of(params.models[name], params.train, params.data.layout, params.data.level) for name in gaps
    }
    names = best_within(gaps, described, settings.members, settings.max_bytes, settings.storage)
    listed = ", ".join(f"{name} ({gaps[name]:.4f})" for name in names)
    print(f"student: like the best that fit, by GAP on the holdout: {listed}")
    first, *others = (params.models[name] for name in names)
    return first.beside(others).model_copy(update={"epochs": settings.epochs})


def holdout_gaps() -> dict[str, float]:
    """GAP on the holdout by model, in the mean of its sets."""
    gaps = defaultdict(list)
    for row in read_csv(SCORED):
        gaps[row["model"].split("-")[0]].append(float(row["holdout_gap"]))
    return {name: mean(found) for name, found in gaps.items()}
