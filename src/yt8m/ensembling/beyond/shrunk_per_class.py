"""One weight a model and class, drawn to the common ones: the paper's scheme 3 where the holdout is small."""

import numpy as np

from yt8m.ensembling.fitting import Holdout
from yt8m.ensembling.paper._adam import minimize
from yt8m.ensembling.problems import per_class


def fit(holdout: Holdout, seed: int) -> np.ndarray:
    """Learnt weights of a model for each class."""
    return minimize(per_class(holdout.moments), seed)
