"""Time and memory of ensembling on simulated predictions: `python -m benchmarks.ensemble [--videos 1000000]`.

The stage `fit_ensemble` itself runs, in a folder of its own. docs/benchmarks.md says what the lines mean.
"""

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._common import ROOT, Failed, apart, console, peak_memory
from benchmarks.train_step import positive
from yt8m import ensembling
from yt8m.core.files import write_json
from yt8m.ensembling import _adam, _exact, _problems
from yt8m.scoring.predictions import Predictions, aligned, writer
from yt8m.settings.params import load

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
    out, given = console(), {"params": str(args.params.resolve())}
    try:
        with TemporaryDirectory() as folder:
            given["folder"] = folder
            stages = {}
            for name, holdout, train in (("fitting", args.videos, FEW), ("the teacher's scores", FEW, args.videos)):
                out.print(f"simulating {max(holdout, train):,} videos ...", markup=False)
                size = apart("ensemble.simulate", {**given, "holdout": holdout, "train": train})["bytes"]
                out.print(f"{name} ...", markup=False)
                stages[name] = {**apart("ensemble.run_stage", given), "bytes": size}
            show_stages(out, args.videos, stages)
            apart("ensemble.simulate", {**given, "holdout": SOLVED, "train": FEW})
            show_solvers(out, apart("ensemble.solved", given))
    except Failed as error:
        sys.exit(f"ensemble: {error}")


def simulate(params: str, folder: str, holdout: int, train: int) -> dict[str, Any]:
    """Write a project's predictions: of each video all models consider the same classes, and score them with noise."""
    settings, project = load(params), Path(folder)
    (project / "params.yaml").write_bytes(Path(params).read_bytes())
    write_json(project / "data/members.json", {name: model.family for name, model in settings.models.items()})
    k, classes = settings.infer.top_k, settings.data.layout.classes
    for split, videos in (("holdout", holdout), ("train", train)):
        paths = [project / f"data/predictions/{split}/{name}.parquet" for name in settings.models]
        with ExitStack() as stack:
            stores = [stack.enter_context(writer(path, k, classes)) for path in paths]
            random = np.random.default_rng(videos)
            for start in range(0, videos, BATCH):
                blocks = simulated(start, min(BATCH, videos - start), len(stores), k, classes, random)
                for store, block in zip(stores, blocks, strict=True):
                    store.append(block)
    return {"bytes": sum(path.stat().st_size for path in project.rglob("*.parquet"))}


def simulated(
    start: int, videos: int, models: int, k: int, classes: int, random: np.random.Generator
) -> Iterable[Predictions]:
    """The predictions of each model for a batch of videos: of neighbouring classes, the first ones likelier."""
    width = min(classes, int(SPREAD * k))
    considered = (random.integers(classes, size=(videos, 1)) + np.arange(width)) % classes
    logits = 2 - 3 * np.log1p(np.arange(width)) + random.normal(size=(videos, width))
    drawn = random.random((videos, width)) < 1 / (1 + np.exp(-logits))
    ids = np.array([f"video{index:08d}" for index in range(start, start + videos)], object)
    labels = [np.sort(row[mask][:LABELS]).astype(np.int32) for row, mask in zip(considered, drawn, strict=True)]
    for _ in range(models):
        own = logits + NOISE * random.normal(size=logits.shape)
        order = np.argsort(-own, axis=1)[:, :k]
        scores = 1 / (1 + np.exp(-np.take_along_axis(own, order, axis=1)))
        yield Predictions(
            ids, labels, np.take_along_axis(considered, order, axis=1).astype(np.int32), scores.astype(np.float32)
        )


def run_stage(params: str, folder: str) -> dict[str, Any]:
    """Run the stage: its seconds and its peak memory."""
    start = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "stages.fit_ensemble"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        check=True,
        capture_output=True,
    )
    return {"seconds": perf_counter() - start, "memory": peak_memory(resource.RUSAGE_CHILDREN)}


def solved(params: str, folder: str) -> dict[str, Any]:
    """Adam and the exact solution on the same moments: seconds of each, and losses by the least one.

    The least loss is that of weights that may be negative, as Adam's may and the exact ones may not.
    """
    settings = load(params)
    paths = {name: Path(folder) / f"data/predictions/holdout/{name}.parquet" for name in settings.models}
    with aligned(paths) as members:
        whole, _ = ensembling.gather(members, settings.data.layout.classes, np.zeros(len(members.ids), int), 0)
    results = {}
    for problem in (_problems.per_model, _problems.per_class):
        moments = problem(whole.moments)
        seconds, exact = best_of(partial(_exact.solve, moments))
        adam_seconds, adam = best_of(partial(_adam.minimize, moments, settings.ensemble.seed))
        free = np.linalg.pinv(moments.gram, rcond=1e-12, hermitian=True) @ moments.cross[..., None]
        least = moments.loss(free[..., 0].T)
        results[problem.__name__] = {
            "exact": seconds,
            "adam": adam_seconds,
            "exact loss": moments.loss(exact) / least,
            "adam loss": moments.loss(adam) / least,
            "clipped": moments.loss(np.maximum(adam, 0)) / least,
            "negative": float(np.mean(adam < 0)),
        }
    return results


def best_of(solve: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """The seconds of the fastest of some calls, and what the last returned."""
    seconds = []
    for _ in range(CALLS):
        start = perf_counter()
        weights = solve()
        seconds.append(perf_counter() - start)
    return min(seconds), weights


def show_stages(out: Console, videos: int, stages: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the stage's time and memory."""
    table = Table(title=f"stage fit_ensemble, {videos:,} videos", title_justify="left")
    for heading in ("", "GB of predictions", "s", "videos/s", "peak GB"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, result in stages.items():
        seconds = result["seconds"]
        figures = f"{result['bytes'] / 1e9:.2f}", f"{seconds:.0f}", f"{videos / seconds:,.0f}"
        table.add_row(name, *figures, f"{result['memory'] / 1e9:.2f}")
    out.print(table)


def show_solvers(out: Console, results: Mapping[str, Mapping[str, float]]) -> None:
    """Print both solvers' time and loss."""
    table = Table(title="least squares; losses by the least of all", title_justify="left")
    header = ("", "exact s", "Adam s", "Adam / exact", "loss: exact", "Adam", "Adam, none negative", "negative weights")
    for heading in header:
        table.add_column(heading, justify="right" if heading else "left")
    for name, each in results.items():
        times = f"{each['exact']:.4f}", f"{each['adam']:.3f}", f"{each['adam'] / each['exact']:.1f}"
        losses = (f"{each[key]:.4f}" for key in ("exact loss", "adam loss", "clipped"))
        table.add_row(name, *times, *losses, f"{100 * each['negative']:.1f} %")
    out.print(table)


if __name__ == "__main__":
    main()
