"""Figures of one value by another."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from statistics import mean, stdev
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from yt8m.report.drawing import COLOURS, DASHES, INK, MARKERS, figure

Points = list[tuple[float, float]]


class Curve(NamedTuple):
    """What a training has logged.

    Attributes:
        loss: by step.
        gap: on the holdout, by step.
        further: steps at which another training goes on.
    """

    loss: Points
    gap: Points
    further: list[float]


def curve_figure(groups: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """Loss and GAP by step: a row a group, such as a family, in which each curve has dashes and a marker of its own."""
    height = 1.15 * len(groups) + 0.7
    drawn, panels = figure(height, len(groups), 2, sharex="row")
    for number, (name, curves) in enumerate(groups.items()):
        left, right = panels[2 * number : 2 * number + 2]
        for (label, curve), dash, marker in zip(curves.items(), cycle(DASHES), cycle(MARKERS)):
            for axes, points in ((left, curve.loss), (right, curve.gap)):
                axes.plot(*_columns(points), dash, marker=marker, markersize=3, fillstyle="none", label=label)
            for start in curve.further:
                for axes in (left, right):
                    axes.axvline(start, color=INK, linewidth=0.6, linestyle=":")
        left.set_ylabel(name)
        left.set_ylim(bottom=0)
        right.legend(fontsize=7, loc="lower right")
        for axes in (left, right):
            axes.tick_params(labelsize=7)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.grid()
    panels[0].set_title("loss")
    panels[1].set_title("GAP on the holdout (not from 0)")
    drawn.supxlabel("training step", fontsize=9)
    return drawn


def precision_figure(curves: Mapping[str, Points]) -> Figure:
    """Precision against recall, a line a system."""
    drawn, (axes,) = figure(3.6)
    for (name, points), dash, marker in zip(curves.items(), cycle(DASHES), cycle(MARKERS)):
        axes.plot(*_columns(points), linestyle=dash, marker=marker, markersize=4, markevery=6, label=name)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.grid()
    drawn.legend(loc="outside upper left", ncols=1)
    return drawn


def calibration_figure(shown: Mapping[str, Points], others: Mapping[str, Points], what: str) -> Figure:
    """The share of right predictions by their mean score: on the diagonal scores are probabilities.

    Args:
        shown: lines with names.
        others: thin lines that are called `what` together.
    """
    drawn, (axes,) = figure(3.8)
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":", label="scores that are probabilities")
    for number, points in enumerate(others.values()):
        axes.plot(*_columns(points), color=INK, alpha=0.3, linewidth=0.7, label=None if number else what)
    for (name, points), marker, dash in zip(shown.items(), cycle(MARKERS), cycle(DASHES)):
        axes.plot(*_columns(points), linestyle=dash, marker=marker, markersize=5, label=name)
    axes.set(xlabel="mean score of the predictions", ylabel="share of them that are right")
    axes.set(xlim=(0, None), ylim=(0, 1.03))  # an ensemble's sums may be beyond 1
    axes.grid()
    drawn.legend(loc="outside upper left", ncols=1)
    return drawn


def count_figure(before: np.ndarray, after: np.ndarray) -> Figure:
    """Fig. 2: videos by class before and after augmentation, log-log, classes by falling count before."""
    drawn, (axes,) = figure(3.2)
    rank = np.arange(1, len(before) + 1)
    axes.plot(rank, np.where(before > 0, before, np.nan), "-", color=COLOURS[0], label="before")
    axes.plot(rank, np.where(after > 0, after, np.nan), ":", color=COLOURS[1], label="after augmentation")
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,.0f}")
        axis.set_minor_formatter(NullFormatter())
    axes.set(xlabel="class, by videos before (logarithmic)", ylabel="training videos (logarithmic)")
    axes.legend()
    axes.grid()
    return drawn


def spread_figure(values: Mapping[float, Sequence[float]], xlabel: str, ylabel: str, title: str) -> Figure:
    """A line through the mean of the values at each place, bars of a standard deviation, and the values themselves."""
    drawn, (axes,) = figure(3.4)
    places = sorted(values)
    spread = [stdev(values[place]) if len(values[place]) > 1 else 0.0 for place in places]
    axes.errorbar(places, [mean(values[place]) for place in places], spread, fmt="o-", capsize=4, label="mean")
    for place in places:
        axes.scatter([place] * len(values[place]), values[place], s=12, marker="x", color=INK, zorder=3)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title, xticks=places)
    axes.grid()
    return drawn


def _columns(points: Points) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
