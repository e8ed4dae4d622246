"""Several networks' scores as one model's."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("yt8m")
class Average(keras.layers.Layer):
    """The mean of several networks' scores; in training all of them, so that each learns as if it was alone.

    A loss of the mean would let the best of them do the work: it has one gradient for all.

    Call arguments: M scores, (B, C) float32 each. Output shape: (B, C); in training (B, M, C), see
    `training.losses.cross_entropy`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs | {"dtype": "float32"})

    def call(self, members: Sequence[Any], training: bool = False) -> Any:
        scores = ops.stack(list(members), axis=1)
        return scores if training else ops.mean(scores, axis=1)

    def compute_output_spec(self, members: Sequence[Any], training: bool = False) -> keras.KerasTensor:
        return keras.KerasTensor(members[0].shape, "float32")
