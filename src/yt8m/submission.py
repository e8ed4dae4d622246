"""The challenge's files: predictions (`VideoId,LabelConfidencePairs`) and labels (`VideoId,Labels`), as CSV.

Pairs are classes and scores in turn, highest score first, with spaces between: `abcd,12 0.98 3 0.41`.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from yt8m import metrics
from yt8m.errors import InputError

PREDICTIONS = ["VideoId", "LabelConfidencePairs"]
LABELS = ["VideoId", "Labels"]


class SubmissionError(InputError):
    """A file of predictions or labels is not what it should be; the message names it and the line."""


class Line(NamedTuple):
    """One video's classes, and their scores where it is a prediction."""

    id: str
    classes: list[int]
    scores: list[float]


def pairs(classes: np.ndarray, scores: np.ndarray, names: Sequence[str] | None = None) -> str:
    """A video's pairs; nine digits give back the same float32.

    Args:
        classes: (k,).
        scores: (k,) float32.
        names: of all classes; they have spaces, so that `; ` stands between pairs then.
    """
    found = [
        f"{index if names is None else names[index]} {score:.9g}"
        for index, score in zip(classes.tolist(), scores.tolist(), strict=True)
    ]
    return (" " if names is None else "; ").join(found)


def score(predictions: Path, labels: Path) -> dict[str, float]:
    """GAP@20, mAP, Hit@1 and PERR of a file of predictions by a file of labels; their order does not matter.

    Raises:
        SubmissionError: where a line is malformed, an id repeats, or the ids differ.
    """
    found, true = _read(predictions, PREDICTIONS), _read(labels, LABELS)
    missing, extra = [id for id in true if id not in found], [id for id in found if id not in true]
    if missing or extra:
        raise SubmissionError(
            f"{predictions}: expected the videos of {labels}, missing are {_some(missing)}, too many are {_some(extra)}"
        )
    if not true:
        raise SubmissionError(f"{labels}: expected labels, found no video")
    width = max(len(line.classes) for line in found.values())
    # Filled up with a class that no video has, ranked last.
    nothing = 1 + max(max(line.classes, default=0) for line in (*found.values(), *true.values()))
    indices, scores = np.full((len(true), width), nothing), np.full((len(true), width), -1.0, np.float32)
    for row, id in enumerate(true):
        ranked = sorted(zip(found[id].scores, found[id].classes, strict=True), key=lambda pair: (-pair[0], pair[1]))
        indices[row, : len(ranked)] = [label for _, label in ranked]
        scores[row, : len(ranked)] = [value for value, _ in ranked]
    return metrics.all_metrics(indices, scores, [np.array(line.classes, np.int64) for line in true.values()])


def _read(path: Path, header: list[str]) -> dict[str, Line]:
    lines: dict[str, Line] = {}
    for number, line in _lines(path, header):
        if line.id in lines:
            raise SubmissionError(f"{path}: line {number}: expected each video once, received {line.id!r} again")
        lines[line.id] = line
    return lines


def _lines(path: Path, header: list[str]) -> Iterator[tuple[int, Line]]:
    """The lines of a file with their numbers."""
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.reader(file)
        try:
            if (first := next(table, [])) != header:
                raise SubmissionError(f"{path}: line 1: expected {','.join(header)}, received {','.join(first)[:80]!r}")
            for row in table:
                yield table.line_num, _line(row, header is PREDICTIONS)
        except (ValueError, csv.Error) as error:
            if isinstance(error, SubmissionError):
                raise
            raise SubmissionError(f"{path}: line {max(table.line_num, 1)}: {error}") from None


def _line(row: list[str], scored: bool) -> Line:
    what = "a video and pairs of class and score" if scored else "a video and its classes"
    wrong = ValueError(f"expected {what}, received {','.join(row)[:80]!r}")
    if len(row) != 2 or not row[0]:
        raise wrong
    words = row[1].split()
    try:
        classes = [int(word) for word in (words[::2] if scored else words)]
        scores = [float(word) for word in words[1::2]] if scored else []
    except ValueError:
        raise wrong from None
    if scored and len(scores) != len(classes):
        raise wrong
    if min(classes, default=0) < 0 or len(set(classes)) != len(classes) or not np.isfinite(scores).all():
        raise wrong
    return Line(row[0], classes, scores)


def _some(ids: Sequence[str]) -> str:
    return f"{len(ids)} ({', '.join(ids[:3])}{', …' if len(ids) > 3 else ''})" if ids else "0"
