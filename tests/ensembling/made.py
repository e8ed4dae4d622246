"""Scores and labels of made-up ensembles."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from yt8m.ensembling import blocks, fitting
from yt8m.ensembling.blocks import Block
from yt8m.ensembling.fitting import Holdout
from yt8m.ensembling.moments import Moments, fold_moments
from yt8m.scoring import metrics, predictions
from yt8m.scoring.predictions import Predictions

CLASSES, VIDEOS = 6, 600
KNOWN = [  # of whom tests know more
    "equal",
    "per_model",
    "shrunk_per_class",
    "per_class",
    "exact_per_model",
    "exact_per_class",
    "gap",
    "selection",
]


def member(scores, hot, k=CLASSES) -> Predictions:
    """The predictions of a model with dense scores."""
    indices, values = metrics.top_k(np.asarray(scores, np.float32), k)
    ids = pa.array([f"video{index:04d}" for index in range(len(hot))], pa.string())
    return Predictions(ids, [np.flatnonzero(row) for row in hot], indices, values)


def calibrated(seed: int, videos: int = VIDEOS) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels that are true as often as the scores say."""
    random = np.random.default_rng(seed)
    scores = random.beta(0.5, 1.5, (videos, CLASSES))
    return scores, random.random(scores.shape) < scores


def correlated(seed: int, models: int = 4, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Dense scores (N, M, C) of models that agree in most, as an ensemble's members do, and labels."""
    scores, hot = calibrated(seed)
    random = np.random.default_rng(seed + 1000)
    spread = noise * random.normal(size=(VIDEOS, models, CLASSES)) * np.linspace(1, 2, models)[:, None]
    return np.clip(scores[:, None] * np.linspace(0.8, 1.1, models)[:, None] + spread, 0, 1).astype(np.float32), hot


def block_of(scores: np.ndarray, hot: np.ndarray, k: int = CLASSES) -> Block:
    return blocks.block_of([member(scores[:, index], hot, k) for index in range(scores.shape[1])], CLASSES)


def moments_of(scores: np.ndarray, hot: np.ndarray) -> Moments:
    (found,) = fold_moments(block_of(scores, hot), np.zeros(len(hot), int), 1, CLASSES)
    return found


def holdout_of(scores: np.ndarray, hot: np.ndarray) -> Holdout:
    return Holdout(moments_of(scores, hot), block_of(scores, hot))


def fit(scheme: str, scores: np.ndarray, hot: np.ndarray, seed: int = 0) -> np.ndarray:
    return fitting.fit(scheme, holdout_of(scores, hot), seed)


def store(folder: Path, scores: np.ndarray, hot: np.ndarray) -> dict[str, Path]:
    """Write each model's predictions."""
    paths = {f"model_{index}": folder / f"{index}.parquet" for index in range(scores.shape[1])}
    for index, path in enumerate(paths.values()):
        with predictions.writer(path, CLASSES, CLASSES) as out:
            out.append(member(scores[:, index], hot))
    return paths


def dense_loss(scores: np.ndarray, hot: np.ndarray, weights: np.ndarray) -> float:
    return np.mean(((scores * weights).sum(1) - hot) ** 2)


def total_of(scores: np.ndarray, weights: np.ndarray, power: float = 1) -> np.ndarray:
    """The ensemble's scores (N, C) of dense ones (N, M, C), the obvious way."""
    total = (scores.astype(float) ** power * weights).sum(1)
    return np.where(total < 0, -1, 1) * abs(total) ** (1 / power)


def gap_of(scores: np.ndarray, hot: np.ndarray, weights: np.ndarray, power: float = 1) -> float:
    """GAP of dense scores (N, M, C), the obvious way."""
    total = total_of(scores, weights, power)
    return metrics.gap(*metrics.top_k(total.astype(np.float32), 20), [np.flatnonzero(row) for row in hot])


def check_moments(moments: Moments, scores: np.ndarray, hot: np.ndarray) -> None:
    """Against dense scores (N, M, C) and labels."""
    assert moments.videos == len(hot)
    np.testing.assert_array_equal(moments.positives, hot.sum(0))
    for index in range(CLASSES):
        s = scores[:, :, index].astype(float)
        np.testing.assert_allclose(moments.gram[index], s.T @ s, rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(moments.cross[index], s.T @ hot[:, index], rtol=1e-5, atol=1e-8)
