"""Figures over frames as SVG, in the colours of the page around them, to the same bytes for the same numbers."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.figure import Figure

INK, BARS = "#010203", "#4a86e8"  # the former becomes the page's own colour of text
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "yt8m",
    "text.parse_math": False,  # names may hold dollars
    "font.size": 9,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


def over_frames(rows: Sequence[tuple[str, Sequence[float]]], edges: Sequence[int], label: str) -> str:
    """Bars over the frames, row below row, all at one scale.

    Args:
        rows: names, and a value for each pair of neighbouring edges.
        edges: frames where bars begin, and where the last one ends.
        label: what is shown, for who cannot see it.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 0.75 * len(rows) + 0.5), layout="constrained")
        panels = figure.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, (name, values) in zip(panels, rows, strict=True):
            axes.stairs(values, edges, fill=True, color=BARS, baseline=0)
            axes.axhline(0, color=INK, linewidth=0.6)
            axes.set_title(name, loc="left", fontsize=9, pad=2)
            axes.spines[["top", "right"]].set_visible(False)
        panels[-1].set(xlabel="frame", xlim=(edges[0], edges[-1]))
        out = StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    svg = out.getvalue()
    return f'<svg role="img" aria-label="{label}"' + svg[svg.index("<svg") + 4 :].replace(INK, "currentColor")
