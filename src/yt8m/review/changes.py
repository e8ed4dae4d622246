"""What differs between a commit and the working tree: figures and parameters, as DVC lists them, with their noise."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from yt8m.core.errors import InputError
from yt8m.review import noise, reruns, systems
from yt8m.review.predictions import Cached, paired_error
from yt8m.review.sides import MEAN, Side, measured
from yt8m.scheduling import dvc

TRAINED = ("train@", "finetune@")  # the stages that train the ensemble's members

Diff = Mapping[str, Mapping[str, Any]]  # by file and by name: old and new, where there are such


class Change(NamedTuple):
    """A figure on both sides.

    Attributes:
        old, new: None where a side has none.
        bound: what a difference must exceed, or it is noise.
        paired: whether the bound is of predictions of both sides.
    """

    old: float | None
    new: float | None
    bound: float
    paired: bool

    @property
    def difference(self) -> float | None:
        """By how much the figure has grown."""
        return None if self.old is None or self.new is None else self.new - self.old

    @property
    def verdict(self) -> str:
        """What to call it."""
        if (difference := self.difference) is None:
            return "new" if self.old is None else "removed"
        if not difference:
            return "the same"
        if abs(difference) <= self.bound:
            return "noise"
        return "better" if difference > 0 else "worse"


class Changes(NamedTuple):
    """All that differs.

    Attributes:
        gaps: test GAPs of systems, by name.
        metrics, params: all else, by file and name.
        spread: of a training over seeds.
    """

    gaps: dict[str, Change]
    metrics: Diff
    params: Diff
    spread: noise.Spread


def params(commit: str) -> Diff:
    """The parameters that have changed, as DVC says.

    Raises:
        InputError: where it refuses.
    """
    found: Diff = json.loads(dvc.ask("params", "diff", "--json", commit))
    return found


def compare(old: Side, new: Side) -> Changes:
    """The changes, each with what it must exceed.

    Raises:
        InputError: where a side has no figures, or DVC refuses.
    """
    with ThreadPoolExecutor() as pool:  # DVC takes most of the time
        differ = pool.submit(params, old.name)
        metrics = pool.submit(dvc.ask, "metrics", "diff", "--all", "--json", old.name, "--targets", *measured(old.name))
        cache = Path(dvc.ask("cache", "dir").strip())
        stores = Cached(old, cache), Cached(new, cache)
        spread = noise.spread((old, new))
        ran = set(reruns.changed(old, new))
        before, after = old.gaps, new.gaps
        gaps = {
            name: _change(name, (before.get(name), after.get(name)), stores, (old, new), spread, ran)
            for name in {**before, **after}
        }
        return Changes(gaps, json.loads(metrics.result()), differ.result(), spread)


def _change(
    name: str,
    gaps: tuple[float | None, float | None],
    stores: tuple[Cached, Cached],
    sides: tuple[Side, Side],
    spread: noise.Spread,
    ran: set[str],
) -> Change:
    before, after = gaps
    if before is None or after is None or before == after:
        return Change(before, after, 0.0, False)
    error = paired_error(*stores, name)
    if name in (systems.ENSEMBLE, MEAN):
        trained, models = (
            any(stage.startswith(TRAINED) for stage in ran),
            min(len(side.params["models"]) for side in sides),
        )
    else:
        trained, models = not ran.isdisjoint(systems.model(name).trainings), 1
    sampling = _unpaired(name, (before, after), sides) if error is None else error
    return Change(before, after, spread.bound(sampling, trained, models), error is not None)


def _unpaired(name: str, gaps: tuple[float, float], sides: tuple[Side, Side]) -> float:
    """The error of a difference by the errors of both figures: too large, since both are of the same videos.

    The ensemble that teaches stands in the results by its scheme's name; its figure says which it is.
    """
    total = 0.0
    for side, gap in zip(sides, gaps, strict=True):
        rows = [row for row in side.results.values() if row["test_gap"] == gap]
        row = side.results.get(name) or next(iter(rows), None)
        if row is None:
            raise InputError(f"{side.name}: expected a row of {name} in its results, found none")
        total += row["gap_error"] ** 2
    return float(total**0.5)
