"""Figures of videos and of classes in a plane."""

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from yt8m.report.drawing import COLOURS, INK, MARKERS, figure

LONGEST = 34  # letters of a name that is shown


def shortened(name: str, longest: int = LONGEST) -> str:
    """A name that fits."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def embedding_figure(points: np.ndarray, classes: Sequence[str], synthetic: np.ndarray) -> Figure:
    """Fig. 1: single-label videos in two dimensions, a marker a class: filled for originals, hollow for synthetic ones.

    Args:
        points: (n, 2).
        classes: the name of each one's class.
        synthetic: (n,) bool.
    """
    named = list(dict.fromkeys(classes))
    drawn, (axes,) = figure(4.2 + 0.17 * len(named))
    for number, name in enumerate(named):
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        inside = np.array([other == name for other in classes])
        for made, face in ((True, "none"), (False, colour)):
            x, y = points[inside & (synthetic == made)].T
            label = None if made else shortened(name)
            axes.scatter(x, y, s=14, marker=marker, facecolors=face, edgecolors=colour, linewidths=0.6, label=label)
    axes.set(xticks=[], yticks=[], xlabel="first t-SNE dimension", ylabel="second t-SNE dimension")
    axes.spines[["top", "right"]].set_visible(True)
    if named:
        drawn.legend(loc="outside lower left", ncols=1)
    return drawn


def relation_figure(related: np.ndarray, names: Sequence[str]) -> Figure:
    """How classes go together, as a Hinton diagram: the area is the strength, filled for above zero, hollow for below.

    Args:
        related: (n, n); what classes have with themselves is left out.
        names: of the n classes.
    """
    count = len(names)
    drawn, (axes,) = figure(5.2)
    shown = np.where(np.eye(count, dtype=bool), 0, related)
    limit = max(float(np.abs(shown).max(initial=0)), 1e-6)
    boxes, faces = [], []
    for row, column in np.argwhere(np.abs(shown) > limit / 2500).tolist():  # smaller ones would not be seen
        side = float(np.sqrt(abs(shown[row, column]) / limit))
        boxes.append(Rectangle((column - side / 2, row - side / 2), side, side))
        faces.append(COLOURS[0] if shown[row, column] > 0 else "none")
    axes.add_collection(PatchCollection(boxes, facecolors=faces, edgecolors=INK, linewidths=0.4))
    short = [shortened(name, 22) for name in names]
    axes.set_xticks(range(count), short, rotation=90, fontsize=7)
    axes.set_yticks(range(count), short, fontsize=7)
    axes.set(xlim=(-0.6, count - 0.4), ylim=(count - 0.4, -0.6), aspect="equal")
    axes.set_title(f"the largest square is {limit:.2f}", fontsize=8)
    return drawn
