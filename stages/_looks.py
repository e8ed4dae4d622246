"""What `evaluate` keeps of predictions so that `report` can draw them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from stages._shown import BY_CLASS, CALIBRATION, FREQUENCY, PRECISION_RECALL
from yt8m.core.files import write_csv
from yt8m.scoring.calibration import Bin, calibration
from yt8m.scoring.curves import precision_recall
from yt8m.scoring.gaps import by_frequency, group_gaps, label_counts
from yt8m.scoring.predictions import Predictions

Row = tuple[object, ...]


@dataclass
class Looks:
    """Tables of what test shows beside metrics, filled by one system after the other.

    Attributes:
        curves: systems whose precision by recall is kept.
        calibrated: those whose calibration is.
        by_class: those whose GAP is, by class and by how frequent classes are.
        counts: training videos by class, (C,).
    """

    curves: Iterable[str]
    calibrated: Iterable[str]
    by_class: Iterable[str]
    counts: np.ndarray
    _points: list[Row] = field(default_factory=list)
    _bins: list[Row] = field(default_factory=list)
    _groups: list[Row] = field(default_factory=list)
    _classes: list[Row] = field(default_factory=list)

    def add(self, name: str, found: Predictions) -> None:
        """Look at a system's predictions."""
        if name in self.curves:
            self._points += [(name, *point) for point in precision_recall(found)]
        if name in self.calibrated:
            self._bins += [(name, *each) for each in calibration(found)]
        if name in self.by_class:
            self._groups += [(name, *row) for row in self._by_frequency(found)]
            self._classes += [(name, *row) for row in self._of_each(found)]

    def _by_frequency(self, found: Predictions) -> Iterable[Row]:
        group_of = by_frequency(self.counts)
        for group, (gap, labels) in enumerate(_measured(found, group_of)):
            inside = self.counts[group_of == group]
            yield group, int(inside.min()), int(inside.max()), len(inside), labels, gap

    def _of_each(self, found: Predictions) -> Iterable[Row]:
        for index, (gap, labels) in enumerate(_measured(found, np.arange(len(self.counts)))):
            if labels:
                yield index, int(self.counts[index]), labels, gap

    def write(self) -> None:
        """Write the tables, a system after the other."""
        write_csv(PRECISION_RECALL, ("model", "recall", "precision"), self._points)
        write_csv(CALIBRATION, ("model", *Bin._fields), self._bins)
        write_csv(FREQUENCY, ("model", "group", "fewest", "most", "classes", "test_labels", "gap"), self._groups)
        write_csv(BY_CLASS, ("model", "index", "train_videos", "test_labels", "gap"), self._classes)


def _measured(found: Predictions, group_of: np.ndarray) -> Iterable[tuple[float | str, int]]:
    """GAP and labels of each group of classes; no GAP where there are no labels."""
    gaps, labels = group_gaps(found, group_of).tolist(), label_counts(found, group_of).tolist()
    return ((gap if count else "", count) for gap, count in zip(gaps, labels, strict=True))
