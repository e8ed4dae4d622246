"""Tables for people, as Markdown."""

from collections.abc import Iterable, Mapping, Sequence

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


def table4(weights: Sequence[Mapping[str, str]]) -> str:
    """Weights of every scheme by model, the paper's schemes first: a Markdown table for all members, and for each set.

    Args:
        weights: rows of `metrics/fit_ensemble/weights.csv`.
    """
    sections = []
    for set in dict.fromkeys(row["set"] for row in weights):
        found = {(row["model"], row["scheme"]): row for row in weights if row["set"] == set}
        kinds = {row["scheme"]: row["of"] for row in found.values()}
        schemes = sorted(kinds, key=lambda scheme: kinds[scheme] != "paper")
        models = list(dict.fromkeys(model for model, _ in found))
        header = ("model", *(f"{scheme} ({kinds[scheme]})" for scheme in schemes))
        rows = [(model, *(_weight(found[model, scheme]) for scheme in schemes)) for model in models]
        title = f"Set {set}, {len(models)} models" if set else f"All {len(models)} models"
        sections.append(f"{title}\n\n{markdown(header, rows)}")
    note = "Mean weights over the classes; behind those that are negative for a class the lowest one.\n"
    return "\n".join([note, *sections])


def _weight(row: Mapping[str, str]) -> str:
    mean, lowest = float(row["weight"]), float(row["lowest"])
    return f"{mean:.3f} ({lowest:.3f})" if lowest < 0 else f"{mean:.3f}"
