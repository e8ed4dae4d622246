"""What a student keeps of its teacher: `python -m benchmarks.studies.distillation [--project FOLDER]`.

A variant changes the section `distill`, the teacher's scores, or what is taught: without the extra videos, or from
labels alone; it says so by parameters, or by what is best in the project. Beside the table of students, one says how
far the teacher's scores can be trusted on the training videos, which its members have seen, and on the holdout; and a
figure shows GAP by lambda.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from benchmarks._nextvlad import DEMO
from benchmarks.studies import _study
from benchmarks.studies._study import Table, Trained
from benchmarks.studies._teachers import Calibration, filled_up, softened, teacher_of
from stages._places import ENSEMBLE, EXTRA, SCORED, SPLIT, TAUGHT, TEACHER
from yt8m.core.files import write_csv
from yt8m.core.ragged import Ragged
from yt8m.ensembling.blocks import BLOCK
from yt8m.report.drawing import save_png
from yt8m.report.lines import spread_figure
from yt8m.report.tables import markdown
from yt8m.scoring import metrics
from yt8m.scoring.predictions import Predictions, Store, writer
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


class Taught(NamedTuple):
    """What a finished pipeline taught its student from.

    Attributes:
        teacher: scores of training videos.
        extra: scores of extra videos.
        scored: how good the models are.
        ensemble: folder of the teacher.
        holdout: the teacher's scores there.
        folds: a folder for scores of models that are trained for the study, which every seed's student is taught.
    """

    teacher: Path
    extra: Path
    scored: Path
    ensemble: Path
    holdout: Predictions
    folds: Path


Change = Callable[[Predictions, int], Predictions]  # of a teacher's scores, given the number of classes
Teach = Callable[[Params, Taught], str]  # trains a student in a workplace, and says which stage's place it is in


def unchanged(block: Predictions, classes: int) -> Predictions:
    """Scores as they are stored."""
    return block


def write_scores(source: Path, out: Path, change: Change, classes: int) -> None:
    """Write changed scores; of each video as many classes as are stored, or all if they are filled up."""
    stored = Store(source)
    with writer(out, classes if change is filled_up else stored.k, classes) as file:
        for block in stored.blocks(BLOCK):
            file.append(change(block, classes))


def scores_taught(params: Params, taught: Taught, change: Change = unchanged, extra: bool = True) -> str:
    """By the stage, from stored scores, the extra videos' among them."""
    for source, out in ((taught.teacher, TEACHER), (taught.extra, EXTRA)):
        write_scores(source, out, change, params.data.layout.classes)
    if not extra:
        leave_out_extra()
    _study.run_stage(params, "distill")
    return "distill"


def labels_taught(params: Params, taught: Taught) -> str:
    """By the stage, on labels alone."""
    _study.run_stage(params, "untaught")
    return "untaught"


def calibrated_taught(params: Params, taught: Taught, extra: bool = True) -> str:
    """From scores that are shares of labels, as far as the holdout tells."""
    calibration = Calibration.of(taught.holdout)
    return scores_taught(params, taught, lambda block, classes: calibration(block), extra)


def folds_taught(params: Params, taught: Taught, folds: int) -> str:
    """From scores of training videos by new members, of the best models of three, which were trained on other folds."""
    from benchmarks.studies._folds import write_folds

    scores = taught.folds / f"{folds}.parquet"
    if not scores.exists():
        write_folds(scores, params, best_models(3), folds)
    return scores_taught(params, taught._replace(teacher=scores), extra=False)


def same_view_taught(params: Params, taught: Taught) -> str:
    """From the ensemble's scores of the mixes that the student is given."""
    from benchmarks.studies._same_view import SameView
    from stages import _student
    from yt8m.training.run import run

    training = _student.by_labels(params, "distill")
    run(replace(training, objective=SameView(params.distill.share, taught.ensemble)))
    return "distill"


no_extra = partial(scores_taught, extra=False)


def best_models(count: int) -> list[str]:
    """The models that are best on the holdout."""
    from stages._student import holdout_gaps

    gaps = holdout_gaps()
    return sorted(gaps, key=lambda name: gaps[name], reverse=True)[:count]


def like(model: str) -> Callable[[Params], dict[str, Any]]:
    """Parameters of a student with a model's family and all that goes with it."""

    def changes(params: Params) -> dict[str, Any]:
        section = params.models[model]
        own = {key: getattr(section, key) for key in ("family", "args", "batch_size", "learning_rate")}
        return {f"distill.{key}": value for key, value in own.items()}

    return changes


class Variant(NamedTuple):
    """A student.

    Attributes:
        changes: of parameters, or what gives them.
        teach: how it is trained.
    """

    changes: Mapping[str, Any] | Callable[[Params], Mapping[str, Any]] = MappingProxyType({})
    teach: Teach = scores_taught

    def params(self, params: Params, seed: int) -> Params:
        """The project's parameters, changed."""
        changes = self.changes(params) if callable(self.changes) else self.changes
        return _study.changed(params, {**changes, "distill.seed": seed})


LAMBDAS = {f"lambda {share:g}": share for share in (0.0, 0.25, 0.5, 0.75, 1.0)}
OWN = {"distill.batch_size": 80, "distill.learning_rate": 0.005}
NEXTVLAD = {"distill.family": "nextvlad", "distill.args": DEMO, **OWN}
MIXUP = {"train.mixup": 0.5}
FAMILIES = ("netvlad", "netfv", "gated_dbow", "dbow", "netrvlad", "gru", "lstm", "mlp", "moe")


def variants_of(name: str, changes: dict[str, Any]) -> dict[str, Variant]:
    """A student taught in each way, and on labels alone."""
    return {
        f"{name}, labels": Variant(changes, labels_taught),
        f"{name}, lambda 1, no extra": Variant({**changes, "distill.lambda": 1.0}, no_extra),
        f"{name}, lambda 0.5, no extra": Variant({**changes, "distill.lambda": 0.5}, no_extra),
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
    **{f"like {name}": Variant(like(name)) for name in FAMILIES},
    "taught": Variant(),  # as the project does it
    "labels": Variant(teach=labels_taught),
    "temperature 2": Variant(teach=partial(scores_taught, change=partial(softened, temperature=2))),
    "temperature 4": Variant(teach=partial(scores_taught, change=partial(softened, temperature=4))),
    "smallest score outside the top k": Variant(teach=partial(scores_taught, change=filled_up)),
    "calibrated": Variant(teach=calibrated_taught),
    "calibrated, no extra": Variant(teach=partial(calibrated_taught, extra=False)),
    "no extra": Variant(teach=no_extra),
    "no extra, 3 models, not seen": Variant(teach=partial(folds_taught, folds=4)),
    "no extra, 3 models, seen": Variant(teach=partial(folds_taught, folds=1)),
    "mixup, labels": Variant(MIXUP, labels_taught),
    "mixup, no extra": Variant(MIXUP, no_extra),
    "mixup, no extra, same view": Variant(MIXUP, same_view_taught),
    "no extra, same view": Variant(teach=same_view_taught),
}


def train(params: Params, taught: Taught, variant: Variant) -> Trained:
    """The student in a workplace."""
    SCORED.parent.mkdir(parents=True, exist_ok=True)
    SCORED.symlink_to(taught.scored)
    return _study.trained(params, variant.teach(params, taught))


def leave_out_extra() -> None:
    """Have the training videos alone be taught, in a workplace, whose split is a link to the project's."""
    split = SPLIT.resolve()
    SPLIT.unlink()
    TAUGHT.parent.mkdir(parents=True)
    for path in (split / TAUGHT.parent.name).iterdir():
        (TAUGHT.parent / path.name).symlink_to(path if path.name != TAUGHT.name else path.with_name("train.tsv"))


def figures(found: Trained, params: Params) -> dict[str, float]:
    """mAP on test as the stage evaluate has it, and bytes of the weights as `distill.storage` has them."""
    from yt8m.training.scores import predict

    k = min(params.infer.top_k, params.data.layout.classes)
    parts = [
        (*metrics.top_k(scores, k), Ragged.hot(batch.labels))
        for batch, scores in predict(found.model, found.test, _study.BATCH)
    ]
    indices, scores, labels = zip(*parts, strict=True)
    measured = metrics.all_metrics(np.concatenate(indices), np.concatenate(scores), Ragged.joined(labels))
    return {
        "test_map": measured["map"],
        "bytes": found.model.count_params() * np.dtype(params.distill.storage).itemsize,
    }


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


def draw(table: Table) -> None:
    """Draw test GAP by lambda next to the table."""
    values = {share: found for name, share in LAMBDAS.items() if (found := table.values(name, "test_gap"))}
    if values:
        path = table.path.with_name("distillation.png")
        title = "Distilled student (eq. 7), by seed"
        save_png(spread_figure(values, "lambda: the teacher's share", "test GAP@20", title), path)


def main(argv: Sequence[str] | None = None) -> None:
    args, table, variants = _study.begin("distillation", VARIANTS, argv)
    with _study.at(args.project) as params, TemporaryDirectory() as folds:
        teacher, extra, scored, ensemble = (path.resolve() for path in (TEACHER, EXTRA, SCORED, ENSEMBLE))
        taught = Taught(teacher, extra, scored, ensemble, teacher_of("holdout"), Path(folds))
        trusted = [trust("train", Store(TEACHER).read()), trust("holdout", taught.holdout)]
        write_csv(table.path.with_name(f"{table.path.stem}_teacher.csv"), Trust._fields, trusted)
        print(markdown(Trust._fields, trusted))
        for seed in args.seeds:
            for name, variant in variants.items():
                other = variant.params(params, seed)
                with _study.workplace("distillation"):
                    table.add(name, seed, partial(train, other, taught, variant), partial(figures, params=other))
    print(table.summary())
    draw(table)


if __name__ == "__main__":
    main()
