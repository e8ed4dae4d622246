"""One weight a model and class (section 3.3, scheme 3)."""

import numpy as np

from yt8m.ensembling import Holdout
from yt8m.ensembling._adam import minimize
from yt8m.ensembling._problems import per_class


def fit(holdout: Holdout, seed: int) -> np.ndarray:
    """Learnt weights of a model for each class, drawn to the common ones."""
    return minimize(per_class(holdout.moments), seed)
