"""How sure a GAP is, and the difference of two: the bootstrap over videos (Efron 1979), paired and exact.

A resample draws as many videos as there are, with replacement. A video drawn m times stands there m times with all its
predictions, tied; so a resample is a whole number for each video, and its GAP is computed from the one ranking of all
predictions. All systems are given the same resamples: what makes a resample easy for one makes it easy for the other.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Self

import numpy as np

from yt8m.core.cluster import cores
from yt8m.core.ragged import Ragged
from yt8m.scoring.metrics import is_label
from yt8m.scoring.predictions import Predictions

RESAMPLES = 200
SURE = 1.96  # standard errors on either side hold 95 % of a normal distribution
SHOWN = 0.5e-4  # what a GAP of four digits shows: two systems that rank all but alike differ surely, and by nothing


class Ranked(NamedTuple):
    """Predictions of N videos in the order in which GAP ranks them, equal scores as one.

    Attributes:
        videos: of each prediction, highest score first, (n,) int32.
        right: places of the right ones, (r,), ascending.
        ends: the last place that ranks as high as each of these, (r,).
        last: the last right one that ranks as high as each of these, (r,).
        positives: labels of each video, (N,).
    """

    videos: np.ndarray
    right: np.ndarray
    ends: np.ndarray
    last: np.ndarray
    positives: np.ndarray

    @classmethod
    def of(cls, predictions: Predictions, k: int = 20) -> Self:
        """The k highest predictions of each video."""
        scores = -predictions.scores[:, :k]
        order = np.argsort(scores, axis=None)
        falling = scores.ravel()[order]
        right = np.flatnonzero(is_label(predictions.indices[:, :k], predictions.labels).ravel()[order])
        ends = np.searchsorted(falling, falling[right], side="right") - 1
        last = np.searchsorted(ends, ends, side="right") - 1
        videos = (order // scores.shape[1]).astype(np.int32)
        return cls(videos, right, ends, last, Ragged.of(predictions.labels).lengths)

    def gap(self, times: np.ndarray) -> float:
        """GAP@20 where each video stands there so many times, (N,) unsigned integers."""
        positives = np.sum(times * self.positives, dtype=np.int64)
        if not positives or not len(self.right):
            return 0.0
        ranked = times[self.videos]
        seen = np.cumsum(ranked, dtype=np.int32)[self.ends]
        right = ranked[self.right]
        precision = np.cumsum(right, dtype=np.int32)[self.last] / np.maximum(seen, 1)
        return float(np.dot(right, precision) / positives)


def resample(videos: int, seed: int, number: int) -> np.ndarray:
    """How often each of the videos is drawn in a resample, (videos,) uint8."""
    drawn = np.random.default_rng((seed, number)).integers(videos, size=videos)
    return np.bincount(drawn, minlength=videos).astype(np.uint8)


def gaps(predictions: Predictions, seed: int) -> np.ndarray:
    """GAP@20 of each resample, (RESAMPLES,): the same resamples for all systems of the same videos, in one order."""
    ranked, videos = Ranked.of(predictions), len(predictions.ids)
    with ThreadPoolExecutor(cores()) as pool:  # numpy's loops leave Python's lock to others
        return np.array(list(pool.map(lambda number: ranked.gap(resample(videos, seed, number)), range(RESAMPLES))))


def error(resampled: np.ndarray) -> float:
    """The standard error of what was resampled."""
    return float(np.std(resampled, ddof=1))


class Difference(NamedTuple):
    """A difference of two systems' GAPs and its standard error."""

    value: float
    error: float

    @property
    def verdict(self) -> str:
        """Whether 95 % of a normal distribution around it lie on one side of zero, and four digits show it."""
        if abs(self.value) <= max(SURE * self.error, SHOWN):
            return "no difference"
        return "better" if self.value > 0 else "worse"


def difference(value: float, resampled: np.ndarray, control: np.ndarray) -> Difference:
    """A system's GAP less its control's.

    Args:
        value: on the videos themselves.
        resampled, control: what `gaps` gives of both.
    """
    return Difference(value, error(resampled - control))
