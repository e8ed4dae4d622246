"""One weight a model and class from the class's own scores alone (section 3.3, scheme 3, as published)."""

import numpy as np

from yt8m.ensembling.fitting import Holdout
from yt8m.ensembling.paper._adam import minimize


def fit(holdout: Holdout, seed: int) -> np.ndarray:
    """Learnt weights of a model for each class; `per_class` draws them to the common ones."""
    return minimize(holdout.moments, seed)
