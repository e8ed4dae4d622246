"""Figures over frames, as elements of a page."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from yt8m.report.drawing import INK, svg

BARS = "#4a86e8"


def over_frames(name: str, rows: Sequence[tuple[str, Sequence[float]]], edges: Sequence[int], about: str) -> str:
    """Bars over the frames, row below row, all at one scale.

    Args:
        name: of the figure, unique in its page.
        rows: names, and a value for each pair of neighbouring edges.
        edges: frames where bars begin, and where the last one ends.
        about: what is shown, for who cannot see it.
    """
    figure = Figure(figsize=(7, 0.75 * len(rows) + 0.5), layout="constrained")
    panels = figure.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (title, values) in zip(panels, rows, strict=True):
        axes.stairs(values, edges, fill=True, color=BARS, baseline=0)
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.set_title(title, loc="left", fontsize=9, pad=2)
    panels[-1].set(xlabel="frame", xlim=(edges[0], edges[-1]))
    return svg(figure, name, about)
