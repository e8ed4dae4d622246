"""`yt8m predict` against the obvious loop, and reading alone: `python -m benchmarks.predict MODEL GLOB`.

docs/benchmarks.md says what the lines mean.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import _processes
from benchmarks._processes import Failed, peak_memory, show
from yt8m.commands import predict
from yt8m.commands._trained import TOP_K, load, positive
from yt8m.core.errors import InputError
from yt8m.records.dataset import Shards
from yt8m.records.shards import find
from yt8m.scoring import submission
from yt8m.scoring.metrics import top_k

if TYPE_CHECKING:
    import keras

MAX_DIFFERENCE = 1e-5  # of a score: the loop's last batch has another size


def measure(folder: Path, paths: Sequence[Path], rounds: int) -> tuple[dict[str, str], float]:
    """In a process of its own: each way, one after the other in every round.

    Returns:
        The lines of the table, and the largest difference between both files' scores.
    """
    net, description = load(folder)

    def shards() -> Shards:
        return Shards(paths, description.level, description.layout)

    with TemporaryDirectory() as out:
        written, looped = Path(out) / "predict.csv", Path(out) / "loop.csv"
        ways: dict[str, Callable[[], Any]] = {
            "predict": lambda: predict.write(net, shards(), written, TOP_K),
            "the loop": lambda: one_by_one(net, shards(), looped),
            "reading alone": lambda: sum(len(batch.ids) for batch in shards().batches(predict.BATCH)),
        }
        videos = ways["predict"]()
        memory = peak_memory()
        ways["the loop"]()  # this and the first compile the model for both sizes of a batch, and fill the file cache
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                start = perf_counter()
                way()
                seconds[name].append(perf_counter() - start)
        difference = largest_difference(written, looped)
    medians = {name: median(found) for name, found in seconds.items()}
    ours, loop, reading = medians.values()
    return {
        "videos": f"{videos:,}",
        **{f"{name}: s": f"{value:.2f}" for name, value in medians.items()},
        "predict: videos/s": f"{videos / ours:,.0f}",
        "reading / predict": f"{100 * reading / ours:.0f} %",
        "the loop / predict": f"{loop / ours:.2f}",
        "peak GB": f"{memory / 1e9:.2f}",
        "largest difference": f"{difference:.1e}",
    }, difference


def one_by_one(net: "keras.Model", shards: Shards, output: Path) -> None:
    """The obvious loop: read a batch, run the model, write."""
    with submission.writer(output, submission.PAIRS) as append:
        for batch in shards.batches(predict.BATCH):
            scores = np.asarray(net.predict_on_batch(batch.inputs))
            append(batch.ids, submission.pairs(*top_k(scores, TOP_K)))


def largest_difference(one: Path, other: Path) -> float:
    """Of the scores in two tables of the same videos, rank by rank: those that are nearly equal may change places."""
    first, second = (submission.read_predictions(path) for path in (one, other))
    if first.ids.tolist() != second.ids.tolist():
        raise ValueError("expected the same videos in the same order")
    return float(np.abs(np.sort(first.scores) - np.sort(second.scores)).max())


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.predict", description="Time yt8m predict.")
    parser.add_argument("model", type=Path, help="folder of a trained model")
    parser.add_argument("shards", nargs="+", metavar="GLOB", help="shards of the model's level")
    parser.add_argument("--rounds", type=positive, default=3, help="of each way; default: 3")
    args = parser.parse_args(argv)
    try:
        lines, difference = _processes.apart(measure, args.model, find(args.shards), args.rounds)
    except (InputError, Failed) as error:
        sys.exit(f"predict: {error}")
    show(str(args.model), ("", ""), list(lines.items()))
    if difference > MAX_DIFFERENCE:
        sys.exit(f"failed: expected scores within {MAX_DIFFERENCE}, received {difference:.1e}")


if __name__ == "__main__":
    main()
