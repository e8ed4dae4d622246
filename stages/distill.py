"""Distil the ensemble into one student within the size limit (eq. 7): `python -m stages distill`."""

from dataclasses import replace

from stages._places import TEACHER
from yt8m.distillation.objective import Distillation
from yt8m.settings.params import Params
from yt8m.training.run import run
from yt8m.training.training import Training


def main(params: Params) -> None:
    settings = params.distill
    training = Training.of(params, settings, settings.seed, "distill")
    objective = Distillation(settings.share, TEACHER)
    run(replace(training, objective=objective, storage=settings.storage, max_bytes=settings.max_bytes))
