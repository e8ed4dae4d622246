"""One weight a model and class, none negative: the exact solution of what `shrunk_per_class` leaves to Adam."""

import numpy as np

from yt8m.ensembling.beyond._exact import solve
from yt8m.ensembling.fitting import Holdout
from yt8m.ensembling.problems import per_class


def fit(holdout: Holdout, seed: int) -> np.ndarray:
    """Weights of a model for each class, drawn to the common ones."""
    return solve(per_class(holdout.moments))
