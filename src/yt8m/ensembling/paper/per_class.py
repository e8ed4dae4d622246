"""One weight a model and class, from the class's own scores alone (section 3.3, scheme 3)."""

import numpy as np

from yt8m.ensembling.fitting import Holdout
from yt8m.ensembling.paper._adam import minimize


def fit(holdout: Holdout, seed: int) -> np.ndarray:
    """Learnt weights of a model for each class."""
    return minimize(holdout.moments, seed)
