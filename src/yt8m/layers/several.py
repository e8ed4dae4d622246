"""Several scores of a video, of networks or of their stages, as one model's."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class Several(keras.layers.Layer):
    """One of several scores of the same videos; in training all of them, each of which learns from the labels.

    Call arguments: M scores, (B, C) float32 each. Output shape: (B, C); in training (B, M, C), see
    `training.losses.cross_entropy`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs | {"dtype": "float32"})

    def call(self, scores: Sequence[Any], training: bool = False) -> Any:
        return ops.stack(list(scores), axis=1) if training else self.one(scores)

    def one(self, scores: Sequence[Any]) -> Any:
        """The scores of the whole, (B, C)."""
        raise NotImplementedError

    def compute_output_spec(self, scores: Sequence[Any], training: bool = False) -> keras.KerasTensor:
        return keras.KerasTensor(scores[0].shape, "float32")


@keras.saving.register_keras_serializable("yt8m")
class Average(Several):
    """The mean of several networks' scores, each of which learns as if it was alone.

    A loss of the mean would let the best of them do the work: it has one gradient for all.
    """

    def one(self, scores: Sequence[Any]) -> Any:
        return ops.mean(ops.stack(list(scores), axis=1), axis=1)


@keras.saving.register_keras_serializable("yt8m")
class Last(Several):
    """The scores of a chain's last stage."""

    def one(self, scores: Sequence[Any]) -> Any:
        return scores[-1]
