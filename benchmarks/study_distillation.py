"""What a student keeps of its teacher: `python -m benchmarks.study_distillation --project FOLDER [--variants NAME …]`.

FOLDER is a project whose `dvc repro` has finished; nothing is changed there. A variant changes the section `distill`
or the teacher's scores of the training videos. Beside the table of students, one says how far the teacher's scores can
be trusted on the training videos, which its members have seen, and on the holdout; and a figure shows GAP by lambda.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from yt8m.distillation.targets import targets

from benchmarks._sizes import DEMO_NEXTVLAD
from benchmarks._study import Split, Table, gap, options
from yt8m import ensembling
from yt8m.core.errors import InputError
from yt8m.core.files import write_text
from yt8m.core.schema import Level
from yt8m.records.dataset import Batch
from yt8m.report.figures import spread_figure
from yt8m.report.tables import csv_text, markdown
from yt8m.scoring import metrics
from yt8m.scoring.predictions import Predictions, Store, aligned, concatenate
from yt8m.settings.params import Distill, Params, load
from yt8m.training.devices import make_deterministic

TEACHER = "data/ensemble/teacher.parquet"
TOP = 20  # classes of a video that GAP ranks
BINS = 10


class Row(NamedTuple):
    """A student's figures: GAP of holdout and test, bytes of its weights as `distill.storage` has them, seconds."""

    variant: str
    seed: int
    holdout_gap: float
    test_gap: float
    bytes: int
    seconds: float


class Trust(NamedTuple):
    """How a teacher's scores of a split agree with its labels; all but GAP are of each video's 20 highest scores."""

    split: str
    videos: int
    gap: float
    confidence: float
    precision: float
    calibration_error: float


@dataclass(frozen=True)
class Variant:
    """What a student is trained with.

    Attributes:
        share: lambda.
        temperature: see `soften`.
        outside: whether classes outside a video's stored top k count as its smallest stored score instead of 0.
        nextvlad: whether the student is the benchmarks' small NeXtVLAD instead of the project's own.
        epochs: at most; none are the project's.
    """

    share: float = 1.0
    temperature: float = 1.0
    outside: bool = False
    nextvlad: bool = False
    epochs: int | None = None


LAMBDAS = {f"lambda {share:g}": Variant(share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)}
VARIANTS = {
    **LAMBDAS,
    "temperature 2": Variant(temperature=2),
    "temperature 4": Variant(temperature=4),
    "smallest score outside the top k": Variant(outside=True),
    "lambda 0, 6 epochs": Variant(0.0, epochs=6),
    "lambda 1, 6 epochs": Variant(epochs=6),
    "nextvlad, lambda 0": Variant(0.0, nextvlad=True),
    "nextvlad, lambda 1": Variant(nextvlad=True),
}


@dataclass(frozen=True)
class Teacher:
    """Stored scores as a variant changes them."""

    stored: Predictions
    variant: Variant

    def at(self, ids: Sequence[str], classes: int) -> np.ndarray:
        """(B, C) float32 in [0, 1]."""
        scores = self.stored.at(ids, classes)
        if self.variant.outside:
            smallest = np.where(scores > 0, scores, 1).min(axis=1, keepdims=True)
            scores = np.where(scores > 0, scores, smallest)
        return soften(scores, self.variant.temperature)


def soften(scores: np.ndarray, temperature: float) -> np.ndarray:
    """`sigmoid(logit(score) / temperature)` of scores in [0, 1], whose ends stay."""
    yes, no = scores ** (1 / temperature), (1 - scores) ** (1 / temperature)
    return yes / (yes + no)


class Project(Split):
    """A finished project's split, with the student's figures."""

    @classmethod
    def at(cls, folder: Path) -> "Project":
        """The project in a folder."""
        params = load(folder / "params.yaml")
        data = params.data.model_copy(update={"source": str(folder / params.data.source)})
        return cls(params.model_copy(update={"data": data}), folder / "data" / "split", Level.FRAME)

    def measure(self, model: keras.Model) -> tuple[float, int]:
        """GAP of the test videos, and bytes."""
        return gap(*self.tested(model)), model.count_params() * np.dtype(self.params.distill.storage).itemsize


def student(params: Params, variant: Variant, seed: int) -> Distill:
    """The section `distill` of a variant."""
    epochs = variant.epochs or params.distill.epochs
    section = params.distill.model_copy(update={"seed": seed, "share": variant.share, "epochs": epochs})
    return section.model_copy(update={"family": "nextvlad", "args": DEMO_NEXTVLAD}) if variant.nextvlad else section


def trained(split: Split, settings: Distill, learnt: Callable[[Batch], np.ndarray]) -> tuple[keras.Model, float]:
    """A student and its best GAP on the holdout."""
    model = split.model(settings)
    return model, split.train(model, settings, targets=learnt)


def trust(split: str, indices: np.ndarray, scores: np.ndarray, labels: Sequence[np.ndarray]) -> Trust:
    """How (N, k) scores agree with labels.

    The expected calibration error is the mean over scores of how far the mean score of its bin, of ten equally wide
    ones, is from the share of labels in it (Guo et al., arXiv 1706.04599).
    """
    confidence = scores[:, :TOP].ravel().astype(np.float64)
    correct = metrics.is_label(indices[:, :TOP], labels).ravel()
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    off = np.bincount(bins, confidence - correct, BINS)  # in each bin, how many labels too many the scores promise
    return Trust(
        split,
        len(labels),
        metrics.gap(indices, scores, labels),
        float(confidence.mean()),
        float(correct.mean()),
        float(np.abs(off).sum() / len(confidence)),
    )


def teachers(project: Path) -> list[Trust]:
    """The teacher on training videos and holdout."""
    train = Store(project / TEACHER).read()
    scheme = json.loads((project / "metrics" / "fit_ensemble" / "metrics.json").read_text(encoding="utf-8"))["teacher"]
    weights = np.load(project / "data" / "ensemble" / "weights.npz")[scheme]
    names = json.loads((project / "data" / "members.json").read_text(encoding="utf-8"))
    paths = {name: project / "data" / "predictions" / "holdout" / f"{name}.parquet" for name in names}
    with aligned(paths) as members:
        holdout = concatenate(list(ensembling.combined(members, weights, ensembling.power(scheme))))
    found = {"train": train, "holdout": holdout}
    return [trust(split, each.indices, each.scores, each.labels) for split, each in found.items()]


def report(table: Table) -> None:
    """Print the students' table, and draw test GAP by lambda next to it."""
    print(table.summary())
    values = {
        variant.share: found
        for name, variant in LAMBDAS.items()
        if (found := [row.test_gap for row in table.rows if row.variant == name])
    }
    if values:
        path = table.path.with_name("distillation.png")
        spread_figure(values, "lambda: the teacher's share", "test GAP@20", "Distilled student (eq. 7), by seed", path)


def main(argv: Sequence[str] | None = None) -> None:
    parser = options("study_distillation", "Compare students of one teacher.")
    parser.add_argument("--project", type=Path, required=True, help="where `dvc repro` has finished")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=VARIANTS, metavar="VARIANT")
    args = parser.parse_args(argv)
    make_deterministic()
    try:
        study(args.project, Table(args.table, Row), args.variants, args.seeds)
    except (InputError, OSError) as error:
        sys.exit(f"study_distillation: {error}")


def study(project: Path, table: Table, variants: Sequence[str], seeds: Sequence[int]) -> None:
    """Say how far the teacher can be trusted, train students, and report them."""
    split = Project.at(project)
    classes = split.params.data.layout.classes
    trusted = teachers(project)
    write_text(table.path.with_name(f"{table.path.stem}_teacher.csv"), csv_text(Trust._fields, trusted))
    print(markdown(Trust._fields, trusted))
    stored = Store(project / TEACHER).read()
    for seed in seeds:
        for name in variants:
            variant = VARIANTS[name]
            settings = student(split.params, variant, seed)
            learnt = targets(Teacher(stored, variant), variant.share, classes)
            table.add(name, seed, split, partial(trained, split, settings, learnt))
    report(table)


if __name__ == "__main__":
    main()
