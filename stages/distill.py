"""Distil the ensemble into one student within the size limit (eq. 7): `python -m stages distill`."""

from dataclasses import replace

from stages._places import EXTRA, TAUGHT, TEACHER
from stages._student import by_labels
from yt8m.distillation.objective import Distillation
from yt8m.settings.params import Params
from yt8m.training.run import run


def main(params: Params) -> None:
    labels_alone = by_labels(params, "distill")
    training = replace(
        labels_alone,
        phases=(replace(labels_alone.phases[0], manifest=TAUGHT),),  # as many steps, of more videos
        objective=Distillation(params.distill.share, TEACHER, EXTRA),
        max_bytes=params.distill.max_bytes,
    )
    run(training)
