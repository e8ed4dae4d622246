"""Whether every model of a parameter file works at its full size: `python -m benchmarks.full_size [MODEL ...]`.

Each model is built, makes one training step on four random videos, is saved and loaded, in a process of its own. The
backend is KERAS_BACKEND's.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from benchmarks import _processes, _steps
from benchmarks._models import Case, nextvlad, random_batch
from benchmarks._nextvlad import PUBLISHED
from benchmarks._processes import Failed, peak_memory, say, show
from yt8m.core.errors import InputError
from yt8m.settings.loading import load
from yt8m.settings.params import Model

BATCH_SIZE = 4
HEADER = "model, family, parameters, build s, first step s, bytes on disk, peak GB: step, peak GB: and load, loss"


def whole_life(case: Case, folder: Path, storage: str) -> tuple[list[str], int]:
    """In a process of its own: build a model, make a step, save it to a folder, load it, and compare the two.

    Returns:
        The cells of the table behind the family's, and the bytes on disk.

    Raises:
        ValueError: where the loaded weights are not the saved ones.
    """
    from keras import ops

    from yt8m.models.storage import load, save

    batch = random_batch(case.layout, case.model.batch_size, seed=0)
    start = perf_counter()
    model = _steps.compiled(case)
    build = perf_counter() - start
    loss, seconds = _steps.step(model, batch)
    memory = peak_memory()
    save(model, _steps.description(case), folder, storage)
    loaded, _ = load(folder)
    for own, other in zip(model.weights, loaded.weights, strict=True):
        saved, read = map(ops.convert_to_numpy, (own, other))
        if not np.array_equal(saved.astype(storage), read):
            raise ValueError(f"{own.path}: the loaded weight is not the saved one")
    size = sum(path.stat().st_size for path in folder.iterdir())
    figures = [f"{model.count_params():,}", f"{build:.1f}", f"{seconds:.1f}", f"{size:,}"]
    return [*figures, *(f"{peak / 1e9:.2f}" for peak in (memory, peak_memory())), f"{loss:.2f}"], size


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_size", description="Build, step, save and load.")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: all")
    parser.add_argument("--params", type=Path, default=Path("params/paper.yaml"))
    parser.add_argument("--precision", choices=["float32", "mixed_bfloat16"], help="default: the parameter file's")
    parser.add_argument("--no-xla", action="store_true", help="default: the parameter file's train.xla")
    args = parser.parse_args(argv)
    try:
        params = load(args.params)
        models: dict[str, Model] = dict(params.models)
        if params.distill.own:
            models["distill"] = params.distill.own
        if set(PUBLISHED["clusters"]) == set(params.data.layout.features):
            models["nextvlad"] = nextvlad(params, PUBLISHED)
        if unknown := [name for name in args.models if name not in models]:
            raise InputError(f"expected models of {list(models)}, received {unknown}")
    except InputError as error:
        sys.exit(f"full_size: {error}")
    changes = ({"precision": args.precision} if args.precision else {}) | ({"xla": False} if args.no_xla else {})
    train, student = params.train.model_copy(update=changes), params.distill
    rows, failures = [], []
    for name in args.models or models:
        model = models[name].model_copy(update={"batch_size": BATCH_SIZE})
        case, is_student = Case(model, params.data.layout, train), name == "distill"
        say(f"{name} ({model.family}) ...")
        try:
            with TemporaryDirectory() as folder:  # here, where it is removed even if the process is killed
                storage = student.storage if is_student else "float32"
                cells, size = _processes.apart(whole_life, case, Path(folder) / "model", storage)
            rows.append([name, model.family, *cells])
            if is_student and size > student.max_bytes:
                raise Failed(f"expected at most {student.max_bytes:,} bytes on disk, received {size:,}")
        except Failed as error:
            failures.append(f"{name} failed: {error}")
    show(f"{args.params}, {train.precision}, {'XLA' if train.xla else 'no XLA'}", HEADER.split(", "), rows)
    for failure in failures:
        say(failure)
    sys.exit(int(bool(failures)))


if __name__ == "__main__":
    main()
