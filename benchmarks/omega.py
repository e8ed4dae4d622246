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
from timeit import repeat

import numpy as np
import scipy.linalg

from benchmarks import _processes
from benchmarks._processes import Failed, peak_memory, say, show
from yt8m.commands._trained import positive
from yt8m.core.schema import Level, Schema
from yt8m.relations import omega

SPECTRA = ("decaying", "flat")  # singular values of W: 1, 1/2, 1/3, … as of trained weights, or all the same
ROUNDS = 3  # of the update, which takes a second; the direct root is taken once
SMALL = 1000  # classes up to which Omega's smallest eigenvalue is found from the C x C matrix too
DIRECTIONS = 5
DAMPING = 0.1
MOST = {"of the largest entry": 1e-5, "slopes' error": 1e-3}  # the model's weights are float32
FASTER = 10  # times as fast as the direct root
WEIGHTS, FACTORS, DENSE = "weights.npy", "factors.npz", "dense.npy"  # files of W and of both Omegas


# What is measured, each in a process of its own.


def write_weights(folder: Path, features: int, classes: int, spectrum: str) -> None:
    """Write a random W (features, classes), float32, with the singular values of a spectrum."""
    random, rank = np.random.default_rng(0), min(features, classes)
    left, right = (np.linalg.qr(random.standard_normal((size, rank)))[0] for size in (features, classes))
    singular = 1 / np.arange(1, rank + 1) if spectrum == "decaying" else np.ones(rank)
    np.save(folder / WEIGHTS, ((left * singular) @ right.T).astype(np.float32))


def update(folder: Path) -> tuple[float, int]:
    """Write Omega's factors as `RelatedModel` takes them; the median of the seconds, and bytes more at the peak."""
    w, before = np.load(folder / WEIGHTS), peak_memory()
    seconds = median(repeat(lambda: omega.relation(w), number=1, repeat=ROUNDS))
    memory = peak_memory() - before
    omega.save(omega.relation(w), folder / FACTORS)
    return seconds, memory


def direct(folder: Path, sqrtm: bool) -> tuple[float, int]:
    """Write Omega by the root of W^T W (C x C), whose eigenvalues below zero are rounding; likewise."""
    w = np.load(folder / WEIGHTS).astype(np.float64)
    before, start = peak_memory(), perf_counter()
    if sqrtm:
        root = np.real(scipy.linalg.sqrtm(w.T @ w))
    else:
        squares, vectors = np.linalg.eigh(w.T @ w)
        root = (vectors * np.sqrt(np.maximum(squares, 0))) @ vectors.T
    found = root / np.trace(root)
    seconds, memory = perf_counter() - start, peak_memory() - before
    np.save(folder / DENSE, found)
    return seconds, memory


def compare(folder: Path) -> dict[str, float]:
    """How far apart both Omegas are, and whether the update's and `RelatedModel`'s gradient are what they should be."""
    w, factors, expected = np.load(folder / WEIGHTS), omega.load(folder / FACTORS), np.load(folder / DENSE)
    found = (factors.vectors * factors.values) @ factors.vectors.T
    difference = float(np.abs(found - expected).max())
    return {
        "difference": difference,
        "of the largest entry": difference / float(np.abs(expected).max()),
        "trace": float(np.trace(found)),
        "smallest value": float(factors.values.min()),
        "smallest eigenvalue": float(np.linalg.eigvalsh(found)[0]) if len(found) <= SMALL else np.nan,
        "slopes' error": slopes_error(w, expected),
    }


def slopes_error(w: np.ndarray, dense: np.ndarray) -> float:
    """The gradient of `RelatedModel`'s penalty against the definition's differences along random directions.

    The penalty is quadratic, so that central differences are its slopes but for rounding; they are taken in float64, of
    `tr(W (Omega + damping/C I)^-1 W^T)` with the direct Omega.

    Returns:
        The largest difference relative to the slopes' root mean square.
    """
    gradient = penalty_gradient(w).astype(np.float64)
    factor = scipy.linalg.cho_factor(dense + DAMPING / len(dense) * np.eye(len(dense)))

    def penalty(w: np.ndarray) -> float:
        return float(np.sum(w.T * scipy.linalg.cho_solve(factor, w.T)))

    random, found = np.random.default_rng(1), []
    for _ in range(DIRECTIONS):
        direction = random.standard_normal(w.shape) * np.abs(w).max()
        found.append((np.sum(gradient * direction), penalty(w + direction / 2) - penalty(w - direction / 2)))
    by_gradient, by_differences = np.array(found).T
    return float(np.abs(by_gradient - by_differences).max() / np.sqrt(np.mean(by_differences**2)))


def penalty_gradient(w: np.ndarray) -> np.ndarray:
    """The gradient at W (features, classes) of the penalty that a model of sigmoids on the features gets."""
    import tensorflow as tf

    from yt8m.models.building import Description, build
    from yt8m.relations.regularizer import RelatedModel

    features, classes = w.shape
    layout = Schema(
        id_key="id",
        labels_key="labels",
        mean_prefix="",
        features={"x": features},
        classes=classes,
        max_frames=1,
        uneven_frames="refuse",
        missing_features="refuse",
        extractor=None,
    )
    args = {"hidden": [], "input_dropout": 0.0, "dropout": 0.0, "l2": 0.0}
    plain = build(
        Description(
            family="mlp", layout=layout, level=Level.VIDEO, seed=1, momentum=0.9, precision="float32", args=args
        )
    )
    model = RelatedModel(plain.inputs, plain.outputs, lambda1=0.0, lambda2=1.0, damping=DAMPING)
    model.kernel.assign(w)
    model.update_relations()
    with tf.GradientTape() as tape:
        value = model.related(model.kernel.value)
    gradient: np.ndarray = tape.gradient(value, model.kernel.value).numpy()
    return gradient


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.omega", description="Time the update of Omega.")
    parser.add_argument("--features", type=positive, default=1024, help="rows of W; default: 1024")
    parser.add_argument("--classes", type=positive, default=3862, help="columns of W; default: 3862")
    parser.add_argument("--sqrtm", action="store_true", help="the direct root by scipy.linalg.sqrtm: minutes")
    args = parser.parse_args(argv)
    whole = (args.features, args.classes) == (parser.get_default("features"), parser.get_default("classes"))
    rows, failures = [], []
    for spectrum in SPECTRA:
        say(f"W ({args.features:,} x {args.classes:,}), {spectrum} spectrum ...")
        try:
            with TemporaryDirectory() as folder:
                figures = measure(Path(folder), args.features, args.classes, spectrum, args.sqrtm)
        except Failed as error:
            sys.exit(f"omega: {error}")
        rows.append({"spectrum": spectrum} | {name: f"{value:.3g}" for name, value in figures.items()})
        failures += [f"failed: {spectrum} spectrum: {problem}" for problem in problems(figures, whole)]
    show("Omega", list(rows[0]), [list(row.values()) for row in rows])
    for failure in failures:
        say(failure)
    sys.exit(int(bool(failures)))


def measure(folder: Path, features: int, classes: int, spectrum: str, sqrtm: bool) -> dict[str, float]:
    """All figures of one W."""
    _processes.apart(write_weights, folder, features, classes, spectrum)
    seconds, memory = _processes.apart(update, folder)
    direct_seconds, direct_memory = _processes.apart(direct, folder, sqrtm)
    return {
        "update s": seconds,
        "direct s": direct_seconds,
        "direct / update": direct_seconds / seconds,
        "update: GB more": memory / 1e9,
        "direct: GB more": direct_memory / 1e9,
        **_processes.apart(compare, folder, KERAS_BACKEND="tensorflow"),
    }


def problems(figures: Mapping[str, float], whole: bool) -> list[str]:
    """Which figures are beyond their limits; NaN is beyond any.

    Args:
        whole: whether W is of the default size, for which alone how much faster the update is has a limit.
    """
    found = [f"{name}: expected at most {most}" for name, most in MOST.items() if not figures[name] <= most]
    least = {"smallest value": 0, "direct / update": FASTER if whole else 0}
    return found + [f"{name}: expected at least {value}" for name, value in least.items() if not figures[name] >= value]


if __name__ == "__main__":
    main()
