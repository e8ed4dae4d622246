"""The table of training steps, on the terminal and as a Markdown page."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from rich.console import Console
from rich.table import Table

from benchmarks._common import Case, Failed
from yt8m.report.tables import markdown

LIBRARIES = ("keras", "tensorflow", "jax", "jaxlib", "numpy")
NONE = "-"
Result = TypeVar("Result")


class Configuration(NamedTuple):
    """What compiles and runs a step."""

    name: str
    backend: str
    xla: bool


@dataclass
class Row:
    """What was measured of a family.

    Attributes:
        flops: of a step, where they could be counted.
        timings: what `_training.step_seconds` gives, by configuration; those that failed are missing.
    """

    case: Case
    flops: float | None = None
    timings: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass
class Report:
    """All that was measured.

    Attributes:
        configurations: those there are; the first is what the others are compared with.
        rates: what `_rate.matmul_rate` gives, by backend.
        notes: what is not installed.
        failures: what ended without a result, and why.
    """

    configurations: Sequence[Configuration]
    rates: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def attempt(self, what: str, measurement: Callable[[], Result]) -> Result | None:
        """The result of a measurement; its failure is noted, and the others go on."""
        try:
            return measurement()
        except Failed as error:
            self.failures.append(f"{what} failed: {error}")
            return None

    def header(self) -> list[str]:
        """Titles of the columns."""
        titles = ["family", "batch", "GFLOP a step"]
        for configuration in self.configurations:
            titles += [f"{configuration.name}: {what}" for what in ("examples/s", "compile s", "% of matmul")]
        return titles + [f"{other.name} / {self.configurations[0].name}" for other in self.configurations[1:]]

    def body(self) -> list[list[str]]:
        """A line of cells for each family."""
        return [self._cells(row) for row in self.rows]

    def _cells(self, row: Row) -> list[str]:
        cells = [row.case.family, str(row.case.batch_size), NONE if row.flops is None else f"{row.flops / 1e9:.4g}"]
        for name, backend, _ in self.configurations:
            timing, rate = row.timings.get(name), self.rates.get(backend)
            if timing is None:
                cells += [NONE] * 3
                continue
            share = None if row.flops is None or rate is None else row.flops / timing["step"] / rate["rate"]
            cells += [
                f"{row.case.batch_size / timing['step']:.4g}",
                f"{timing['compile']:.1f}",
                NONE if share is None else f"{100 * share:.1f}",
            ]
        first = row.timings.get(self.configurations[0].name)
        for other in self.configurations[1:]:
            timing = row.timings.get(other.name)
            cells.append(NONE if first is None or timing is None else f"{first['step'] / timing['step']:.2f}")
        return cells

    def machine(self) -> list[str]:
        """The machine and its rates, without its name."""
        devices = {rate["device"] for rate in self.rates.values()} - {"CPU"}
        lines = [f"{os.cpu_count()} cores of {processor()}" + "".join(f", {device}" for device in sorted(devices))]
        for backend, rate in self.rates.items():
            product = f"{rate['size']} x {rate['size']} {rate['precision']}"
            lines.append(f"matrix products with {backend} ({product}): {rate['rate'] / 1e9:,.0f} GFLOP/s")
        return lines

    def show(self, console: Console) -> None:
        """Print the table and what is beside it."""
        table = Table()
        for place, title in enumerate(self.header()):
            table.add_column(title.replace(": ", "\n"), justify="right" if place else "left")
        for cells in self.body():
            table.add_row(*cells)
        console.print(table)
        for line in [*self.machine(), *self.notes, *self.failures]:
            console.print(f"- {line}", markup=False)

    def write(self, path: Path, title: str, command: str, steps: int, precision: str) -> None:
        """Write a Markdown page."""
        lines = [
            f"# {title}",
            "",
            f"`{command}`, {datetime.now(UTC):%Y-%m-%d}; {precision}, median of {steps} steps. "
            "How to read it: [benchmarks.md](benchmarks.md).",
            "",
            markdown(self.header(), self.body()),
            *(f"- {line}" for line in [*self.machine(), versions(), *self.notes, *self.failures]),
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def processor() -> str:
    """The processor's name, as Linux gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def versions() -> str:
    """Python's and the libraries' versions; those that are not installed are left out."""
    found = [f"Python {platform.python_version()}"]
    for library in LIBRARIES:
        try:
            found.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
