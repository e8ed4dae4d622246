"""Values as they come, made what shards hold: 8-bit codes a frame, float32 a video."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, inf, log10, sqrt
from typing import NamedTuple, Self

import numpy as np

from yt8m.core.errors import InputError
from yt8m.core.quantization import OFFSET, SCALE, dequantize, quantize
from yt8m.core.schema import Level
from yt8m.packing.features import Feature

LOWEST, HIGHEST = OFFSET - SCALE / 2, OFFSET + SCALE * 255.5  # what codes stand for, half a step beyond: -2 and 2.016
NUMBERS = ("float16", "float32", "float64", "uint8")


@dataclass(frozen=True)
class Tally:
    """What a feature's values were, before they were coded; bytes, which are codes, are not counted.

    Attributes:
        values: how many.
        outside: how many of them no code stands for.
        low, high: the smallest and the largest.
        total, squares: sums of values and of their squares.
    """

    values: int = 0
    outside: int = 0
    low: float = inf
    high: float = -inf
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        """That of an array of float64."""
        outside = int(((values < LOWEST) | (values > HIGHEST)).sum())
        flat = values.ravel()
        return cls(flat.size, outside, float(flat.min()), float(flat.max()), float(flat.sum()), float(flat @ flat))

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.values + other.values,
            self.outside + other.outside,
            min(self.low, other.low),
            max(self.high, other.high),
            self.total + other.total,
            self.squares + other.squares,
        )

    @property
    def share_outside(self) -> float:
        """Of all values."""
        return self.outside / max(self.values, 1)

    @property
    def steps(self) -> float:
        """The values' standard deviation in steps of the code; infinite where nothing was coded."""
        if not self.values:
            return inf
        mean = self.total / self.values
        return sqrt(max(self.squares / self.values - mean**2, 0)) / SCALE

    @property
    def factor(self) -> float:
        """What makes the largest value 2."""
        return 2 / (max(abs(self.low), abs(self.high)) or 2.0)


class Format(NamedTuple):
    """What all videos of a data set are like.

    Attributes:
        level: of the shards.
        sizes: of each feature by name, the largest first: it is the primary one.
        scales: what values are multiplied by; 1 for features that are not named.
        limit: frames kept of a video; None: all.
    """

    level: Level
    sizes: dict[str, int]
    scales: Mapping[str, float]
    limit: int | None

    @classmethod
    def of(cls, id: str, features: Mapping[str, Feature], scales: Mapping[str, float], limit: int | None) -> Self:
        """The format of one video, by which the others are checked.

        Raises:
            InputError: where its values cannot be read, or are neither (frames, size) nor (size,).
        """
        arrays = {name: feature.read(id) for name, feature in features.items()}
        for name, values in arrays.items():
            if values.ndim not in (1, 2) or not values.size:
                where = features[name].where(id)
                raise InputError(f"{where}: expected an array (frames, size) or (size,), received {values.shape}")
        level = Level.FRAME if next(iter(arrays.values())).ndim == 2 else Level.VIDEO
        sizes = sorted(((name, values.shape[-1]) for name, values in arrays.items()), key=lambda of: (-of[1], of[0]))
        return cls(level, dict(sizes), scales, limit)

    def advice(self, name: str, tally: Tally) -> str:
        """The option by which a feature's largest value is just within what codes stand for, in two digits."""
        scale = tally.factor * self.scales.get(name, 1.0)
        digit = 10.0 ** (floor(log10(scale)) - 1)
        return f"--scale {name}={floor(scale / digit + 1e-9) * digit:.2g}"

    def coded(self, name: str, values: np.ndarray, where: str) -> tuple[np.ndarray, Tally]:
        """A video's values of a feature as its record holds them, (frames, size), one frame at the video level.

        Args:
            where: they come from, for messages.

        Raises:
            InputError: where their type or shape is another, or some are no numbers.
        """
        frame, size = self.level is Level.FRAME, self.sizes[name]
        if values.dtype not in NUMBERS:
            raise InputError(f"{where}: expected one of {', '.join(NUMBERS)}, received {values.dtype}")
        if values.ndim != 1 + frame or values.shape[-1] != size or not values.size:
            expected = f"(frames, {size})" if frame else f"({size},)"
            raise InputError(f"{where}: expected an array of shape {expected}, as others have, received {values.shape}")
        values, factor = values.reshape(-1, size)[: self.limit], self.scales.get(name, 1.0)
        if values.dtype == np.uint8:
            if factor != 1:
                raise InputError(
                    f"{where}: expected floats, which can be scaled, received uint8: codes, taken as they are"
                )
            return (values if frame else dequantize(values)), Tally()
        values = values.astype(np.float64) * factor
        with np.errstate(over="ignore"):
            single = values.astype(np.float32)
        if not (finite := np.isfinite(single)).all():
            raise InputError(f"{where}: expected finite numbers, received {np.sum(~finite)} others")
        return (quantize(values), Tally.of(values)) if frame else (single, Tally())
