"""Predictions of a trained model for any shards, as the challenge's CSV."""

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from tqdm import tqdm

from yt8m import models
from yt8m.data.dataset import Shards
from yt8m.data.manifest import DataError
from yt8m.files import whole
from yt8m.inspection import find
from yt8m.metrics import top_k
from yt8m.schema import Level, Schema
from yt8m.submission import LABELS, PREDICTIONS, pairs
from yt8m.training.devices import make_deterministic
from yt8m.training.scores import predict

BATCH = 128  # videos at a time


def write_predictions(
    model: Path, pattern: str, output: Path, k: int, names: Path | None = None, labels: Path | None = None
) -> int:
    """Write the k highest classes of each video, in the shards' order; memory holds a few batches.

    Args:
        model: folder of a trained model, whose description says which records it takes.
        pattern: of shards.
        names: a file with a name a line; they are written instead of class numbers.
        labels: where to write the labels that the shards carry.

    Returns:
        How many videos.

    Raises:
        InputError: where a record, the model or the names are not what they should be. Nothing is written then.
    """
    paths = find(pattern)
    for path in (output, labels):
        if path is not None and path.is_dir():
            raise DataError(f"{path}: expected a file to write, received a folder")
    make_deterministic()
    network, description = models.load(model)
    schema = Schema.model_validate(description["schema"])
    called = None if names is None else read_names(names, schema.classes)
    shards, videos = Shards(paths, Level(description["level"]), schema), 0
    with ExitStack() as stack:
        lines = _table(stack, output, PREDICTIONS)
        true = None if labels is None else _table(stack, labels, LABELS)
        progress = stack.enter_context(tqdm(unit="video", desc="predicting", disable=None))
        for batch, scores in predict(network, shards, BATCH):
            for id, classes, values in zip(batch.ids, *top_k(scores, k), strict=True):
                lines.writerow([id, pairs(classes, values, called)])
            if true is not None:
                for id, row in zip(batch.ids, batch.labels, strict=True):
                    true.writerow([id, " ".join(map(str, np.flatnonzero(row)))])
            videos += len(batch.ids)
            progress.update(len(batch.ids))
    return videos


def _table(stack: ExitStack, path: Path, header: Sequence[str]) -> Any:
    """An open table that appears at `path` when the stack is left without an error."""
    partial = stack.enter_context(whole(path))
    file: TextIO = stack.enter_context(partial.open("w", encoding="utf-8", newline=""))
    table = csv.writer(file, lineterminator="\n")
    table.writerow(header)
    return table


def read_names(path: Path, classes: int) -> list[str]:
    """The classes' names, a line each.

    Raises:
        DataError: where there are more or fewer than classes.
    """
    names = path.read_text(encoding="utf-8").splitlines()
    if len(names) != classes:
        raise DataError(f"{path}: expected {classes} names, a line each, received {len(names)}")
    return names
