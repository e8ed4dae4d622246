"""Distil the ensemble into one student within the size limit (eq. 7): `python -m stages.distill`."""

from stages._common import DATA, SPLIT, Params, run
from stages._training import train_model
from yt8m.predictions import Store
from yt8m.training.distillation import targets


def main(params: Params) -> None:
    settings = params.distill
    teacher_file = DATA / "ensemble" / "teacher.parquet"
    train_model(
        params,
        settings,
        SPLIT / "train" / "frames.tsv",
        DATA / "distill",
        "distill",
        targets=targets(Store(teacher_file).read(), settings.share, params.data.layout.classes),
        decisive=[settings.share],
        inputs=[teacher_file],
        max_bytes=settings.max_bytes,
        storage=settings.storage,
    )


if __name__ == "__main__":
    run(main)
