"""PCA with whitening, fitted on frames of the training videos (YouTube-8M: section 3.2 of Abu-El-Haija et al. 2016)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from yt8m.core.errors import InputError
from yt8m.core.quantization import OFFSET

SMALLEST = 1e-6  # a direction's variance, of the largest one's: below are a network's rounding errors
FRAMES = 4  # for each direction at least, or it is as much chance as structure
KEPT = 0.9995  # of values that the 8-bit code's range takes in
MEASURED = 100_000  # frames by which values are measured
BINS, WIDEST = 1 << 12, 32.0  # of a histogram of whitened values


@dataclass(frozen=True)
class Whitening:
    """A linear map: `(x - mean) @ matrix`.

    Attributes:
        mean: (in,) float32.
        matrix: (in, out) float32; behind it values of all directions vary alike, and nearly all are from -2 to 2.
        share: of the frames' variance that the directions have.
    """

    mean: np.ndarray
    matrix: np.ndarray
    share: float

    @classmethod
    def fit(cls, videos: Iterable[np.ndarray], size: int) -> Self:
        """That of the directions of the largest variance.

        Args:
            videos: the frames of each, (T, in) float32; looked at twice, so not an iterator.
            size: the most directions; fewer where there are fewer frames, or the others hold next to nothing.

        Raises:
            InputError: where the frames are all the same.
        """
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        for frames in videos:
            exact = frames.astype(np.float64)
            count, total, squares = count + len(exact), total + exact.sum(0), squares + exact.T @ exact
        mean = total / count
        variances, directions = np.linalg.eigh(squares / count - np.outer(mean, mean))
        variances, directions = variances[::-1], directions[:, ::-1]
        kept = min(size, max(1, count // FRAMES), int((variances > SMALLEST * variances[0]).sum()))
        if not kept or variances[0] <= SMALLEST**2 * float(mean @ mean):
            raise InputError(f"expected frames that differ, received {count} that a network does not tell apart")
        largest = np.abs(directions).argmax(axis=0)
        signs = np.sign(directions[largest, np.arange(len(largest))])  # or they are the library's whim
        matrix = (directions * signs)[:, :kept] / np.sqrt(variances[:kept])
        share = float(variances[:kept].sum() / variances.clip(0).sum())
        found = cls(mean.astype(np.float32), matrix.astype(np.float32), share)
        return cls(found.mean, (matrix * found._factor(videos)).astype(np.float32), share)

    def _factor(self, videos: Iterable[np.ndarray]) -> float:
        """What brings nearly all values within the code's range."""
        counts, measured = np.zeros(BINS, np.int64), 0
        for frames in videos:
            places = np.abs(self(frames)) * (BINS / WIDEST)
            counts += np.bincount(np.minimum(places.astype(np.int64), BINS - 1).ravel(), minlength=BINS)
            if (measured := measured + len(frames)) >= MEASURED:
                break
        reached = int(np.searchsorted(np.cumsum(counts), KEPT * counts.sum())) + 1
        return -OFFSET / (reached * WIDEST / BINS)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Frames, (T, in) float32, as (T, out) float32."""
        return (frames - self.mean) @ self.matrix

    def save(self, path: Path) -> None:
        """Write it, the same bytes each time."""
        save_file({"mean": self.mean, "matrix": self.matrix, "share": np.array(self.share)}, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read it.

        Raises:
            InputError: where the file is missing or damaged.
        """
        try:
            arrays = load_file(path)
            return cls(arrays["mean"], arrays["matrix"], float(arrays["share"]))
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(f"{path}: expected the PCA of an extractor: {error}") from None
