"""List the models of a parameter file with their sizes, or the families that there are, with their arguments."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from rich import box
from rich.console import Console
from rich.table import Table

from yt8m.core.startup import starting
from yt8m.settings import registry
from yt8m.settings.loading import load

SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    parser.add_argument("--json", action="store_true", dest="as_json", help="for programs")
    parser.add_argument("--available", action="store_true", help="the families, and what `args:` of each takes")


def run(params: Path, as_json: bool, available: bool) -> None:
    """Print each model's family, parameters, bytes in two types, and how many keep to the limit; or the families.

    Raises:
        ParamsError: where the file is wrong.
    """
    if available:
        show_available(as_json)
        return
    checked = load(params)
    with starting():
        from yt8m.commands._sizes import sizes  # imports Keras

    rows = list(sizes(checked))
    if as_json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
        return
    limit = checked.distill.max_bytes
    caption = f"So many fit, as a student of several, into distill.max_bytes, {limit:,} bytes."
    table = Table(box=box.SIMPLE, caption=caption, caption_justify="left")
    for heading in ("model", "family", "parameters", "fp32 bytes", "fp16 bytes", "fit in fp32", "fp16"):
        left = heading in ("model", "family")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    for name, family, *figures in rows:
        table.add_row(name, family, *(f"{value:,}" for value in figures))
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def show_available(as_json: bool) -> None:
    """Print every family with its arguments and their types."""
    found = {
        family: {
            name: _type(field.annotation, field.metadata)
            for name, field in registry.arguments(family).model_fields.items()
        }
        for family in registry.families()
    }
    if as_json:
        print(json.dumps(found, indent=2))
        return
    table = Table("family", "args", box=box.SIMPLE)
    for family, fields in found.items():
        table.add_row(family, "\n".join(f"{name}: {kind}" for name, kind in fields.items()))
    Console(width=None if sys.stdout.isatty() else 100, markup=False).print(table)


def _type(annotation: Any, metadata: Sequence[Any]) -> str:
    """A field's type as a user would write it, with its bounds."""
    words = {dict: "a value for each feature", list: "a list", int: "int", float: "float", str: "str"}
    kind, inner = get_origin(annotation) or annotation, get_args(annotation)
    if kind is Annotated:
        return _type(inner[0], [*metadata, *inner[1:]])
    parts = [_type(inner[-1], ())] if inner else []
    bounds = [f"{sign} {getattr(each, key)}" for each in metadata for key, sign in SIGNS.items() if hasattr(each, key)]
    return " ".join(
        [words.get(kind, str(kind)), *(f"of {part}" if kind is list else f"({part})" for part in parts), *bounds]
    )
