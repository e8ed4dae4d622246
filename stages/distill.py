"""Distil the ensemble into one student within the size limit (eq. 7): `python -m stages.distill`."""

import numpy as np

from stages._common import DATA, SPLIT, Params, run
from stages._training import train_model
from yt8m.data.dataset import Batch
from yt8m.predictions import Store


def main(params: Params) -> None:
    settings = params.distill
    teacher_file = DATA / "ensemble" / "teacher.parquet"
    teacher, classes = Store(teacher_file).read(), params.data.layout.classes

    def targets(batch: Batch) -> np.ndarray:
        # Cross-entropy is linear in its targets: eq. 7's two terms are one with the mixture of both.
        mixed = settings.share * teacher.at(batch.ids, classes) + (1 - settings.share) * batch.labels
        return mixed.astype(np.float32)

    train_model(
        params,
        settings,
        SPLIT / "train" / "frames.tsv",
        DATA / "distill",
        "distill",
        targets=targets,
        decisive=[settings.share],
        inputs=[teacher_file],
        max_bytes=settings.max_bytes,
        storage=settings.storage,
    )


if __name__ == "__main__":
    run(main)
