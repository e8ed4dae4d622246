"""Quality compared over seeds: models trained on one split of a parameter file's data, a row of figures for each.

Rows go into a table as they come, and what stands there is not trained again, so that a study that was cut off goes on.
"""

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import keras
import numpy as np

from benchmarks._common import spread
from yt8m import models
from yt8m.core.files import whole, write_text
from yt8m.core.schema import Level
from yt8m.intake.split import MANIFESTS, split
from yt8m.records.classes import read_label_counts
from yt8m.records.dataset import Batch, Dataset
from yt8m.report.tables import csv_text, markdown
from yt8m.scoring import metrics
from yt8m.settings.params import Model, Params, load
from yt8m.training.devices import make_deterministic
from yt8m.training.fit import Batches, fit, followed, plan, samples
from yt8m.training.scores import predict
from yt8m.training.state import State

RARE = 20  # a class with fewer training videos is rare
BATCH = 512
TITLES = {
    "holdout_gap": "holdout GAP",
    "test_gap": "test GAP",
    "rare_map": f"test mAP, classes < {RARE} videos",
    "bytes": "bytes",
    "seconds": "seconds",
}


class Row(NamedTuple):
    """A trained model's figures: GAP of holdout and test, mAP of the test's rare classes, seconds of its training."""

    variant: str
    seed: int
    holdout_gap: float
    test_gap: float
    rare_map: float
    seconds: float


@dataclass(frozen=True)
class Split:
    """Shards of a parameter file, by default those of video level, sorted into splits below a folder."""

    params: Params
    folder: Path
    level: Level = Level.VIDEO

    @classmethod
    def of(cls, params: Params, folder: Path) -> "Split":
        """Split the data, unless the folder holds it already."""
        if not folder.exists():
            with whole(folder) as out:
                split(
                    params.data.source,
                    params.data.globs,
                    params.split.patterns.model_dump(),
                    params.data.layout,
                    out,
                    folder,
                )
        return cls(params, folder)

    def dataset(self, name: str) -> Dataset:
        """The videos of train, holdout or test."""
        return self.read(self.folder / name / MANIFESTS[self.level])

    def read(self, manifest: Path) -> Dataset:
        """The videos of a manifest."""
        return Dataset(manifest, self.params.data.source, self.params.data.layout)

    @property
    def counts(self) -> np.ndarray:
        """Training videos by class."""
        return read_label_counts(self.folder / "train" / "label_counts.csv")

    def model(self, settings: Model) -> keras.Model:
        """A new model of the records: where there are no frames, the manifest of frames lists videos."""
        train = self.params.train
        return models.build(
            models.describe(
                settings.family,
                self.params.data.layout,
                self.dataset("train").level,
                seed=settings.seed,
                momentum=train.batch_norm_momentum,
                precision=train.precision,
                args=settings.args,
            )
        )

    def train(
        self,
        model: keras.Model,
        settings: Model,
        *,
        first: tuple[Dataset, int] | None = None,
        targets: Callable[[Batch], np.ndarray] | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        score_start: bool = False,
    ) -> float:
        """Train a model as the stages do, and return the holdout's best GAP, whose weights it then has.

        Args:
            first: other videos, which the training ones follow after so many epochs, as long as theirs.
            targets: what takes the place of a batch's labels.
        """
        from dvclive import Live

        train, original = self.params.train, self.dataset("train")
        schedule = plan(
            original.size,
            train,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            epochs=settings.epochs,
        )

        def batches(videos: Dataset) -> Batches:
            return lambda start: videos.shuffled(settings.batch_size, settings.seed, train.shuffle_buffer, start=start)

        stream = batches(original)
        if first is not None:
            stream = followed(batches(first[0]), first[1] * original.size // settings.batch_size, stream)
        with TemporaryDirectory() as folder, Live(folder, dvcyaml=None, save_dvc_exp=False) as live:
            return fit(
                model,
                lambda start: samples(stream(start), targets),
                self.dataset("holdout"),
                schedule,
                live,
                State(Path(folder) / "state", write=False),
                callbacks=callbacks,
                score_start=score_start,
            )

    def measure(self, model: keras.Model) -> tuple[float, float]:
        """GAP of the test videos, and the mean over rare classes of the average precision."""
        labels, scores = self.tested(model)
        counts, shown = self.counts, labels.sum(0)
        rare = np.flatnonzero((counts > 0) & (counts < RARE) & (shown > 0))
        precisions = [metrics.average_precision(scores[:, c], labels[:, c] > 0, int(shown[c])) for c in rare]
        return gap(labels, scores), float(np.mean(precisions)) if len(rare) else 0.0

    def tested(self, model: keras.Model) -> tuple[np.ndarray, np.ndarray]:
        """Multi-hot labels of the test videos, (N, C), and the model's scores."""
        found = [(batch.labels, scores) for batch, scores in predict(model, self.dataset("test"), BATCH)]
        labels, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return labels, scores


def gap(labels: np.ndarray, scores: np.ndarray) -> float:
    """GAP@20 of (N, C) scores to multi-hot labels."""
    return metrics.gap(*metrics.top_k(scores, 20), [np.flatnonzero(row) for row in labels])


class Table:
    """Rows in a file.

    Args:
        kind: the rows' type: variant, seed, the holdout's GAP, what `Split.measure` gives, and seconds.
    """

    def __init__(self, path: Path, kind: Any = Row):
        self.path, self.kind, self.rows = path, kind, list[Any]()
        if path.exists():
            types = kind.__annotations__.values()
            with path.open(encoding="utf-8", newline="") as file:
                self.rows = [
                    kind(*(read(value) for read, value in zip(types, row.values(), strict=True)))
                    for row in csv.DictReader(file)
                ]

    def add(self, variant: str, seed: int, split: Split, trained: Callable[[], tuple[keras.Model, float]]) -> None:
        """Train and measure a variant, unless its row stands here already.

        Args:
            trained: gives the model and its best GAP on the holdout.
        """
        if any((row.variant, row.seed) == (variant, seed) for row in self.rows):
            return
        start = perf_counter()
        model, holdout = trained()
        seconds = perf_counter() - start
        row = self.kind(variant, seed, holdout, *split.measure(model), seconds)
        self.rows.append(row)
        write_text(self.path, csv_text(self.kind._fields, self.rows))
        print(" ".join(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row), flush=True)

    def summary(self) -> str:
        """A Markdown table: mean and standard deviation over seeds."""
        variants = dict.fromkeys(row.variant for row in self.rows)
        figures = self.kind._fields[2:]
        return markdown(
            ("variant", "seeds", *(TITLES[key] for key in figures)),
            [
                (variant, *summarized([row for row in self.rows if row.variant == variant], figures))
                for variant in variants
            ],
        )


def summarized(rows: Sequence[Any], figures: Sequence[str]) -> Iterator[str]:
    """Number of seeds, and mean ± standard deviation of the figures; of bytes and seconds the mean."""
    yield str(len(rows))
    for key in figures:
        values = [getattr(row, key) for row in rows]
        yield f"{mean(values):.0f}" if key in ("bytes", "seconds") else spread(values)


def options(name: str, about: str) -> argparse.ArgumentParser:
    """The options that all studies share.

    Args:
        name: of the study's module.
        about: what it compares.
    """
    found = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    found.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    found.add_argument("--table", type=Path, default=Path("docs/results") / f"{name}.csv", help="rows, old and new")
    return found


def parser(name: str, about: str) -> argparse.ArgumentParser:
    """The options of a study that splits a parameter file's data itself; see `options`."""
    found = options(name, about)
    found.add_argument("--params", type=Path, default=Path("params/youtube8m_video.yaml"))
    found.add_argument("--work", type=Path, default=Path("data/study"), help="for splits and augmented shards")
    return found


def start(args: argparse.Namespace) -> tuple[Split, Table]:
    """The split and the table of a study."""
    make_deterministic()
    return Split.of(load(args.params), args.work / args.params.stem), Table(args.table)
