"""Trainings' loss and GAP by step, of all models."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from stages._places import METRICS
from yt8m.report.lines import Curve

RELATIONS = "label relations"


class Row(NamedTuple):
    """What was logged at a step, counted from the first training's start.

    Attributes:
        group: a family.
        line: a model of it.
        training: what it learns from.
        loss: None where training begins.
    """

    group: str
    line: str
    training: str
    step: int
    loss: float | None
    holdout_gap: float


def logged_rows(members: Iterable[str]) -> list[Row]:
    """All that was logged: of the members by family, the video-level models, the student and its model untaught."""
    found: list[Row] = []
    for name in sorted(members, key=lambda name: name.rpartition("-")[0]):
        group, _, line = name.rpartition("-")
        trained = list(_rows("train", name, group, f"set {line}", "labels"))
        start = trained[-1].step if trained else 0
        found += [*trained, *_rows("finetune", name, group, f"set {line}", RELATIONS, start)]
    for kind in ("original", "augmented"):
        found += _rows("train_moe", kind, "MoE", kind, "labels")
    found += _rows("distill", "", "student", "distilled", "teacher")
    found += _rows("untaught", "", "student", "on labels", "labels")
    return found


def curves(rows: Iterable[Row]) -> dict[str, dict[str, Curve]]:
    """The rows as curves, by group and line."""
    found: dict[str, dict[str, Curve]] = {}
    for row in rows:
        curve = found.setdefault(row.group, {}).setdefault(row.line, Curve([], [], []))
        if row.training == RELATIONS and not curve.further:
            curve.further.append(curve.loss[-1][0] if curve.loss else 0)
        if row.loss is not None:
            curve.loss.append((row.step, row.loss))
        curve.gap.append((row.step, row.holdout_gap))
    return found


def _rows(stage: str, name: str, group: str, line: str, training: str, start: int = 0) -> Iterator[Row]:
    folder = METRICS / stage / name / "plots" / "metrics"
    losses = _logged(folder / "loss.tsv")
    for step, gap in _logged(folder / "holdout_gap.tsv").items():
        yield Row(group, line, training, start + step, losses.get(step), gap)


def _logged(path: Path) -> dict[int, float]:
    """A value by step; none where a model was passed on as it was trained."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file, delimiter="\t")
    return {int(step): float(value) for step, value in rows}
