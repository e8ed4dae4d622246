"""Scores of a model for a data set, batch by batch."""

from collections.abc import Iterable, Iterator

import keras
import numpy as np

from yt8m.core.errors import InputError
from yt8m.core.ragged import Ragged
from yt8m.records.batches import Batch
from yt8m.records.dataset import Dataset, Shards
from yt8m.records.readers import prefetch
from yt8m.scoring import metrics


def predict(
    model: keras.Model, shards: Shards, batch_size: int, start: int = 0, stop: int | None = None
) -> Iterator[tuple[Batch, np.ndarray]]:
    """The batches from `start` up to `stop` in order, each with its (B, C) float32 scores.

    A thread runs the model on the next batches while one is in use. The last batch is filled up to `batch_size` before
    the model sees it, so that one compiled shape serves all.

    Raises:
        InputError: naming the first video whose scores are no numbers.
    """
    return prefetch(_predict(model, shards.batches(batch_size, start, stop), batch_size))


def _predict(model: keras.Model, batches: Iterable[Batch], batch_size: int) -> Iterator[tuple[Batch, np.ndarray]]:
    for batch in batches:
        missing = batch_size - len(batch.ids)
        inputs = {
            # Its last video repeated: a video without frames is nothing that cuDNN's recurrent layers take.
            name: np.pad(x, [(0, missing)] + [(0, 0)] * (x.ndim - 1), mode="edge")
            for name, x in batch.inputs.items()
        }
        scores = keras.ops.convert_to_numpy(model.predict_on_batch(inputs))[: len(batch.ids)].astype(np.float32)
        if not (finite := np.isfinite(scores).all(axis=1)).all():
            first = batch.ids[int(np.argmin(finite))]
            raise InputError(f"{model.name}: expected scores between 0 and 1, received no numbers for video {first}")
        yield batch, scores


def dataset_gap(model: keras.Model, dataset: Dataset, batch_size: int) -> float:
    """GAP@20 of a model on a labelled data set; raises as `predict` does."""
    pooled = metrics.PooledGap()
    for batch, scores in predict(model, dataset, batch_size):
        pooled.add(*metrics.top_k(scores, 20), Ragged.hot(batch.labels))
    return pooled.value()
