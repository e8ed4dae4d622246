"""List the models of a parameter file with their sizes."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from yt8m.core.startup import starting
from yt8m.settings.params import load


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    parser.add_argument("--json", action="store_true", dest="as_json", help="for programs")


def run(params: Path, as_json: bool) -> None:
    """Print each model's family, parameters, bytes in two types, and whether it keeps to the limit.

    Raises:
        ParamsError: where the file is wrong.
    """
    checked = load(params)
    with starting():
        from yt8m.commands._sizes import sizes  # imports Keras

    rows = list(sizes(checked))
    if as_json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
        return
    limit = checked.distill.max_bytes
    table = Table(box=box.SIMPLE, caption=f"The limit is distill.max_bytes, {limit:,} bytes.", caption_justify="left")
    for heading in ("model", "family", "parameters", "fp32 bytes", "fp16 bytes", "fits"):
        right = heading.startswith(("parameters", "fp"))
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        figures = [f"{value:,}" for value in (row.parameters, row.bytes_fp32, row.bytes_fp16)]
        table.add_row(row.model, row.family, *figures, ", ".join(row.fits) or "no")
    Console(width=None if sys.stdout.isatty() else 100).print(table)
