"""`yt8m predict` and the stage `infer`, with and without what they do beside the model.

    python -m benchmarks.predict                  # a mixture of experts on video-level features, 3862 classes
    python -m benchmarks.predict MODEL GLOB …     # a trained model, shards of its level

docs/benchmarks.md says what the lines mean.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import numpy as np

from benchmarks import _processes
from benchmarks._models import EXPERTS, LABELS
from benchmarks._processes import ROOT, Failed, peak_memory, show
from yt8m.commands import _scoring, predict
from yt8m.commands._trained import TOP_K, load, positive
from yt8m.core.backend import THREADS
from yt8m.core.cluster import workers
from yt8m.core.errors import InputError
from yt8m.core.schema import Level, Schema
from yt8m.records.dataset import Shards
from yt8m.records.manifest import SOURCE, Shard, write_manifest
from yt8m.records.shards import find
from yt8m.records.tfrecord import record_bounds, write_records
from yt8m.records.videos import Video, encode
from yt8m.scoring import submission
from yt8m.scoring.metrics import top_k
from yt8m.scoring.predictions import writer
from yt8m.settings import loading
from yt8m.training import inference

if TYPE_CHECKING:
    import keras

MAX_DIFFERENCE = 1e-5  # of a score: the loop's last batch has another size
VIDEOS, SHARDS = 512, 8  # that are made up: videos of a shard
SORTED = "all classes sorted"
TopK = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


class Found(NamedTuple):
    """Seconds of a way, and of them those within its top k."""

    seconds: float
    top_k: float


def whole_sort(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k highest of each row by a stable sort of all classes: the obvious way to what `top_k` gives."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order.astype(np.int32), np.take_along_axis(scores, order, axis=1)


def timed(ways: Mapping[str, Callable[[TopK], Any]], rounds: int) -> dict[str, Found]:
    """Medians of each way, which takes its top k; one after the other in every round, none timed in the first."""
    found: dict[str, list[Found]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            inside: list[float] = []

            def clocked(
                scores: np.ndarray, k: int, name: str = name, inside: list[float] = inside
            ) -> tuple[np.ndarray, np.ndarray]:
                start = perf_counter()
                result = (whole_sort if SORTED in name else top_k)(scores, k)
                inside.append(perf_counter() - start)
                return result

            start = perf_counter()
            way(clocked)
            found[name].append(Found(perf_counter() - start, sum(inside)))
    return {name: Found(*map(median, zip(*each[1:], strict=True))) for name, each in found.items()}


# What is measured, each in a process of its own: the stage computes in so many threads as params.yaml says.


def command(folder: Path, paths: Sequence[Path], rounds: int) -> tuple[dict[str, Found], float, int]:
    """What `yt8m predict` does once the model is loaded; also its largest difference from the loop, and peak memory."""
    net, description = load(folder)

    def shards() -> Shards:
        return Shards(paths, description.level, description.layout)

    with TemporaryDirectory() as out:
        written, looped = Path(out) / "predict.csv", Path(out) / "loop.csv"

        def write(highest: TopK) -> None:
            with patch.object(_scoring, "highest", highest):
                predict.write(_scoring.of_model(net, shards(), predict.BATCH, TOP_K, "predicting"), written, TOP_K)

        write(top_k)
        memory = peak_memory()
        ways: dict[str, Callable[[TopK], Any]] = {
            "yt8m predict": write,
            f"yt8m predict, {SORTED}": write,
            "the loop": lambda highest: one_by_one(net, shards(), looped, highest),
            "reading alone": lambda _: sum(len(batch.ids) for batch in shards().batches(predict.BATCH)),
        }
        return timed(ways, rounds), largest_difference(written, looped), memory


def one_by_one(net: "keras.Model", shards: Shards, output: Path, highest: TopK) -> None:
    """The obvious loop: read a batch, run the model, write."""
    with submission.writer(output, submission.PAIRS) as append:
        for batch in shards.batches(predict.BATCH):
            scores = np.asarray(net.predict_on_batch(batch.inputs))
            append(batch.ids, submission.pairs(*highest(scores, TOP_K)))


def stage(folder: Path, paths: Sequence[Path], rounds: int) -> dict[str, Found]:
    """What the stage `infer` does for a split, in a process that computes as params.yaml says."""
    settings = loading.load(ROOT / "params.yaml")
    _, description = load(folder)
    with TemporaryDirectory() as out:
        source, manifest = Path(out) / "source", Path(out) / "split.tsv"
        list_in(source, paths, description.level, description.layout, manifest)
        backend = settings.train.backend
        what = inference.Inference(
            folder, manifest, source, settings.infer.batch_size, settings.infer.top_k, backend, settings.train.threads
        )

        def infer(highest: TopK) -> None:
            with (
                patch.object(inference, "top_k", highest),
                workers(None, 1) as spread,
                writer(Path(out) / "p.parquet", what.top_k, description.layout.classes) as store,
            ):
                for block in what.predictions(spread):
                    store.append(block)

        return timed({"infer": infer, f"infer, {SORTED}": infer}, rounds)


def list_in(source: Path, paths: Sequence[Path], level: Level, schema: Schema, manifest: Path) -> None:
    """Put links to shards into a folder, and list them in a manifest."""
    source.mkdir()
    shards = []
    for number, path in enumerate(paths):
        name = f"{number:05d}.tfrecord"
        (source / name).symlink_to(path.resolve())
        shards.append(Shard(level, f"{SOURCE}/{name}", path.stat().st_size, len(record_bounds(path)) - 1, ""))
    write_manifest(manifest, shards, schema)


def make_up(folder: Path) -> None:
    """A mixture of two experts with YouTube-8M's classes, and random video-level features."""
    from yt8m.models import storage
    from yt8m.models.building import Description, build

    schema, random = loading.load(ROOT / "params/paper.yaml").data.layout, np.random.default_rng(0)
    description = Description(
        family="moe", layout=schema, level=Level.VIDEO, seed=1, momentum=0.9, precision="float32", args=EXPERTS
    )
    storage.save(build(description), description, folder / "model")
    for shard in range(SHARDS):
        videos = (random_video(random, f"{shard}-{row}", schema) for row in range(VIDEOS))
        write_records(folder / f"{shard}.tfrecord", (encode(video, Level.VIDEO, schema) for video in videos))


def random_video(random: np.random.Generator, id: str, schema: Schema) -> Video:
    """A video of random means."""
    labels = np.sort(random.choice(schema.classes, min(LABELS, schema.classes), replace=False)).astype(np.int32)
    shapes = {name: (1, size) for name, size in schema.features.items()}
    return Video(id, labels, {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()})


def largest_difference(one: Path, other: Path) -> float:
    """Of the scores in two tables of the same videos, rank by rank: those that are nearly equal may change places."""
    first, second = (submission.read_predictions(path) for path in (one, other))
    if first.ids != second.ids:
        raise ValueError("expected the same videos in the same order")
    return float(np.abs(np.sort(first.scores) - np.sort(second.scores)).max())


def measured(folder: Path, paths: Sequence[Path], rounds: int) -> float:
    """Measure and print; return the largest difference of a score."""
    found, difference, memory = _processes.apart(command, folder, paths, rounds)
    threads = loading.load(ROOT / "params.yaml").train.threads
    found |= _processes.apart(stage, folder, paths, rounds, **dict.fromkeys(THREADS, str(threads)))
    videos = sum(len(record_bounds(path)) - 1 for path in paths)
    rows = [
        (
            name,
            f"{each.seconds:.2f}",
            f"{videos / each.seconds:,.0f}",
            f"{1e6 * each.top_k / videos:.0f}",
            f"{100 * each.top_k / each.seconds:.0f} %",
        )
        for name, each in found.items()
    ]
    show(f"{videos:,} videos", ("", "s", "videos/s", "top k: µs a video", "of the time"), rows)
    print(f"\nlargest difference of a score {difference:.1e}, peak {memory / 1e9:.2f} GB")
    return difference


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.predict", description="Time yt8m predict and infer.")
    parser.add_argument("model", nargs="?", type=Path, help="folder of a trained model; one is made up by default")
    parser.add_argument("shards", nargs="*", metavar="GLOB", help="shards of the model's level")
    parser.add_argument("--rounds", type=positive, default=3, help="of each way; default: 3")
    args = parser.parse_args(argv)
    try:
        with TemporaryDirectory() as folder:
            if args.model is None:
                _processes.apart(make_up, Path(folder))
                args.model, args.shards = Path(folder) / "model", [f"{folder}/*.tfrecord"]
            difference = measured(
                args.model, [path for path in find(args.shards) if isinstance(path, Path)], args.rounds
            )
    except (InputError, Failed) as error:
        sys.exit(f"predict: {error}")
    if difference > MAX_DIFFERENCE:
        sys.exit(f"failed: expected scores within {MAX_DIFFERENCE}, received {difference:.1e}")


if __name__ == "__main__":
    main()
