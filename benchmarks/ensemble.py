"""Time and memory of ensembling on simulated predictions: `python -m benchmarks.ensemble [--videos 1000000]`.

The stage `fit_ensemble` itself runs, in a folder of its own. docs/benchmarks.md says what the lines mean.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, chdir
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from timeit import repeat

import numpy as np
import pyarrow as pa

from benchmarks import _processes
from benchmarks._processes import ROOT, Failed, peak_memory, say, show
from stages import fit_ensemble, members
from stages._places import MEMBERS, PREDICTIONS
from yt8m.commands._trained import positive
from yt8m.core.errors import InputError
from yt8m.core.files import read_json
from yt8m.ensembling import fitting, problems
from yt8m.ensembling.beyond import _exact
from yt8m.ensembling.paper import _adam
from yt8m.scoring.predictions import Predictions, aligned, writer
from yt8m.settings.loading import load
from yt8m.settings.params import Params

FEW = 2000  # videos of the store that a measurement is not about
SPREAD = 1.6  # how many times as many classes all models consider as each one keeps
NOISE = 0.5  # of a model's logits
LABELS = 3  # of a video
BATCH = 8192
SOLVED = 20_000  # videos whose moments both solvers get
CALLS = 5  # of a solver; the fastest counts


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ensemble", description="Time the ensembling.")
    parser.add_argument("--params", type=Path, default=ROOT / "params/paper.yaml", help="models, classes and top k")
    parser.add_argument("--videos", type=positive, default=1_000_000, help="of holdout and of train; default: 1000000")
    args = parser.parse_args(argv)
    try:
        params, rows = load(args.params), []
        with TemporaryDirectory() as name:
            folder = Path(name)
            for what, holdout, train in (("fitting", args.videos, FEW), ("the teacher's scores", FEW, args.videos)):
                say(f"simulating {args.videos:,} videos ...")
                size = _processes.apart(simulate, params, folder, {"holdout": holdout, "train": train, "extra": 0})
                say(f"{what} ...")
                seconds, memory = _processes.apart(run_stage, params, folder)
                figures = f"{size / 1e9:.2f}", f"{seconds:.0f}", f"{args.videos / seconds:,.0f}"
                rows.append([what, *figures, f"{memory / 1e9:.2f}"])
            _processes.apart(simulate, params, folder, {"holdout": SOLVED})
            solved = _processes.apart(solve, params, folder)
    except (InputError, Failed) as error:
        sys.exit(f"ensemble: {error}")
    header = ["", "GB of predictions", "s", "videos/s", "peak GB"]
    show(f"stage fit_ensemble, {args.videos:,} videos", header, rows)
    header = ["", "exact s", "Adam s", "Adam / exact", "loss: exact", "Adam", "Adam, none negative", "negative weights"]
    show("least squares; losses by the least of all", header, solved)


# What is measured, each in a process of its own.


def simulate(params: Params, project: Path, videos: dict[str, int]) -> int:
    """Write the predictions of a project's members for so many videos of each split; return their bytes."""
    with chdir(project):
        members.main(params)
        k, classes, names = params.infer.top_k, params.data.layout.classes, read_json(MEMBERS)
        for split, size in videos.items():
            with ExitStack() as stack:
                paths = [PREDICTIONS / split / f"{name}.parquet" for name in names]
                stores = [stack.enter_context(writer(path, k, classes)) for path in paths]
                random = np.random.default_rng(size)
                for start in range(0, size, BATCH):
                    ids = pa.array([f"video{index:08d}" for index in range(start, min(start + BATCH, size))])
                    for store, block in zip(stores, simulated(ids, len(stores), k, classes, random), strict=True):
                        store.append(block)
        return sum(path.stat().st_size for path in PREDICTIONS.rglob("*.parquet"))


def simulated(
    ids: pa.StringArray, models: int, k: int, classes: int, random: np.random.Generator
) -> Iterator[Predictions]:
    """The predictions of each model: of a video all consider the same classes, and score them with noise."""
    width = min(classes, int(SPREAD * k))
    considered = (random.integers(classes, size=(len(ids), 1)) + np.arange(width)) % classes
    logits = 2 - 3 * np.log1p(np.arange(width)) + random.normal(size=(len(ids), width))  # the first ones are likelier
    drawn = random.random(logits.shape) < 1 / (1 + np.exp(-logits))
    labels = [np.sort(row[mask][:LABELS]).astype(np.int32) for row, mask in zip(considered, drawn, strict=True)]
    for _ in range(models):
        own = logits + NOISE * random.normal(size=logits.shape)
        order = np.argsort(-own, axis=1)[:, :k]
        scores = 1 / (1 + np.exp(-np.take_along_axis(own, order, axis=1)))
        indices = np.take_along_axis(considered, order, axis=1)
        yield Predictions(ids, labels, indices.astype(np.int32), scores.astype(np.float32))


def run_stage(params: Params, project: Path) -> tuple[float, int]:
    """Run the stage; its seconds, and its process's peak memory."""
    start = perf_counter()
    with chdir(project):
        fit_ensemble.main(params)
    return perf_counter() - start, peak_memory()


def solve(params: Params, project: Path) -> list[list[str]]:
    """Adam and the exact solution on the same moments: seconds of each, and losses by the least one.

    The least loss is that of weights that may be negative, as Adam's may and the exact ones may not.
    """
    folder = project / PREDICTIONS / "holdout"
    with aligned({path.stem: path for path in sorted(folder.iterdir())}) as holdout:
        whole, _ = fitting.gather(holdout, params.data.layout.classes, np.zeros(len(holdout.ids), int), 0)
    rows = []
    for problem in (problems.per_model, problems.per_class):
        moments = problem(whole.moments)
        solvers = partial(_exact.solve, moments), partial(_adam.minimize, moments, params.ensemble.seed)
        seconds, adam_seconds = (min(repeat(solver, number=1, repeat=CALLS)) for solver in solvers)
        exact, adam = (solver() for solver in solvers)
        free = np.linalg.pinv(moments.gram, rcond=1e-12, hermitian=True) @ moments.cross[..., None]
        losses = [moments.loss(weights) for weights in (exact, adam, np.maximum(adam, 0), free[..., 0].T)]
        times = f"{seconds:.4f}", f"{adam_seconds:.3f}", f"{adam_seconds / seconds:.1f}"
        by_least = [f"{loss / losses[-1]:.4f}" for loss in losses[:-1]]
        rows.append([problem.__name__, *times, *by_least, f"{100 * np.mean(adam < 0):.1f} %"])
    return rows


if __name__ == "__main__":
    main()
