"""Time and memory of ensembling on simulated predictions: `python -m benchmarks.ensemble [--videos 1000000]`.

The stage `fit_ensemble` itself runs, in a folder of its own. docs/benchmarks.md says what the lines mean.
"""

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
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
from yt8m.ensembling import _adam, _exact, _problems
from yt8m.files import write_json
from yt8m.params import load
from yt8m.predictions import Predictions, aligned, writer

FEW = 2000  # videos of the store that a measurement is not about
SPREAD = 1.6  # how many times as many classes all models consider as each one keeps
NOISE = 0.5  # of a model's logits
LABELS = 3  # of a video
BATCH = 8192
SOLVED = 20_000  # videos whose moments both solvers get


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
    """Adam and the exact solution on the same moments: seconds of each, and Adam's loss by the exact one's."""
    settings = load(params)
    paths = {name: Path(folder) / f"data/predictions/holdout/{name}.parquet" for name in settings.models}
    with aligned(paths) as members:
        whole, _ = ensembling.gather(members, settings.data.layout.classes, 2, 0)
    results = {}
    for problem in (_problems.per_model, _problems.per_class):
        moments = problem(whole.moments)
        start = perf_counter()
        exact = _exact.solve(moments)
        middle = perf_counter()
        adam = _adam.minimize(moments, settings.ensemble.seed)
        results[problem.__name__] = {
            "exact": middle - start,
            "adam": perf_counter() - middle,
            "loss": moments.loss(adam) / moments.loss(exact),
            "clipped": moments.loss(np.maximum(adam, 0)) / moments.loss(exact),
            "negative": float(np.mean(adam < 0)),
        }
    return results


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
    table = Table(title="least squares", title_justify="left")
    header = (
        "",
        "exact s",
        "Adam s",
        "Adam / exact",
        "Adam's loss / exact",
        "none negative",
        "Adam's negative weights",
    )
    for heading in header:
        table.add_column(heading, justify="right" if heading else "left")
    for name, each in results.items():
        times = f"{each['exact']:.4f}", f"{each['adam']:.3f}", f"{each['adam'] / each['exact']:.1f}"
        losses = f"{each['loss']:.4f}", f"{each['clipped']:.4f}", f"{100 * each['negative']:.1f} %"
        table.add_row(name, *times, *losses)
    out.print(table)


if __name__ == "__main__":
    main()
