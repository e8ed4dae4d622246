"""A data set's predictions, by ranges of batches that workers make side by side.

Keras is not imported until a range is predicted: on a cluster that is when backend and threads are chosen.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import pyarrow as pa

from yt8m.core.backend import choose, limit_threads, take_gpu
from yt8m.core.cluster import Spread, worker_number
from yt8m.core.ragged import Ragged
from yt8m.core.startup import starting
from yt8m.records.cache import Cache
from yt8m.records.dataset import Dataset
from yt8m.records.manifest import Manifest, read_manifest
from yt8m.scoring.metrics import top_k
from yt8m.scoring.predictions import Predictions, concatenate

BATCHES = 64  # of a range


@dataclass(frozen=True)
class Inference:
    """What is predicted, by which model, and how.

    Attributes:
        model: its folder.
        manifest: of the videos.
        source: `data.source`, where they lie.
        batch_size: videos at once.
        top_k: classes kept of each.
        backend, threads: of the computation.
        cache: of shards behind URLs; None: the process's own.
    """

    model: Path
    manifest: Path
    source: Path
    batch_size: int
    top_k: int
    backend: str
    threads: int
    cache: Cache | None = None

    @cached_property
    def listed(self) -> Manifest:
        """What is predicted."""
        return read_manifest(self.manifest)

    def predictions(self, spread: Spread) -> Iterator[Predictions]:
        """The predictions of all videos in order, a range of batches at a time; they do not depend on the workers."""
        # Absolute, since a cluster's workers need not run in this folder.
        here = replace(self, model=self.model.resolve(), manifest=self.manifest.resolve(), source=self.source.resolve())
        batches = math.ceil(self.listed.videos / self.batch_size)
        return spread(predict_range, ((here, start, start + BATCHES) for start in range(0, batches, BATCHES)))


def predict_range(what: Inference, start: int, stop: int) -> Predictions:
    """The predictions of the videos in the batches from `start` up to `stop`.

    Raises:
        InputError: where this process computes on another backend or in other threads.
    """
    if (worker := worker_number()) is not None:
        take_gpu(worker)
    choose(what.backend)
    limit_threads(what.threads)
    with starting():
        from yt8m.models.storage import WEIGHTS
        from yt8m.training.scores import predict
    model = _load(what.model, (what.model / WEIGHTS).stat().st_mtime_ns)
    videos = _open(what.manifest, what.source, what.cache, what.manifest.stat().st_mtime_ns)
    scored = predict(model, videos, what.batch_size, start, stop)
    return concatenate(
        [
            Predictions(pa.array(batch.ids, pa.string()), Ragged.hot(batch.labels), *top_k(scores, what.top_k))
            for batch, scores in scored
        ]
    )


@lru_cache(maxsize=1)
def _open(manifest: Path, source: Path, cache: Cache | None, time: int) -> Dataset:
    """The videos of a manifest, and who reads them, kept for the next range; `time` says when it was written."""
    return Dataset(manifest, source, cache=cache)


@lru_cache(maxsize=1)
def _load(folder: Path, time: int):
    """The model in a folder, kept for the next range; `time` says when its weights were written."""
    from yt8m.models import storage
    from yt8m.training.devices import make_deterministic

    make_deterministic()
    return storage.load(folder)[0]
