"""Labels predicted once more, from scores of all classes: `python -m benchmarks.studies.stacking [--project FOLDER]`.

Reads the predictions of a finished pipeline. A second level adds to the teacher's scores what is linear in scores that
it is given: how classes go together, learnt from what models say in place of Omega (section 3.2). Its control sees of
each class that class alone. What it adds is drawn to nothing, as strongly as is best for cross-validated GAP on the
holdout, which all are fitted on; test is only reported, with the standard error of its difference from the teacher.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from sklearn.linear_model import Ridge

from benchmarks.studies._teachers import members_of, teacher_of
from yt8m.core.files import write_csv
from yt8m.core.ragged import Ragged
from yt8m.ensembling import fitting
from yt8m.report.tables import markdown
from yt8m.scoring import bootstrap, metrics
from yt8m.scoring.predictions import Predictions
from yt8m.settings.loading import load

TOP = 20  # classes of a video that GAP ranks
# Of the penalty beside the mean square of what a class's weights multiply; the last leaves the teacher as it is.
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, np.inf)
HEADER = ("second_level", "strength", "cross_validated_gap", "test_gap", "difference", "error", "test_map")

Correct = Callable[["Scored", "Scored", float], np.ndarray]  # of some videos' scores, by what others teach; (N, C)


class Scored(NamedTuple):
    """N videos as the first level scores them.

    Attributes:
        predictions: the teacher's.
        teacher: its scores, (N, C) float32.
        members: the members' scores side by side, (N, M * C) float32.
        labels: (N, C) bool.
    """

    predictions: Predictions
    teacher: np.ndarray
    members: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, split: str, classes: int) -> Self:
        """A split of the project that this is run in."""
        teacher = teacher_of(split)
        with members_of(split) as members:
            dense = [members.read(name).dense(classes) for name in members.names]
        labels, ragged = np.zeros((len(teacher.ids), classes), bool), Ragged.of(teacher.labels)
        labels[np.repeat(np.arange(len(labels)), ragged.lengths), ragged.values] = True
        return cls(teacher, teacher.dense(classes), np.concatenate(dense, axis=1), labels)

    def take(self, rows: np.ndarray) -> Self:
        """Some of the videos; `predictions` stay those of all."""
        return self._replace(teacher=self.teacher[rows], members=self.members[rows], labels=self.labels[rows])

    @property
    def missed(self) -> np.ndarray:
        """What the teacher's scores lack, (N, C) float32."""
        return self.labels - self.teacher


def by_itself(known: Scored, asked: Scored, strength: float) -> np.ndarray:
    """Each class by its own score."""
    squares = (known.teacher**2).sum(axis=0)
    return asked.teacher * (1 + (known.teacher * known.missed).sum(axis=0) / (squares + strength * squares.mean()))


def by_all(known: Scored, asked: Scored, strength: float) -> np.ndarray:
    """Each class by the teacher's scores of all."""
    return asked.teacher + _linear(known.teacher, known.missed, asked.teacher, strength)


def by_all_of_members(known: Scored, asked: Scored, strength: float) -> np.ndarray:
    """Each class by every member's scores of all."""
    return asked.teacher + _linear(known.members, known.missed, asked.members, strength)


LEVELS: Mapping[str, Correct] = {
    "each class by its own score": by_itself,
    "each class by all classes' scores": by_all,
    "each class by all classes' scores of all members": by_all_of_members,
}


def _linear(known: np.ndarray, wanted: np.ndarray, asked: np.ndarray, strength: float) -> np.ndarray:
    """Ridge regression's predictions, (n, C), of what is wanted (N, C) where (N, D) are known and (n, D) asked."""
    penalty = strength * float((known**2).sum(axis=0).mean())
    found: np.ndarray = Ridge(alpha=penalty, fit_intercept=False).fit(known, wanted).predict(asked)
    return found


def corrected(correct: Correct, known: Scored, asked: Scored, strength: float) -> np.ndarray:
    """Scores of the second level, (n, C) float32; the teacher's where the penalty has no end."""
    return correct(known, asked, strength).astype(np.float32) if np.isfinite(strength) else asked.teacher


def cross_validated(correct: Correct, holdout: Scored, fold_of: np.ndarray, strength: float) -> float:
    """GAP@20 of the holdout's videos, each by what the other folds' teach.

    Args:
        fold_of: the fold of each video, (N,) int.
    """
    scores = np.empty_like(holdout.teacher)
    for fold in np.unique(fold_of):
        others, own = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        scores[own] = corrected(correct, holdout.take(others), holdout.take(own), strength)
    return metrics.gap(*metrics.top_k(scores, TOP), holdout.predictions.labels)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.studies.stacking", description="Predict labels once more, from all classes' scores."
    )
    parser.add_argument("--project", type=Path, default=Path(), help="where `dvc repro` has run; default: here")
    parser.add_argument("--table", type=Path, default=Path("docs/results/study_stacking.csv"), help="of the rows")
    args = parser.parse_args(argv)
    table = args.table.resolve()
    with chdir(args.project):
        params = load()
        classes, seed = params.data.layout.classes, params.ensemble.seed
        holdout, test = (Scored.of(split, classes) for split in ("holdout", "test"))
    fold_of = fitting.folds_of(holdout.predictions.ids, params.ensemble.folds, seed)
    of_teacher = bootstrap.gaps(test.predictions, seed)
    value = metrics.gap(test.predictions.indices, test.predictions.scores, test.predictions.labels)
    rows: list[tuple[object, ...]] = []
    for name, correct in LEVELS.items():
        validated = {strength: cross_validated(correct, holdout, fold_of, strength) for strength in STRENGTHS}
        strength = max(STRENGTHS, key=lambda each: validated[each])
        scores = corrected(correct, holdout, test, strength)
        found = Predictions(test.predictions.ids, test.predictions.labels, *metrics.top_k(scores, params.infer.top_k))
        measured = metrics.all_metrics(found.indices, found.scores, found.labels)
        gap = metrics.gap(found.indices, found.scores, found.labels)
        changed = bootstrap.difference(gap - value, bootstrap.gaps(found, seed), of_teacher)
        rows.append((name, strength, validated[strength], gap, changed.value, changed.error, measured["map"]))
        print(f"{name}: " + ", ".join(f"{each:g} {gap:.4f}" for each, gap in validated.items()))
    write_csv(table, HEADER, rows)
    print(markdown(HEADER, rows))


if __name__ == "__main__":
    main()
