"""Labels predicted once more, from scores of all classes: `python -m benchmarks.studies.stacking [--project FOLDER]`.

Reads the predictions of a finished pipeline. A second level adds to the teacher's scores what is linear in scores that
it is given: how classes go together, learnt from what models say in place of Omega (section 3.2). Its control sees of
each class that class alone. What it adds is drawn to nothing, as strongly as is best for cross-validated GAP on the
holdout, which all are fitted on, by scores of a teacher that learnt from other folds; test is only reported, with the
standard error of its difference from the teacher.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from benchmarks.studies._study import parser_of
from benchmarks.studies._teachers import members_of, teacher_of, teacher_out_of_fold
from yt8m.core.files import write_csv
from yt8m.core.ragged import Ragged
from yt8m.report.tables import markdown
from yt8m.scoring import bootstrap, metrics
from yt8m.scoring.predictions import Predictions
from yt8m.settings.loading import load

TOP = 20  # classes of a video that GAP ranks
# Of the penalty beside the mean square of what a class's weights multiply; the last leaves the teacher as it is.
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, np.inf)
HEADER = ("second_level", "strength", "cross_validated_gap", "test_gap", "difference", "error", "test_map")

# From videos that teach and others: what is added to the scores (N, C) of these, at each strength.
Correct = Callable[["Scored", "Scored"], Iterator[np.ndarray]]


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
    def of(cls, split: str, teacher: Predictions, classes: int) -> Self:
        """A split of the project that this is run in, as its teacher scores it."""
        with members_of(split) as members:
            dense = [members.read(name).dense(classes) for name in members.names]
        labels, ragged = np.zeros((len(teacher.ids), classes), bool), Ragged.of(teacher.labels)
        labels[ragged.rows(), ragged.values] = True
        return cls(teacher, teacher.dense(classes), np.concatenate(dense, axis=1), labels)

    def take(self, rows: np.ndarray) -> Self:
        """Some of the videos; `predictions` stay those of all."""
        return self._replace(teacher=self.teacher[rows], members=self.members[rows], labels=self.labels[rows])

    @property
    def missed(self) -> np.ndarray:
        """What the teacher's scores lack, (N, C) float32."""
        return self.labels - self.teacher


def by_itself(known: Scored, asked: Scored) -> Iterator[np.ndarray]:
    """Each class by its own score."""
    squares = (known.teacher**2).sum(axis=0)
    for strength in STRENGTHS:
        yield asked.teacher * (known.teacher * known.missed).sum(axis=0) / (squares + strength * squares.mean())


def by_all(known: Scored, asked: Scored) -> Iterator[np.ndarray]:
    """Each class by the teacher's scores of all."""
    return _linear(known.teacher, known.missed, asked.teacher)


def by_all_of_members(known: Scored, asked: Scored) -> Iterator[np.ndarray]:
    """Each class by every member's scores of all."""
    return _linear(known.members, known.missed, asked.members)


LEVELS: Mapping[str, Correct] = {
    "each class by its own score": by_itself,
    "each class by all classes' scores": by_all,
    "each class by all classes' scores of all members": by_all_of_members,
}


def _linear(known: np.ndarray, wanted: np.ndarray, asked: np.ndarray) -> Iterator[np.ndarray]:
    """Ridge regression's predictions (n, C) at each strength of what is wanted (N, C), by known (N, D), asked (n, D).

    One singular value decomposition serves all strengths (Hastie et al., The Elements of Statistical Learning, 3.47).
    """
    left, values, right = np.linalg.svd(known, full_matrices=False)
    inputs, outputs = asked @ right.T, left.T @ wanted
    for strength in STRENGTHS:
        penalty = strength * float((values**2).sum()) / known.shape[1]
        yield inputs * (values / (values**2 + penalty)) @ outputs


def cross_validated(correct: Correct, holdout: Scored, fold_of: np.ndarray) -> list[float]:
    """GAP@20 of the holdout's videos at each strength, each video by what the other folds' teach.

    Args:
        fold_of: the fold of each video, (N,) int.
    """
    scores = np.stack([holdout.teacher] * len(STRENGTHS))
    for fold in np.unique(fold_of):
        others, own = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        for place, added in enumerate(correct(holdout.take(others), holdout.take(own))):
            scores[place, own] += added
    return [metrics.gap(*metrics.top_k(each, TOP), holdout.predictions.labels) for each in scores]


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("stacking")
    parser.add_argument("--table", type=Path, default=Path("docs/results/study_stacking.csv"), help="of the rows")
    args = parser.parse_args(argv)
    table = args.table.resolve()
    with chdir(args.project):
        params = load()
        classes, seed = params.data.layout.classes, params.ensemble.seed
        teacher, fold_of = teacher_out_of_fold(params)
        holdout, test = Scored.of("holdout", teacher, classes), Scored.of("test", teacher_of("test"), classes)
    of_teacher = bootstrap.gaps(test.predictions, seed)
    value = metrics.gap(test.predictions.indices, test.predictions.scores, test.predictions.labels)
    rows, chosen = [], []
    for name, correct in LEVELS.items():
        validated = cross_validated(correct, holdout, fold_of)
        found = []
        for strength, cross, added in zip(STRENGTHS, validated, correct(holdout, test), strict=True):
            ranked = metrics.top_k(test.teacher + added, params.infer.top_k)
            corrected = Predictions(test.predictions.ids, test.predictions.labels, *ranked)
            measured = metrics.all_metrics(*ranked, corrected.labels)
            changed = bootstrap.difference(measured["gap"] - value, bootstrap.gaps(corrected, seed), of_teacher)
            found.append((name, strength, cross, measured["gap"], changed.value, changed.error, measured["map"]))
        rows += found
        chosen.append(found[int(np.argmax(validated))])
    write_csv(table, HEADER, rows)
    print(markdown(HEADER, chosen))


if __name__ == "__main__":
    main()
