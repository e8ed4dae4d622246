"""Whether every model of a parameter file works at its full size: `python -m benchmarks.full_size [MODEL ...]`.

Each model is built, makes one training step on four random videos, is saved and loaded, in a process of its own. The
backend is KERAS_BACKEND's.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Table

from benchmarks._common import Case, Failed, apart, console
from yt8m.core.errors import InputError
from yt8m.settings.params import Params, load

BATCH_SIZE = 4
NEXTVLAD: dict[str, Any] = {  # as published: Lin, Xiao and Fan, arXiv 1811.05014
    "frames": 300,
    "clusters": {"rgb": 128, "audio": 64},
    "groups": {"rgb": 8, "audio": 4},
    "expansion": 2,
    "hidden": 2048,
    "reduction": 8,
    "dropout": 0.5,
    "mixtures": 2,
    "l2": 1e-6,
}
NEXTVLAD_RATE = 2e-4
HEADER = (
    "model",
    "family",
    "parameters",
    "build s",
    "first step s",
    "bytes on disk",
    "peak GB: step",
    "peak GB: and load",
    "loss",
)


@dataclass(frozen=True)
class Entry:
    """A model of the table: how it is stored, and the most it may take on disk, if anything says so."""

    name: str
    case: Case
    storage: str = "float32"
    max_bytes: int | None = None


def entries(params: Params, names: Sequence[str] = ()) -> list[Entry]:
    """The models of a parameter file, the student and NeXtVLAD: those of `names` (all by default), each size once.

    Raises:
        InputError: for a name that is none of theirs.
    """
    settings = {name: (model.family, model.args, model.learning_rate) for name, model in params.models.items()}
    student = params.distill
    settings["distill"] = (student.family, student.args, student.learning_rate)
    if set(NEXTVLAD["clusters"]) == set(params.data.layout.features):
        settings["nextvlad"] = ("nextvlad", NEXTVLAD, NEXTVLAD_RATE)
    if unknown := [name for name in names if name not in settings]:
        raise InputError(f"expected models of {list(settings)}, received {unknown}")
    found: list[Entry] = []
    for name in names or settings:
        family, args, learning_rate = settings[name]
        if any((entry.case.family, entry.case.args) == (family, args) for entry in found):
            continue
        case = Case.of(params, family, args, BATCH_SIZE, learning_rate)
        found.append(Entry(name, case, student.storage, student.max_bytes) if name == "distill" else Entry(name, case))
    return found


def measure(entry: Entry) -> dict[str, float]:
    """What `_training.whole_life` gives of an entry; nothing is left on the disk, even if its process is killed."""
    with TemporaryDirectory() as folder:
        model = {"case": entry.case.model_dump(), "folder": str(Path(folder) / "model"), "storage": entry.storage}
        return apart("_training.whole_life", model)


def cells(entry: Entry, result: dict[str, float]) -> list[str]:
    """A row of the table."""
    return [
        entry.name,
        entry.case.family,
        f"{result['parameters']:,}",
        f"{result['build']:.1f}",
        f"{result['step']:.1f}",
        f"{result['bytes']:,}",
        f"{result['memory'] / 1e9:.2f}",
        f"{result['memory_with_load'] / 1e9:.2f}",
        f"{result['loss']:.2f}",
    ]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_size", description="Build, step, save and load.")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: all, each size once")
    parser.add_argument("--params", type=Path, default=Path("params/paper.yaml"))
    parser.add_argument("--precision", choices=["float32", "mixed_bfloat16"], help="default: the parameter file's")
    parser.add_argument("--no-xla", action="store_true", help="default: the parameter file's train.xla")
    args = parser.parse_args(argv)
    try:
        params = load(args.params)
        changes = ({"precision": args.precision} if args.precision else {}) | ({"xla": False} if args.no_xla else {})
        chosen = entries(params.model_copy(update={"train": params.train.model_copy(update=changes)}), args.models)
    except InputError as error:
        sys.exit(f"full_size: {error}")
    sys.exit(run(chosen))


def run(chosen: Sequence[Entry]) -> int:
    """Measure the entries and print their table; the exit status."""
    out, table, failures = console(), Table(), 0
    for place, title in enumerate(HEADER):
        table.add_column(title, justify="left" if place < 2 else "right")
    for number, entry in enumerate(chosen, start=1):
        out.print(f"{number}/{len(chosen)} {entry.name} ({entry.case.family}) ...", end=" ", markup=False)
        try:
            result = measure(entry)
        except Failed as error:
            failure, row = str(error), [entry.name, entry.case.family, "failed"]
        else:
            failure, row = too_large(entry, result), cells(entry, result)
        failures += bool(failure)
        out.print(f"failed: {failure}" if failure else f"step {row[4]} s, peak {row[6]} GB", markup=False)
        table.add_row(*row)
    out.print(table)
    return int(failures > 0)


def too_large(entry: Entry, result: dict[str, float]) -> str:
    """What is wrong with the size on disk, if anything is."""
    if entry.max_bytes is None or result["bytes"] <= entry.max_bytes:
        return ""
    return f"expected at most {entry.max_bytes:,} bytes on disk, received {result['bytes']:,}"


if __name__ == "__main__":
    main()
