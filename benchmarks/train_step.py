"""How fast each family trains, with each backend: `python -m benchmarks.train_step [--size demo|middle|full]`.

Each family and configuration has a process of its own. docs/benchmarks.md says what the columns mean.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from benchmarks import _models, _processes, _steps
from benchmarks._flops import CPU_JAX, GATES, counted, recurrent
from benchmarks._models import Case
from benchmarks._processes import Failed, say
from yt8m.commands._trained import positive
from yt8m.core.files import write_text
from yt8m.report.tables import markdown

LIBRARIES = ("keras", "tensorflow", "jax", "jaxlib", "numpy")
NAN = float("nan")
Result = TypeVar("Result")


# Name, backend, and whether XLA compiles the step.
CONFIGURATIONS = (("TensorFlow", "tensorflow", False), ("TensorFlow XLA", "tensorflow", True), ("JAX", "jax", True))
BACKENDS = ("tensorflow", "jax")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_step", description="Time training steps.")
    parser.add_argument("--size", choices=list(_models.SIZES), default="demo")
    parser.add_argument("--steps", type=positive, default=10, help="timed behind the warm-up; default: 10")
    parser.add_argument("--families", nargs="+", choices=list(_models.MIDDLE), metavar="FAMILY", help="default: all")
    parser.add_argument("--precision", choices=["float32", "mixed_bfloat16"], help="default: the parameter file's")
    parser.add_argument("--output", type=Path, help="a Markdown page to write")
    args = parser.parse_args(argv)
    cases = [case for case in _models.SIZES[args.size]() if case.model.family in (args.families or _models.MIDDLE)]
    if args.precision:
        cases = [case.trained_with(precision=args.precision) for case in cases]
    if not cases:
        sys.exit(f"train_step: expected a model of {args.families} in size {args.size}, found none")
    lines, notes, failures = measure(cases, args.steps)
    machine = f"{os.cpu_count()} cores of {processor()}"
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in LIBRARIES)])
    about = f"`{command(args)}`, {datetime.now(UTC):%Y-%m-%d}; {cases[0].train.precision}, median of {args.steps} steps"
    text = f"""# Training steps, {args.size} size

{about}. How to read it: [benchmarks.md](benchmarks.md).

{markdown(header(), lines)}
""" + "".join(f"- {note}\n" for note in [machine, *notes, versions, *failures])
    say(f"\n{text}")
    if args.output:
        write_text(args.output, text)
    sys.exit(int(bool(failures)))


def command(args: argparse.Namespace) -> str:
    """The command that gives these figures again; not where they are written to."""
    words = ["python -m benchmarks.train_step", "--size", args.size, "--steps", str(args.steps)]
    words += ["--families", *args.families] if args.families else []
    words += ["--precision", args.precision] if args.precision else []
    return " ".join(words)


def header() -> list[str]:
    """Titles of the columns."""
    first, *others = (name for name, *_ in CONFIGURATIONS)
    titles = [f"{name}: {what}" for name in (first, *others) for what in ("examples/s", "compile s", "% of matmul")]
    return ["family", "batch", "GFLOP a step", *titles, *(f"{other} / {first}" for other in others)]


def measure(cases: Sequence[Case], steps: int) -> tuple[list[list[str]], list[str], list[str]]:
    """Measure each case in each configuration, one after the other; the others go on where one fails.

    Returns:
        A line for each case, with NaN for what failed; how fast products are; and what failed, and why.
    """
    failures: list[str] = []

    def attempt(what: str, other: Result, function: Callable[..., Result], *args: object, **environment: str) -> Result:
        say(f"{what} ...")
        try:
            return _processes.apart(function, *args, **environment)
        except Failed as error:
            failures.append(f"{what} failed: {error}")
            return other

    rates = {
        each: attempt(f"matrix products with {each}", (NAN, ""), _steps.matmul_rate, KERAS_BACKEND=each)
        for each in BACKENDS
    }
    lines = []
    for case in cases:
        family, batch, speeds, seconds = case.model.family, case.model.batch_size, list[str](), list[float]()
        flops = recurrent(case) if family in GATES else attempt(f"{family}, operations", NAN, counted, case, **CPU_JAX)
        for name, backend, xla in CONFIGURATIONS:
            compiled = case.trained_with(xla=xla)
            what, failed = f"{family}, {name}", (NAN, NAN)
            step, first = attempt(what, failed, _steps.timed, compiled, steps, KERAS_BACKEND=backend)
            speeds += [f"{batch / step:.4g}", f"{first:.1f}", f"{100 * flops / step / rates[backend][0]:.1f}"]
            seconds.append(step)
        ratios = [f"{seconds[0] / other:.2f}" for other in seconds[1:]]
        lines.append([family, str(batch), f"{flops / 1e9:.4g}", *speeds, *ratios])
    notes = [
        f"matrix products with {backend} ({product}): {rate / 1e9:,.0f} GFLOP/s"
        for backend, (rate, product) in rates.items()
    ]
    return lines, notes, failures


def processor() -> str:
    """The processor's name, as Linux gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
