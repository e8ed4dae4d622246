"""`yt8m predict` against the obvious loop, and reading alone: `python -m benchmarks.predict MODEL GLOB`.

docs/benchmarks.md says what the lines mean.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._common import Failed, apart, console, peak_memory
from yt8m.commands import predict
from yt8m.commands._trained import TOP_K, load, positive
from yt8m.core.errors import InputError
from yt8m.core.schema import Level, Schema
from yt8m.records.dataset import Shards
from yt8m.records.shards import find
from yt8m.scoring import submission
from yt8m.scoring.metrics import top_k

if TYPE_CHECKING:
    import keras

MAX_DIFFERENCE = 1e-5  # of a score: the loop's last batch has another size
WAYS = ("predict", "loop", "read")


# What is measured, in a process of its own, which alone imports Keras.


def measure(model: str, paths: Sequence[str], rounds: int) -> dict[str, Any]:
    """Seconds of each way, one after the other in every round, and how far the scores differ."""
    net, description = load(Path(model))
    schema, level = Schema.model_validate(description["schema"]), Level(description["level"])
    with TemporaryDirectory() as folder:
        written, looped = Path(folder) / "predict.csv", Path(folder) / "loop.csv"

        def shards() -> Shards:
            return Shards([Path(path) for path in paths], level, schema)

        ways: dict[str, Callable[[], Any]] = {
            "predict": lambda: predict.write(net, shards(), written, TOP_K),
            "loop": lambda: one_by_one(net, shards(), looped),
            "read": lambda: sum(len(batch.ids) for batch in shards().batches(predict.BATCH)),
        }
        videos = ways["predict"]()
        memory = peak_memory()
        ways["loop"]()  # this and the first compile the model for both sizes of a batch, and fill the file cache
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                start = perf_counter()
                ways[way]()
                seconds[way].append(perf_counter() - start)
        difference = largest_difference(written, looped)
    return {"videos": videos, "memory": memory, "difference": difference, "seconds": seconds}


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


# The command.


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.predict", description="Time yt8m predict.")
    parser.add_argument("model", type=Path, help="folder of a trained model")
    parser.add_argument("shards", nargs="+", metavar="GLOB", help="shards of the model's level")
    parser.add_argument("--rounds", type=positive, default=3, help="of each way; default: 3")
    args = parser.parse_args(argv)
    try:
        paths = [str(path.resolve()) for path in find(args.shards)]
        arguments = {"model": str(args.model.resolve()), "paths": paths, "rounds": args.rounds}
        result = apart("predict.measure", arguments)
    except (InputError, Failed) as error:
        sys.exit(f"predict: {error}")
    out = console()
    show(out, result)
    if result["difference"] > MAX_DIFFERENCE:
        out.print(f"failed: expected scores within {MAX_DIFFERENCE}, received {result['difference']:.1e}", markup=False)
        sys.exit(1)


def show(out: Console, result: Mapping[str, Any]) -> None:
    """Print the table."""
    seconds = {way: median(result["seconds"][way]) for way in WAYS}
    table = Table("", "", show_header=False)
    table.columns[1].justify = "right"
    for name, value in {
        "videos": f"{result['videos']:,}",
        "predict: s": f"{seconds['predict']:.2f}",
        "predict: videos/s": f"{result['videos'] / seconds['predict']:,.0f}",
        "the loop: s": f"{seconds['loop']:.2f}",
        "reading alone: s": f"{seconds['read']:.2f}",
        "reading / predict": f"{100 * seconds['read'] / seconds['predict']:.0f} %",
        "the loop / predict": f"{seconds['loop'] / seconds['predict']:.2f}",
        "peak GB": f"{result['memory'] / 1e9:.2f}",
        "largest difference": f"{result['difference']:.1e}",
    }.items():
        table.add_row(name, value)
    out.print(table)


if __name__ == "__main__":
    main()
