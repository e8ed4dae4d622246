"""What a student keeps of its teacher: `python -m benchmarks.studies.distillation [--project FOLDER]`.

A variant changes the section `distill`, the teacher's scores, or what is taught: without the extra videos, or from
labels alone. Beside the table of students, one says how far the teacher's scores can be trusted on the training videos,
which its members have seen, and on the holdout; and a figure shows GAP by lambda.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from benchmarks._nextvlad import DEMO
from benchmarks.studies import _study
from benchmarks.studies._study import Table, Trained
from stages._places import ENSEMBLE, EXTRA, MEMBERS, METRICS, PREDICTIONS, SCORED, SPLIT, TAUGHT, TEACHER
from yt8m.core.files import read_json, write_csv
from yt8m.ensembling import fitting
from yt8m.ensembling.blocks import BLOCK
from yt8m.report.drawing import save_png
from yt8m.report.lines import spread_figure
from yt8m.report.tables import markdown
from yt8m.scoring import metrics
from yt8m.scoring.predictions import Predictions, Store, aligned, concatenate, writer
from yt8m.settings.params import Params

TOP = 20  # classes of a video that GAP ranks
BINS = 10


class Trust(NamedTuple):
    """How a teacher's scores of a split agree with its labels; all but GAP are of each video's 20 highest scores."""

    split: str
    videos: int
    gap: float
    confidence: float
    precision: float
    calibration_error: float


def soften(scores: np.ndarray, temperature: float) -> np.ndarray:
    """`sigmoid(logit(score) / temperature)` of scores in [0, 1], whose ends stay."""
    yes, no = scores ** (1 / temperature), (1 - scores) ** (1 / temperature)
    return yes / (yes + no)


def softened(block: Predictions, classes: int, temperature: float) -> Predictions:
    """Stored scores at a temperature."""
    return replace(block, scores=soften(block.scores, temperature))


def filled_up(block: Predictions, classes: int) -> Predictions:
    """Scores of all classes: those outside a video's stored top k count as its smallest stored score instead of 0."""
    scores = np.maximum(block.dense(classes), block.scores.min(axis=1, keepdims=True))
    return Predictions(block.ids, block.labels, *metrics.top_k(scores, classes))


class Variant(NamedTuple):
    """A student.

    Attributes:
        changes: of parameters.
        stage: that trains it; `untaught` does on labels alone.
        extra: whether it is taught the extra videos, too.
        teacher: changes the teacher's scores, given the number of classes.
    """

    changes: Mapping[str, Any] = MappingProxyType({})
    stage: str = "distill"
    extra: bool = True
    teacher: Callable[[Predictions, int], Predictions] | None = None


class Taught(NamedTuple):
    """What a finished pipeline taught its student from: scores of training and of extra videos, and of the models."""

    teacher: Path
    extra: Path
    scored: Path


LAMBDAS = {f"lambda {share:g}": share for share in (0.0, 0.25, 0.5, 0.75, 1.0)}
OWN = {"distill.batch_size": 80, "distill.learning_rate": 0.005}
NEXTVLAD = {"distill.family": "nextvlad", "distill.args": DEMO, **OWN}


def variants_of(name: str, changes: dict[str, Any]) -> dict[str, Variant]:
    """A student taught in each way, and on labels alone."""
    return {
        f"{name}, labels": Variant(changes, stage="untaught"),
        f"{name}, lambda 1, no extra": Variant({**changes, "distill.lambda": 1.0}, extra=False),
        f"{name}, lambda 0.5, no extra": Variant({**changes, "distill.lambda": 0.5}, extra=False),
        f"{name}, lambda 1": Variant({**changes, "distill.lambda": 1.0}),
        f"{name}, lambda 0.5": Variant({**changes, "distill.lambda": 0.5}),
    }


VARIANTS = {
    **{name: Variant({"distill.lambda": share}) for name, share in LAMBDAS.items()},
    **{
        key: variant
        for number, name in ((1, "one network"), (2, "two"), (3, "three"))
        for key, variant in variants_of(name, {"distill.members": number}).items()
    },
    **variants_of("nextvlad", NEXTVLAD),
    "temperature 2": Variant(teacher=partial(softened, temperature=2)),
    "temperature 4": Variant(teacher=partial(softened, temperature=4)),
    "smallest score outside the top k": Variant(teacher=filled_up),
}


def write_scores(source: Path, out: Path, variant: Variant, classes: int) -> None:
    """Write the teacher's scores as a variant has them, where the stage distill looks for them."""
    stored = Store(source)
    with writer(out, classes if variant.teacher is filled_up else stored.k, classes) as file:
        for block in stored.blocks(BLOCK):
            file.append(variant.teacher(block, classes) if variant.teacher else block)


def train(params: Params, taught: Taught, variant: Variant) -> Trained:
    """The student as the stage makes it."""
    for source, out in ((taught.teacher, TEACHER), (taught.extra, EXTRA)):
        write_scores(source, out, variant, params.data.layout.classes)
    if not variant.extra:
        leave_out_extra()
    SCORED.parent.mkdir(parents=True, exist_ok=True)
    SCORED.symlink_to(taught.scored)
    _study.run_stage(params, variant.stage)
    return _study.trained(params, variant.stage)


def leave_out_extra() -> None:
    """Have the training videos alone be taught, in a workplace, whose split is a link to the project's."""
    split = SPLIT.resolve()
    SPLIT.unlink()
    TAUGHT.parent.mkdir(parents=True)
    for path in (split / TAUGHT.parent.name).iterdir():
        (TAUGHT.parent / path.name).symlink_to(path if path.name != TAUGHT.name else path.with_name("train.tsv"))


def size(found: Trained, params: Params) -> dict[str, float]:
    """Bytes of the weights as `distill.storage` has them."""
    return {"bytes": found.model.count_params() * np.dtype(params.distill.storage).itemsize}


def trust(split: str, found: Predictions) -> Trust:
    """How scores agree with labels.

    The expected calibration error is the mean over scores of how far the mean score of its bin, of ten equally wide
    ones, is from the share of labels in it (Guo et al., arXiv 1706.04599).
    """
    confidence = found.scores[:, :TOP].ravel().astype(np.float64)
    correct = metrics.is_label(found.indices[:, :TOP], found.labels).ravel()
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    off = np.bincount(bins, confidence - correct, BINS)  # in each bin, how many labels too many the scores promise
    gap = metrics.gap(found.indices, found.scores, found.labels)
    error = float(np.abs(off).sum() / len(confidence))
    return Trust(split, len(found.ids), gap, float(confidence.mean()), float(correct.mean()), error)


def teachers() -> list[Trust]:
    """The teacher on training videos and holdout."""
    scheme = read_json(METRICS / "fit_ensemble" / "metrics.json")["teacher"]
    with np.load(ENSEMBLE / "weights.npz") as stored:
        weights = stored[scheme]
    with aligned({name: PREDICTIONS / "holdout" / f"{name}.parquet" for name in read_json(MEMBERS)}) as members:
        holdout = concatenate(list(fitting.combined(members, weights, fitting.power(scheme))))
    return [trust("train", Store(TEACHER).read()), trust("holdout", holdout)]


def draw(table: Table) -> None:
    """Draw test GAP by lambda next to the table."""
    values = {share: found for name, share in LAMBDAS.items() if (found := table.values(name, "test_gap"))}
    if values:
        path = table.path.with_name("distillation.png")
        title = "Distilled student (eq. 7), by seed"
        save_png(spread_figure(values, "lambda: the teacher's share", "test GAP@20", title), path)


def main(argv: Sequence[str] | None = None) -> None:
    args, table, variants = _study.begin("distillation", VARIANTS, argv)
    with _study.at(args.project) as params:
        trusted, taught = teachers(), Taught(*(path.resolve() for path in (TEACHER, EXTRA, SCORED)))
        write_csv(table.path.with_name(f"{table.path.stem}_teacher.csv"), Trust._fields, trusted)
        print(markdown(Trust._fields, trusted))
        for seed in args.seeds:
            for name, variant in variants.items():
                other = _study.changed(params, {**variant.changes, "distill.seed": seed})
                with _study.workplace("distillation"):
                    table.add(name, seed, partial(train, other, taught, variant), partial(size, params=other))
    print(table.summary())
    draw(table)


if __name__ == "__main__":
    main()
