"""Report what shards hold, and everything that is wrong with them.

No schema is needed: records should be like most of those that the same pattern matches. Warnings (what would be taken,
and probably should not) and problems go to the end of the report, one a line; problems make the exit status 1.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import chain
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from yt8m.core.cluster import processes_for, workers
from yt8m.intake.inspection import Problem, combine, examine
from yt8m.records.remote import total_size
from yt8m.records.shards import find


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument(
        "patterns", nargs="+", metavar="GLOB", help="shards (or their URL) of one data set and level; quote it"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="for programs")


def run(patterns: Sequence[str], as_json: bool) -> int:
    """Print what is there, and return whether anything is wrong.

    Raises:
        DataError: where a pattern matches nothing.
    """
    found = {pattern: find([pattern]) for pattern in patterns}
    reports = {}
    with workers(None, processes_for(total_size(chain(*found.values())))) as spread:
        for pattern, paths in found.items():
            shards = spread(examine, ((path,) for path in paths))
            reports[pattern] = combine(list(tqdm(shards, "reading", len(paths), unit="shard", disable=None)))
    if as_json:
        print(json.dumps([{"glob": pattern, **report} for pattern, report in reports.items()], indent=2))
    else:
        show(reports)
    return int(any(report["problems"] for report in reports.values()))


def show(reports: dict[str, dict[str, Any]]) -> None:
    """Print a table with a column for each pattern, and the problems."""
    table = Table("", *reports, box=box.SIMPLE)
    columns = [facts(report) for report in reports.values()]
    for name in columns[0]:
        table.add_row(name, *(column[name] for column in columns))
    Console(width=None if sys.stdout.isatty() else 160, markup=False).print(table)
    for report in reports.values():
        for warning in report.get("warnings", []):
            print(f"warning: {warning}")
        for problem in report["problems"]:
            print(Problem(**problem))


def facts(report: dict[str, Any]) -> dict[str, str]:
    """A report in words; "-" for what is not known."""
    classes = report.get("classes") or {"min": "-", "max": "-"}
    return {
        "shards": f"{report['shards']:,}",
        "records": f"{report['records']:,}",
        "level": report.get("level", "-"),
        "keys": "\n".join(f"{key}: {kind}" for key, kind in report.get("keys", {}).items()) or "-",
        "ids in": report.get("id_key") or "-",
        "labels in": report.get("labels_key") or "-",
        "frames: min, median, max": spread(report.get("frames")),
        "bytes: mean, at 0, at 255": "\n".join(
            f"{name}: {looks['mean']:.0f}, {looks['at 0']:.1%}, {looks['at 255']:.1%}"
            for name, looks in report.get("bytes", {}).items()
        )
        or "-",
        "labels": f"{report.get('labels', 0):,}",
        "labels a video: min, median, max": spread(report.get("labels_per_video")),
        "classes: lowest, highest": f"{classes['min']}, {classes['max']}",
        "problems": f"{len(report['problems']):,}",
    }


def spread(values: dict[str, float] | None) -> str:
    """Min, median and max."""
    return ", ".join(f"{value:g}" for value in values.values()) if values else "-"
