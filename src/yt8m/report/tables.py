"""Tables for people, as Markdown."""

from collections.abc import Iterable, Sequence

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
