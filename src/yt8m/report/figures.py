"""Figures, drawn without a display and to the same bytes for the same numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

import matplotlib
import numpy as np

matplotlib.use("agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from yt8m.core.files import whole


def _save(figure: Figure, path: Path) -> None:
    with whole(path) as partial:
        figure.savefig(partial, format="png", dpi=120, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def label_count_figure(before: np.ndarray, after: np.ndarray, path: Path) -> None:
    """Fig. 2: videos by class before and after augmentation, log-log, classes by falling count before."""
    figure, axes = plt.subplots(figsize=(6, 4))
    rank = np.arange(1, len(before) + 1)
    axes.loglog(rank, np.where(before > 0, before, np.nan), ".-", label="before")
    axes.loglog(rank, np.where(after > 0, after, np.nan), ".-", label="after augmentation")
    axes.set(xlabel="class, by videos before", ylabel="training videos", title="Videos by class (Fig. 2)")
    axes.legend()
    axes.grid(alpha=0.3)
    _save(figure, path)


def embedding_figure(points: np.ndarray, classes: Sequence[str], path: Path) -> None:
    """Fig. 1: single-label videos in two dimensions, coloured by class; `classes` names each point's."""
    figure, axes = plt.subplots(figsize=(6, 5))
    for name in dict.fromkeys(classes):
        inside = np.array([other == name for other in classes])
        axes.scatter(points[inside, 0], points[inside, 1], s=10, label=name, alpha=0.8)
    axes.set(xticks=[], yticks=[], title="t-SNE of visual features (Fig. 1)")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def bar_figure(values: Mapping[str, float], title: str, path: Path) -> None:
    """Horizontal bars, one a name, the first on top; the axis starts a little below the smallest value."""
    figure, axes = plt.subplots(figsize=(7, 0.32 * len(values) + 1))
    bars = axes.barh(list(values), list(values.values()))
    axes.bar_label(bars, fmt="%.4f", padding=3, fontsize=8)
    axes.invert_yaxis()
    lowest, highest = min(values.values()), max(values.values())
    margin = max(highest - lowest, 1e-3)
    axes.set(xlim=(max(0.0, lowest - 0.3 * margin), highest + 0.2 * margin), title=title)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def spread_figure(values: Mapping[float, Sequence[float]], xlabel: str, ylabel: str, title: str, path: Path) -> None:
    """A line through the mean of the values at each place, bars of a standard deviation, and the values in gray."""
    figure, axes = plt.subplots(figsize=(6, 4))
    places = sorted(values)
    spread = [stdev(values[place]) if len(values[place]) > 1 else 0.0 for place in places]
    axes.errorbar(places, [mean(values[place]) for place in places], spread, fmt="o-", capsize=4, label="mean")
    for place in places:
        axes.scatter([place] * len(values[place]), values[place], s=12, color="gray", zorder=3)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title, xticks=places)
    axes.grid(alpha=0.3)
    _save(figure, path)


def relations_figure(
    relations: Mapping[str, np.ndarray], classes: np.ndarray, names: Sequence[str], path: Path
) -> None:
    """Relations of the same classes side by side, a panel each: red for classes that go together, blue for others.

    Args:
        relations: (C, C) by title; each panel has a scale of its own.
        classes: those shown, in order.
        names: of all classes.
    """
    columns = min(len(relations), 4)
    rows, size = -(-len(relations) // columns), 0.13 * len(classes)
    inches = (columns * (size + 0.8) + 1, rows * (size + 0.4) + 1)
    figure, panels = plt.subplots(rows, columns, squeeze=False, sharex=True, sharey=True, figsize=inches)
    figure.subplots_adjust(wspace=0.1, hspace=0.1)
    for axes, (title, all_classes) in zip(panels.flat, relations.items(), strict=False):
        block = all_classes[np.ix_(classes, classes)].copy()
        np.fill_diagonal(block, 0)
        limit = max(float(np.abs(block).max()), 1e-6)
        image = axes.imshow(block, cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes.set_title(title, fontsize=9)
        figure.colorbar(image, ax=axes, shrink=0.7).ax.tick_params(labelsize=6)
    for axes in panels.flat[len(relations) :]:
        axes.set_axis_off()
    shown = [names[index] for index in classes]
    panels[0, 0].set_xticks(range(len(shown)), shown)
    panels[0, 0].set_yticks(range(len(shown)), shown)
    for axes in panels[-1]:
        axes.tick_params(axis="x", labelsize=6, rotation=90)
    for axes in panels[:, 0]:
        axes.tick_params(axis="y", labelsize=6)
    _save(figure, path)
