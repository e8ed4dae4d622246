"""Eq. 6's update of Omega against the direct root: `python -m benchmarks.omega [--features 1024] [--classes 3862]`.

Each measurement has a process of its own. docs/benchmarks.md says what the columns mean.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import scipy.linalg
from rich.console import Console
from rich.table import Table

from benchmarks._common import Failed, apart, console, peak_memory
from yt8m.commands._trained import positive
from yt8m.core.schema import Level, Schema

SPECTRA = ("decaying", "flat")  # singular values of W: 1, 1/2, 1/3, … as of trained weights, or all the same
ROUNDS = 3  # of the update, which takes a second; the direct root is taken once
SMALL = 1000  # classes up to which Omega's smallest eigenvalue is found from the C x C matrix too
DIRECTIONS = 5
DAMPING = 0.1  # as in params.yaml
MAX_DIFFERENCE = 1e-5  # of Omega, relative to its largest entry
MAX_GRADIENT_ERROR = 1e-3  # relative to the slopes along random directions: the model's weights are float32
MIN_RATIO = 10.0
HEADER = (
    "spectrum",
    "update s",
    "direct s",
    "direct / update",
    "update: GB more",
    "direct: GB more",
    "difference",
    "of the largest entry",
    "trace",
    "smallest value",
    "smallest eigenvalue",
    "slopes' error",
)


# What is measured, each in a process of its own; Keras is imported there alone.


def write_weights(path: str, features: int, classes: int, spectrum: str) -> dict[str, Any]:
    """Write a random W (features, classes), float32, with the singular values of a spectrum."""
    random, rank = np.random.default_rng(0), min(features, classes)
    left, right = (np.linalg.qr(random.standard_normal((size, rank)))[0] for size in (features, classes))
    singular = 1 / np.arange(1, rank + 1) if spectrum == "decaying" else np.ones(rank)
    np.save(path, ((left * singular) @ right.T).astype(np.float32))
    return {}


def update(weights: str, output: str) -> dict[str, float]:
    """Omega by `relation`, as `RelatedModel` takes it; its factors are saved. Median seconds, bytes more."""
    from yt8m.relations.regularizer import relation

    w, seconds = np.load(weights), []
    before = peak_memory()
    for _ in range(ROUNDS):
        start = perf_counter()
        omega = relation(w)
        seconds.append(perf_counter() - start)
    memory = peak_memory() - before
    np.savez(output, vectors=omega.vectors, values=omega.values)
    return {"seconds": median(seconds), "memory": memory}


def direct(weights: str, output: str, sqrtm: bool) -> dict[str, float]:
    """Omega by the root of W^T W (C x C); it is saved. Seconds, bytes more."""
    w = np.load(weights).astype(np.float64)
    before, start = peak_memory(), perf_counter()
    root = np.real(scipy.linalg.sqrtm(w.T @ w)) if sqrtm else symmetric_root(w.T @ w)
    omega = root / np.trace(root)
    seconds, memory = perf_counter() - start, peak_memory() - before
    np.save(output, omega)
    return {"seconds": seconds, "memory": memory}


def symmetric_root(x: np.ndarray) -> np.ndarray:
    """The root of a symmetric matrix whose eigenvalues below zero are rounding."""
    squares, vectors = np.linalg.eigh(x)
    return (vectors * np.sqrt(np.maximum(squares, 0))) @ vectors.T


def compare(factors: str, dense: str) -> dict[str, float]:
    """How far apart both Omegas are, and whether the update's is what it should be."""
    vectors, values = load_factors(factors)
    omega, expected = (vectors * values) @ vectors.T, np.load(dense)
    difference = float(np.abs(omega - expected).max())
    result = {
        "difference": difference,
        "relative": difference / float(np.abs(expected).max()),
        "trace": float(np.trace(omega)),
        "smallest_value": float(values.min()),
    }
    if len(omega) <= SMALL:
        result["smallest_eigenvalue"] = float(np.linalg.eigvalsh(omega)[0])
    return result


def load_factors(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and values of a saved Omega."""
    saved = np.load(path)
    return saved["vectors"], saved["values"]


def slopes(weights: str, dense: str) -> dict[str, float]:
    """The gradient of `RelatedModel`'s penalty against the definition's differences along random directions.

    The penalty is quadratic, so that central differences are its slopes but for rounding; they are taken in float64, of
    `tr(W (Omega + damping/C I)^-1 W^T)` with the direct Omega.

    Returns:
        The largest difference relative to the slopes' root mean square.
    """
    w = np.load(weights)
    gradient = penalty_gradient(w).astype(np.float64)
    factor = scipy.linalg.cho_factor(np.load(dense) + DAMPING / w.shape[1] * np.eye(w.shape[1]))
    random, found = np.random.default_rng(1), []
    for _ in range(DIRECTIONS):
        direction = random.standard_normal(w.shape) * np.abs(w).max()
        ahead, behind = (penalty(w + side * direction, factor) for side in (0.5, -0.5))
        found.append((float(np.sum(gradient * direction)), ahead - behind))
    by_gradient, by_differences = np.array(found).T
    scale = np.sqrt(np.mean(by_differences**2))
    return {"difference": float(np.abs(by_gradient - by_differences).max() / scale)}


def penalty(w: np.ndarray, factor: tuple[np.ndarray, bool]) -> float:
    """`tr(W A^-1 W^T)`, by a Cholesky factor of A."""
    return float(np.sum(w.T * scipy.linalg.cho_solve(factor, w.T)))


def penalty_gradient(w: np.ndarray) -> np.ndarray:
    """The gradient at W (features, classes) of the penalty that a model of sigmoids on the features gets."""
    import tensorflow as tf

    from yt8m import models
    from yt8m.relations.regularizer import RelatedModel

    schema = Schema(
        id_key="id",
        labels_key="labels",
        mean_prefix="",
        features={"x": w.shape[0]},
        classes=w.shape[1],
        max_frames=1,
    )
    args = {"hidden": [], "dropout": 0.0, "l2": 0.0}
    described = models.describe("mlp", schema, Level.VIDEO, seed=1, momentum=0.9, precision="float32", args=args)
    plain = models.build(described)
    model = RelatedModel(plain.inputs, plain.outputs, lambda1=0.0, lambda2=1.0, damping=DAMPING)
    model.kernel.assign(w)
    model.update_relations()
    with tf.GradientTape() as tape:
        value = model.related(model.kernel.value)
    gradient: np.ndarray = tape.gradient(value, model.kernel.value).numpy()
    return gradient


# The command.


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.omega", description="Time the update of Omega.")
    parser.add_argument("--features", type=positive, default=1024, help="rows of W; default: 1024")
    parser.add_argument("--classes", type=positive, default=3862, help="columns of W; default: 3862")
    parser.add_argument("--sqrtm", action="store_true", help="the direct root by scipy.linalg.sqrtm: minutes")
    args = parser.parse_args(argv)
    if args.features >= args.classes:
        parser.error(f"expected fewer features than classes, received {args.features} and {args.classes}")
    try:
        sys.exit(run(args.features, args.classes, args.sqrtm))
    except Failed as error:
        sys.exit(f"omega: {error}")


def run(features: int, classes: int, sqrtm: bool) -> int:
    """Measure and print; the exit status."""
    out, results = console(), {}
    for spectrum in SPECTRA:
        out.print(f"W ({features:,} x {classes:,}), {spectrum} spectrum ...", markup=False)
        with TemporaryDirectory() as folder:
            results[spectrum] = measure(Path(folder), features, classes, spectrum, sqrtm)
    show(out, results)
    failures = [failure for spectrum, result in results.items() for failure in failures_of(spectrum, result)]
    for failure in failures:
        out.print(f"failed: {failure}", markup=False)
    return int(bool(failures))


def measure(folder: Path, features: int, classes: int, spectrum: str, sqrtm: bool) -> dict[str, Any]:
    """All figures of one W."""
    weights, factors, dense = (str(folder / name) for name in ("weights.npy", "factors.npz", "dense.npy"))
    apart("omega.write_weights", {"path": weights, "features": features, "classes": classes, "spectrum": spectrum})
    return {
        "update": apart("omega.update", {"weights": weights, "output": factors}),
        "direct": apart("omega.direct", {"weights": weights, "output": dense, "sqrtm": sqrtm}),
        **apart("omega.compare", {"factors": factors, "dense": dense}),
        "slopes": apart("omega.slopes", {"weights": weights, "dense": dense}, KERAS_BACKEND="tensorflow")["difference"],
    }


def ratio(result: Mapping[str, Any]) -> float:
    """How many times as long the direct root takes."""
    return float(result["direct"]["seconds"] / result["update"]["seconds"])


def failures_of(spectrum: str, result: Mapping[str, Any]) -> list[str]:
    """What is not as it should be."""
    problems = {
        f"Omega within {MAX_DIFFERENCE} of its largest entry, received {result['relative']:.1e}": (
            result["relative"] <= MAX_DIFFERENCE
        ),
        f"values of at least 0, received {result['smallest_value']:.1e}": result["smallest_value"] >= 0,
        f"slopes within {MAX_GRADIENT_ERROR}, received {result['slopes']:.1e}": (
            result["slopes"] <= MAX_GRADIENT_ERROR
        ),
        f"an update {MIN_RATIO:g} times as fast, received {ratio(result):.1f}": ratio(result) >= MIN_RATIO,
    }
    return [f"{spectrum} spectrum: expected {problem}" for problem, fine in problems.items() if not fine]


def show(out: Console, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the table."""
    table = Table()
    for place, heading in enumerate(HEADER):
        table.add_column(heading, justify="right" if place else "left")
    for spectrum, result in results.items():
        smallest = result.get("smallest_eigenvalue")
        table.add_row(
            spectrum,
            *(f"{result[way]['seconds']:.2f}" for way in ("update", "direct")),
            f"{ratio(result):.1f}",
            *(f"{result[way]['memory'] / 1e9:.2f}" for way in ("update", "direct")),
            *(f"{result[key]:.1e}" for key in ("difference", "relative")),
            f"{result['trace']:.9f}",
            f"{result['smallest_value']:.1e}",
            "-" if smallest is None else f"{smallest:.1e}",
            f"{result['slopes']:.1e}",
        )
    out.print(table)


if __name__ == "__main__":
    main()
