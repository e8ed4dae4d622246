"""The paper's way to learn weights: Adam on the mean squared error, from N(1/M, 0.05)."""

import numpy as np

from yt8m.ensembling.moments import Moments

STEPS, RATE = 1000, 0.01
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def minimize(moments: Moments, seed: int) -> np.ndarray:
    """Weights (models, classes) after full-batch Adam, each class a problem of its own.

    Each class's loss is divided by its largest curvature, so that one learning rate, falling to zero, fits all.
    """
    classes, models = moments.cross.shape
    scale = np.maximum(np.trace(moments.gram, axis1=1, axis2=2), 1e-12)[:, None]  # (C, 1)
    gram, cross = moments.gram / scale[..., None], moments.cross / scale
    weights = np.random.default_rng(seed).normal(1 / models, 0.05, (models, classes)).T  # (C, M)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        gradient = 2 * ((gram @ weights[..., None])[..., 0] - cross)
        first = BETA1 * first + (1 - BETA1) * gradient
        second = BETA2 * second + (1 - BETA2) * gradient**2
        rate = RATE * (1 - (step - 1) / STEPS)
        weights = weights - rate * (first / (1 - BETA1**step)) / (np.sqrt(second / (1 - BETA2**step)) + EPSILON)
    return weights.T
