"""What a change must exceed: the error of the test videos, and how far another seed alone moves a training.

Sets of models differ in their seed alone, so that each model was trained as often as there are sets, and the figures
say how far such trainings lie apart.
"""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np
from scipy.special import stdtrit

from yt8m.review.sides import Side
from yt8m.scoring.bootstrap import SHOWN, SURE


class Spread(NamedTuple):
    """The standard deviation of a training's test GAP over seeds, and its degrees of freedom; 0: it is not known."""

    deviation: float
    freedom: int

    @classmethod
    def of(cls, groups: Iterable[Sequence[float]]) -> Self:
        """That within groups of trainings, which differ in nothing but the seed, pooled."""
        found = [np.asarray(group) for group in groups]
        freedom = sum(len(group) - 1 for group in found)
        squares = sum(float(((group - group.mean()) ** 2).sum()) for group in found)
        return cls((squares / freedom) ** 0.5 if freedom else 0.0, freedom)

    def bound(self, sampling: float, trained: bool, models: int = 1) -> float:
        """What a difference must exceed for 95 % of differences by chance to lie below.

        Args:
            sampling: the difference's standard error by the test videos.
            trained: whether a training ran again; if not, no seed has a part in the difference.
            models: of which the system is a mean, so that their seeds' errors average out.
        """
        seeds = self.deviation * (2 / models) ** 0.5 if trained else 0.0
        # A deviation of few trainings is itself uncertain: Student's t in place of the normal distribution.
        times = float(stdtrit(self.freedom, 0.975)) if seeds else SURE
        return max(times * float(np.hypot(sampling, seeds)), SHOWN)


def spread(sides: Iterable[Side]) -> Spread:
    """That of the ensemble's members, at all sides; what stands at both alike counts once."""
    return Spread.of({(model, *gaps): gaps for side in sides for model, gaps in _groups(side)}.values())


def _groups(side: Side) -> Iterable[tuple[str, tuple[float, ...]]]:
    """Each model with the test GAPs of its trainings, those alike but for the seed together."""
    alike: dict[str, dict[int, str]] = {}
    for name, settings in side.params["sets"].items():
        rest = json.dumps({key: value for key, value in settings.items() if key != "seed"}, sort_keys=True)
        alike.setdefault(rest, {})[settings["seed"]] = name
    for model in side.params["models"]:
        for sets in alike.values():
            names = [f"{model}-{set}" for set in sets.values()]
            gaps = tuple(side.results[name]["test_gap"] for name in names if name in side.results)
            if len(gaps) > 1:
                yield model, gaps
