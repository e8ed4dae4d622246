"""The training of the student by labels alone, which distillation adds the teacher to."""

from collections import defaultdict
from dataclasses import replace
from statistics import mean

from stages._places import SCORED
from stages._tables import rows_of
from yt8m.distillation.student import best_within
from yt8m.models.building import Description
from yt8m.settings.params import Model, Params
from yt8m.training.training import Training


def by_labels(params: Params, stage: str) -> Training:
    """A training of the student's model, whose files are a stage's."""
    model = (params.distill.own or best_model(params)).times(params.distill.members)
    training = Training.of(params, model, params.distill.seed, stage)
    schedule = replace(training.schedule, rate=params.distill.schedule or params.train.schedule)
    return replace(training, schedule=schedule, storage=params.distill.storage)


def best_model(params: Params) -> Model:
    """The model that scores best on the holdout, in the mean of its sets, and fits; it is trained for longer."""
    settings, means = params.distill, holdout_gaps()
    described = {
        name: Description.of(
            params.models[name].times(settings.members), params.train, params.data.layout, params.data.level
        )
        for name in means
    }
    name = best_within(means, described, settings.max_bytes, settings.storage)
    print(
        f"student: {settings.members} of {name}'s family and arguments, the best that fits "
        f"(holdout GAP {means[name]:.4f})"
    )
    return params.models[name].model_copy(update={"epochs": settings.epochs})


def holdout_gaps() -> dict[str, float]:
    """GAP on the holdout by model, in the mean of its sets."""
    gaps = defaultdict(list)
    for row in rows_of(SCORED):
        gaps[row["model"].split("-")[0]].append(float(row["holdout_gap"]))
    return {name: mean(found) for name, found in gaps.items()}
