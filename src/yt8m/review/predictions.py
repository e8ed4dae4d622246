"""The test predictions of both sides, as far as DVC's cache holds them, and the paired error of their difference."""

import json
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from yt8m.ensembling import fitting
from yt8m.ensembling.ensemble import DESCRIPTION, WEIGHTS, Ensemble, read_weights
from yt8m.review import systems
from yt8m.review.sides import MEAN, Side
from yt8m.scoring import bootstrap
from yt8m.scoring.predictions import Predictions, Store, aligned, concatenate

SEED = 0  # of the resamples


class Cached:
    """What a side's stages have written.

    Args:
        cache: DVC's.
    """

    def __init__(self, side: Side, cache: Path):
        self._side, self._cache = side, cache

    @cached_property
    def _sums(self) -> dict[str, str]:
        return {out["path"]: out["md5"] for entry in self._side.stages.values() for out in entry.get("outs", ())}

    def find(self, path: str) -> Path | None:
        """A file that is an output, or lies in one; None where the cache lacks it."""
        if path in self._sums:
            return self._at(self._sums[path])
        for folder in map(str, Path(path).parents):
            if listing := self._at(self._sums[folder]) if folder in self._sums else None:
                inside = {f"{folder}/{each['relpath']}": each["md5"] for each in json.loads(listing.read_bytes())}
                return self._at(inside[path]) if path in inside else None
        return None

    def _at(self, sum: str) -> Path | None:
        found = self._cache / "files" / "md5" / sum[:2] / sum[2:]
        return found if found.is_file() else None

    def predictions(self, name: str) -> Predictions | None:
        """A system's predictions of the test videos; None where the cache lacks any part of them."""
        if name in (systems.ENSEMBLE, MEAN):
            return self._ensemble("equal" if name == MEAN else None)
        found = self.find(systems.model(name).predictions)
        return Store(found).read() if found else None

    def _ensemble(self, scheme: str | None) -> Predictions | None:
        """Those of a scheme, or of the one that teaches: put together of the members', as `evaluate` does."""
        with TemporaryDirectory() as folder:
            for name in (DESCRIPTION, WEIGHTS):
                if not (found := self.find(f"data/ensemble/{name}")):
                    return None
                (Path(folder) / name).symlink_to(found)
            ensemble, weights = Ensemble.read(Path(folder)), read_weights(Path(folder))
        paths = {name: self.find(systems.model(name).predictions) for name in ensemble.members}
        there = {name: path for name, path in paths.items() if path}
        if len(there) < len(paths):
            return None
        scheme = scheme or ensemble.scheme
        with aligned(there) as members:
            return concatenate(list(fitting.combined(members, weights[scheme], fitting.power(scheme))))


def paired_error(old: Cached, new: Cached, name: str) -> float | None:
    """The standard error of a system's change, by resamples of the test videos that are the same for both sides.

    Returns:
        None where predictions of a side are not at hand.
    """
    one, other = old.predictions(name), new.predictions(name)
    if one is None or other is None or not one.ids.equals(other.ids):
        return None
    return bootstrap.error(np.subtract(*(bootstrap.gaps(each, SEED) for each in (other, one))))
