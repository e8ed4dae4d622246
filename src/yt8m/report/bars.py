"""Figures of values by name."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from yt8m.report.drawing import COLOURS, HATCHES, INK, figure


def bar_figure(values: Mapping[str, float], title: str) -> Figure:
    """Horizontal bars from zero, one a name, the first on top."""
    drawn, (axes,) = figure(0.3 * len(values) + 0.8)
    bars = axes.barh(list(values), list(values.values()))
    axes.bar_label(bars, fmt="%.4f", padding=3, fontsize=8)
    axes.margins(x=0.15)
    axes.invert_yaxis()
    axes.set_title(title)
    return drawn


def interval_figure(values: Mapping[str, tuple[float, float]], xlabel: str) -> Figure:
    """A point and its standard error by name, the name above it; the axis shows where the points are."""
    drawn, (axes,) = figure(0.36 * len(values) + 0.9)
    places = np.arange(len(values))
    means, errors = np.array(list(values.values())).reshape(-1, 2).T
    axes.errorbar(means, places, xerr=errors, fmt="o", capsize=3, markersize=4)
    left = float((means - errors).min())
    for place, (name, mean) in enumerate(zip(values, means, strict=True)):
        axes.text(left, place - 0.28, f"{name}: {mean:.4f}", fontsize=8, va="center")
    axes.set(xlabel=f"{xlabel}; the axis does not begin at 0", yticks=[], ylim=(len(values) - 0.5, -0.9))
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    return drawn


def weight_figure(weights: Mapping[str, Mapping[str, float]]) -> Figure:
    """Table 4: bars by model from zero, a panel a scheme; all panels have the same axes.

    Args:
        weights: of each model, by scheme.
    """
    models = list(next(iter(weights.values())))
    rows = -(-len(weights) // 2)
    drawn, panels = figure(rows * (0.15 * len(models) + 0.5) + 0.4, rows, 2, sharex="all", sharey="all")
    for axes, (scheme, values) in zip(panels, weights.items(), strict=False):
        axes.barh(models, [values[model] for model in models], height=0.7)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_title(scheme)
        axes.tick_params(axis="y", labelsize=7)
        axes.grid(axis="x")
    panels[0].invert_yaxis()
    for axes in panels[len(weights) :]:
        axes.set_axis_off()
    drawn.supxlabel("weight, mean over the classes", fontsize=9)
    return drawn


def grouped_figure(values: Mapping[str, Sequence[float]], groups: Sequence[str], xlabel: str, ylabel: str) -> Figure:
    """Bars from zero side by side, a hatch a name; NaN is left out.

    Args:
        values: one for each group, by name.
    """
    drawn, (axes,) = figure(3.2)
    width = 0.8 / len(values)
    for number, (name, heights) in enumerate(values.items()):
        places = np.arange(len(groups)) + (number - (len(values) - 1) / 2) * width
        hatch = HATCHES[number % len(HATCHES)]
        axes.bar(places, heights, width, label=name, hatch=hatch, color=COLOURS[number], edgecolor=INK, linewidth=0.5)
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 1))
    axes.set_xticks(range(len(groups)), groups)
    drawn.legend(loc="outside upper left", ncols=1)
    return drawn
