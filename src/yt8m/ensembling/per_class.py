"""One weight a model and class (section 3.3, scheme 3)."""

import numpy as np

from yt8m.ensembling import Moments, per_model
from yt8m.ensembling._adam import minimize


def fit(moments: Moments, seed: int) -> np.ndarray:
    """Learnt weights of a model for each class; classes that no label shows take the models' common weights."""
    return np.where(moments.positives > 0, minimize(moments, seed), per_model.fit(moments, seed))
