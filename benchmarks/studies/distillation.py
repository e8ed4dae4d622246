"""What a student keeps of its teacher: `python -m benchmarks.studies.distillation [--project FOLDER]`.

A variant changes the section `distill`, or the teacher's scores of the training videos. Beside the table of students,
one says how far the teacher's scores can be trusted on the training videos, which its members have seen, and on the
holdout; and a figure shows GAP by lambda.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks._nextvlad import DEMO
from benchmarks.studies import _study
from benchmarks.studies._study import Table, Trained
from stages._places import ENSEMBLE, MEMBERS, METRICS, PREDICTIONS, SCORED, TEACHER
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


LAMBDAS = {f"lambda {share:g}": share for share in (0.0, 0.25, 0.5, 0.75, 1.0)}
TEACHERS: dict[str, Callable[[Predictions, int], Predictions]] = {
    "temperature 2": partial(softened, temperature=2),
    "temperature 4": partial(softened, temperature=4),
    "smallest score outside the top k": filled_up,
}
OWN = {"distill.batch_size": 80, "distill.learning_rate": 0.005}
NEXTVLAD = {"distill.family": "nextvlad", "distill.args": DEMO, **OWN}
VARIANTS: dict[str, dict[str, Any]] = {
    **{name: {"distill.lambda": share} for name, share in LAMBDAS.items()},
    **{name: {"distill.lambda": 1.0} for name in TEACHERS},
    "lambda 0, 6 epochs": {"distill.lambda": 0.0, "distill.epochs": 6},
    "lambda 1, 6 epochs": {"distill.lambda": 1.0, "distill.epochs": 6},
    "nextvlad, lambda 0": {"distill.lambda": 0.0, **NEXTVLAD},
    "nextvlad, lambda 1": {"distill.lambda": 1.0, **NEXTVLAD},
}


def write_teacher(stored: Store, name: str, classes: int) -> None:
    """Write the teacher's scores as a variant has them, where the stage distill looks for them."""
    change = TEACHERS.get(name)
    with writer(TEACHER, classes if change is filled_up else stored.k, classes) as out:
        for block in stored.blocks(BLOCK):
            out.append(change(block, classes) if change else block)


def train(params: Params, stored: Store, scored: Path, name: str) -> Trained:
    """The student as the stage distill makes it."""
    write_teacher(stored, name, params.data.layout.classes)
    SCORED.parent.mkdir(parents=True, exist_ok=True)
    SCORED.symlink_to(scored)
    _study.run_stage(params, "distill")
    return _study.trained(params, "distill")


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
        trusted, stored, scored = teachers(), Store(TEACHER.resolve()), SCORED.resolve()
        write_csv(table.path.with_name(f"{table.path.stem}_teacher.csv"), Trust._fields, trusted)
        print(markdown(Trust._fields, trusted))
        for seed in args.seeds:
            for name, changes in variants.items():
                other = _study.changed(params, {**changes, "distill.seed": seed})
                with _study.workplace("distillation"):
                    table.add(name, seed, partial(train, other, stored, scored, name), partial(size, params=other))
    print(table.summary())
    draw(table)


if __name__ == "__main__":
    main()
