"""How figures look and how they are kept: to the same bytes for the same numbers, drawn without a display.

A figure is one column of a phone wide. It stands in pages that are light or dark, and is told apart without colour.
"""

import re
from html import escape
from io import StringIO
from pathlib import Path
from typing import Literal

import matplotlib

matplotlib.use("agg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

from yt8m.core.files import whole

Shared = Literal["none", "all", "row"]  # which panels have the same axis

WIDTH = 4.8  # inches
INK = "#010203"  # in a page it becomes the text's colour
COLOURS = ("#2f7fc1", "#cf6a12", "#2a9a6c", "#b9539f", "#8068cc", "#8d7f1f", "#c8504f", "#5d7f8c")  # seen on both
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":")
HATCHES = ("", "////", "....", "xxxx")
FONTS = "DejaVu Sans, Verdana, sans-serif"  # as wide as what was measured, or narrower
matplotlib.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.titlesize": 9,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=COLOURS),
        "grid.alpha": 0.25,
        "hatch.linewidth": 0.6,
        "text.parse_math": False,  # a class's name may hold dollars
        "svg.fonttype": "none",
        **dict.fromkeys(
            ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"), INK
        ),
    }
)


def figure(
    height: float, rows: int = 1, columns: int = 1, *, sharex: Shared = "none", sharey: Shared = "none"
) -> tuple[Figure, list[Axes]]:
    """A figure of so many inches' height, and its axes row by row."""
    made = Figure(figsize=(WIDTH, height), layout="constrained")
    return made, list(made.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey).flat)


def save_png(drawn: Figure, path: Path) -> None:
    """Write a figure on white to `path` as a whole."""
    with whole(path) as partial:
        drawn.savefig(partial, format="png", dpi=120, metadata={"Software": None})


def svg(drawn: Figure, name: str, about: str) -> str:
    """A figure as an element of a page.

    Args:
        name: unique in the page: the ids within the figure are made of it.
        about: said to who does not see it.
    """
    out = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        drawn.savefig(out, format="svg", transparent=True, metadata=nothing)
    text = out.getvalue()
    _, viewbox, body = re.split(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', text, maxsplit=1, flags=re.DOTALL)
    body = re.sub(r'(<g) id="[^"]*"', r"\1", body)  # groups' ids would be the same in each figure; none is referred to
    body = re.sub(r"'DejaVu Sans'[^;\"]*", FONTS, body).replace(INK, "currentColor")
    width = float(viewbox.split()[2])
    start = f'<svg viewBox="{viewbox}" style="--width:{width:.0f}pt" role="img" aria-label="{escape(about)}">'
    return start + re.sub(r"\s*\n\s*", "\n", body).strip()
