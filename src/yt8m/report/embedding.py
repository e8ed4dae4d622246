"""Where Fig. 1 shows videos."""

import numpy as np
from sklearn.manifold import TSNE


def embed(x: np.ndarray) -> np.ndarray:
    """t-SNE to two dimensions, (n, 2); exact, so that the same points come out in every run."""
    return TSNE(perplexity=min(30.0, (len(x) - 1) / 3), init="pca", method="exact", random_state=0).fit_transform(x)
