"""What a model or an ensemble says of the videos of shards, block by block."""

from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR, getLogger
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from yt8m.commands._trained import load
from yt8m.core.errors import InputError
from yt8m.core.ragged import Ragged
from yt8m.ensembling import fitting
from yt8m.ensembling.ensemble import Ensemble, read_weights
from yt8m.records.dataset import Shards
from yt8m.scoring.metrics import top_k as highest
from yt8m.scoring.predictions import Aligned, Predictions, aligned, writer
from yt8m.settings import registry

if TYPE_CHECKING:
    import keras


def of_model(model: "keras.Model", shards: Shards, batch_size: int, top_k: int, name: str) -> Iterator[Predictions]:
    """A model's predictions for all videos in order, with their labels.

    Args:
        name: what the progress bar calls it.
    """
    from yt8m.training.scores import predict  # imports Keras

    for batch, scores in tqdm(predict(model, shards, batch_size), name, unit="batch", disable=None):
        yield Predictions(pa.array(batch.ids, pa.string()), Ragged.hot(batch.labels), *highest(scores, top_k))


def weights_of(folder: Path, scheme: str) -> np.ndarray:
    """The weights of an ensemble's scheme, (M, C).

    Raises:
        InputError: where the folder has none of it, or there is no scheme of that name.
    """
    found = read_weights(folder)
    if scheme not in found or scheme not in registry.schemes():
        raise InputError(f"{folder}: expected one of the schemes {sorted(found)}, received {scheme!r}")
    return found[scheme]


def of_ensemble(folder: Path, shards: Shards, batch_size: int) -> Iterator[Predictions]:
    """An ensemble's predictions: sums for ranking, which may be beyond 1; see `with_members`."""
    with with_members(folder, shards, batch_size) as (_, combined):
        yield from combined


@contextmanager
def with_members(folder: Path, shards: Shards, batch_size: int) -> Iterator[tuple[Aligned, Iterator[Predictions]]]:
    """The predictions of an ensemble's members, and its own.

    Members score all videos one after the other, so that memory holds one of them; a temporary file keeps each one's
    highest classes, as many as the pipeline's do, and they are put together as `evaluate` does it.

    Raises:
        InputError: where the ensemble, a member or a video is not as expected, or an id stands twice.
    """
    ensemble = Ensemble.read(folder)
    weights = weights_of(folder, ensemble.scheme)
    getLogger("tensorflow").setLevel(ERROR)  # it warns of so many models compiled
    with TemporaryDirectory() as work:
        paths = {name: Path(work) / f"{index}.parquet" for index, name in enumerate(ensemble.members)}
        for name, path in paths.items():
            model, _ = load(folder / ensemble.members[name])
            with writer(path, ensemble.top_k, shards.schema.classes) as store:
                for block in of_model(model, shards, batch_size, ensemble.top_k, name):
                    store.append(block)
        with aligned(paths) as members:
            yield members, fitting.combined(members, weights, fitting.power(ensemble.scheme))
