"""The initial values of [9]; seeds come from `keras.utils.set_random_seed`, which `models.build` calls."""

import keras


def inverse_sqrt(size: int, mean: float = 0.0) -> keras.initializers.Initializer:
    """N(mean, 1/sqrt(size))."""
    return keras.initializers.RandomNormal(mean, size**-0.5)
