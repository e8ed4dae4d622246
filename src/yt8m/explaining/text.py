"""An explanation as text."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table

from yt8m.explaining.explanation import Explanation
from yt8m.explaining.tables import summary, tables


def show(explained: Explanation) -> None:
    """Print an explanation as tables."""
    console = Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False)
    console.print(summary(explained), soft_wrap=True)
    for title, note, header, rows in tables(explained):
        console.print(f"\n{title}. {note}", soft_wrap=True)
        if rows:
            table = Table(*header, box=box.SIMPLE)
            for row in rows:
                table.add_row(*row)
            console.print(table)
