"""Distil the ensemble into one student within the size limit (eq. 7): `python -m stages distill`."""

from dataclasses import replace

from stages._places import TEACHER
from stages._student import by_labels
from yt8m.distillation.objective import Distillation
from yt8m.settings.params import Params
from yt8m.training.run import run


def main(params: Params) -> None:
    objective = Distillation(params.distill.share, TEACHER)
    run(replace(by_labels(params, "distill"), objective=objective, max_bytes=params.distill.max_bytes))
