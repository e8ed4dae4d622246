"""How fast each family trains, with each backend: `python -m benchmarks.train_step [--size demo|middle|full]`.

Each family and configuration has a process of its own. docs/benchmarks.md says what the columns mean.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from benchmarks._common import Case, apart, console
from benchmarks._flops import GATES, step_flops
from benchmarks._report import Configuration, Report, Row
from benchmarks._sizes import FAMILIES, SIZES
from yt8m.commands._trained import positive

CONFIGURATIONS = (
    Configuration("TensorFlow", "tensorflow", xla=False),
    Configuration("TensorFlow XLA", "tensorflow", xla=True),
    Configuration("JAX", "jax", xla=True),
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_step", description="Time training steps.")
    parser.add_argument("--size", choices=list(SIZES), default="demo")
    parser.add_argument("--steps", type=positive, default=10, help="timed behind the warm-up; default: 10")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES, metavar="FAMILY")
    parser.add_argument("--precision", choices=["float32", "mixed_bfloat16"], help="default: the parameter file's")
    parser.add_argument("--output", type=Path, help="a Markdown page to write")
    args = parser.parse_args(argv)
    cases = [case for case in SIZES[args.size]() if case.family in args.families]
    if args.precision:
        cases = [with_train(case, precision=args.precision) for case in cases]
    if not cases:
        sys.exit(f"train_step: expected a model of {list(args.families)} in size {args.size}, found none")
    out = console()
    report = measure(cases, args.steps, out)
    report.show(out)
    if args.output:
        report.write(
            args.output, f"Training steps, {args.size} size", command(args), args.steps, cases[0].train.precision
        )
    sys.exit(int(bool(report.failures)))


def command(args: argparse.Namespace) -> str:
    """The command that gives these figures again; not where they are written to."""
    words = ["python -m benchmarks.train_step", "--size", args.size, "--steps", str(args.steps)]
    if tuple(args.families) != FAMILIES:
        words += ["--families", *args.families]
    if args.precision:
        words += ["--precision", args.precision]
    return " ".join(words)


def with_train(case: Case, **changes: object) -> Case:
    """The same case with other values in its section `train`."""
    return case.model_copy(update={"train": case.train.model_copy(update=changes)})


def measure(cases: Sequence[Case], steps: int, out: Console) -> Report:
    """Measure each case in each configuration that is installed, one after the other."""
    backends = dict.fromkeys(configuration.backend for configuration in CONFIGURATIONS)
    installed = [backend for backend in backends if find_spec(backend)]
    report = Report([configuration for configuration in CONFIGURATIONS if configuration.backend in installed])
    report.notes += [f"{backend} is not installed" for backend in backends if backend not in installed]
    for backend in installed:
        out.print(f"matrix products with {backend} ...", markup=False)
        rate = report.attempt(backend, partial(apart, "_rate.matmul_rate", {}, KERAS_BACKEND=backend))
        report.rates |= {backend: rate} if rate else {}
    for number, case in enumerate(cases, start=1):
        report.rows.append(measure_case(case, steps, report, out, f"{number}/{len(cases)} {case.family}"))
    return report


def measure_case(case: Case, steps: int, report: Report, out: Console, name: str) -> Row:
    """Measure a case in the report's configurations; what fails is noted in the report."""
    row = Row(case)
    if case.family in GATES or find_spec("jax"):
        out.print(f"{name}, operations ...", markup=False)
        row.flops = report.attempt(f"{case.family}, operations", partial(step_flops, case))
    for configuration in report.configurations:
        out.print(f"{name}, {configuration.name} ...", end=" ", markup=False)
        arguments = {"case": with_train(case, xla=configuration.xla).model_dump(), "steps": steps}
        timing = report.attempt(
            f"{case.family}, {configuration.name}",
            partial(apart, "_training.timed_steps", arguments, KERAS_BACKEND=configuration.backend),
        )
        if timing is not None:
            row.timings[configuration.name] = timing
        out.print("failed" if timing is None else f"{1000 * timing['step']:.0f} ms a step", markup=False)
    return row


if __name__ == "__main__":
    main()
