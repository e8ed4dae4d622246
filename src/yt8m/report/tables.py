"""Tables for people: as Markdown, and which rows Table 2 has."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from yt8m.settings.params import Evaluate

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


class System(NamedTuple):
    """A row of Table 2: how it is called, whose results it has, and the paper's GAP."""

    label: str
    system: str
    paper: str


def table2(evaluate: Evaluate, families: int, models: int) -> list[System]:
    """The rows of Table 2, in the paper's order.

    Args:
        families: how many there are.
        models: members of the ensemble.
    """
    rows = [
        System(f"one model ({evaluate.plain})", evaluate.plain, "85.75 (val)"),
        System("+ video-level MoE on augmented data, mean", "plain_and_moe", "85.98 (val)"),
    ]
    if evaluate.related is not None:
        rows.append(System(f"with label relations ({evaluate.related})", evaluate.related, "87.88 (val)"))
    return [
        *rows,
        System(f"mean of {families} models, one a family", "mean_of_families", "88.27"),
        System(f"mean of all {models} models", "mean_of_all", "88.62"),
        System("learnt weights, per model", "per_model", "88.73"),
        System("learnt weights, per model and class", "per_class", "-"),
        System("weights chosen for GAP", "gap", "-"),
        System("distilled student", "student", "87.32"),
    ]
