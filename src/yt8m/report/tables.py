"""Tables as Markdown and CSV text."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

Row = Sequence[object]


def _cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value).replace("|", "\\|")


def markdown(header: Sequence[str], rows: Iterable[Row]) -> str:
    """A Markdown table whose columns line up as plain text too; floats have four digits."""
    body = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(header), *body]) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(header), line(["-" * width for width in widths]), *map(line, body)]) + "\n"


def csv_text(header: Sequence[str], rows: Iterable[Row]) -> str:
    """Comma-separated values; floats in full."""
    out = StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return out.getvalue()
