"""An ensemble as one model: its members side by side behind the same inputs, and a layer that combines their scores.

It gives what `fitting.combined` makes of stored predictions, for exports.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import video_inputs


class Combine(keras.layers.Layer):
    """`sum_m w_mc s_mc^p`, raised to 1/p with its sign kept, where s_mc is 0 outside the member's `top_k` highest.

    Sums are for ranking, as `blocks.combine`'s are. A class that no member keeps is -inf: it never counts as one of
    the highest, though learnt weights below 0 rank others below 0.

    Args:
        weights: (M, C).
        power: p.
        top_k: classes kept of each member's scores, ties by class number; from 1 to C.

    Call arguments: M scores, (B, C) float32 each. Output shape: (B, C), float32.
    """

    def __init__(self, weights: np.ndarray, power: float, top_k: int, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self._combining, self.power, self.top_k = np.asarray(weights, np.float32), power, top_k

    def call(self, members: Sequence[Any]) -> Any:
        scores = ops.stack(list(members), axis=1)
        kept = self._kept(scores)
        total = ops.sum(ops.power(scores, self.power) * kept * self._combining, axis=1)
        total = ops.sign(total) * ops.power(ops.abs(total), 1 / self.power)
        return ops.where(ops.any(kept > 0, axis=1), total, -np.inf)

    def _kept(self, scores: Any) -> Any:
        """1 where a class is one of its member's highest and 0 elsewhere, (B, M, C)."""
        members, classes = self._combining.shape
        rows = ops.reshape(scores, (-1, classes))
        _, columns = ops.top_k(rows, self.top_k)
        row = ops.broadcast_to(ops.arange(ops.shape(rows)[0], dtype="int32")[:, None], ops.shape(columns))
        places = ops.reshape(ops.stack([row, ops.cast(columns, "int32")], axis=-1), (-1, 2))
        kept = ops.scatter(places, ops.ones_like(places[:, 0], "float32"), ops.shape(rows))
        return ops.reshape(kept, (-1, members, classes))

    def compute_output_spec(self, members: Sequence[Any]) -> keras.KerasTensor:
        return keras.KerasTensor(members[0].shape, "float32")


def build(
    members: Sequence[keras.Model], schema: Schema, level: Level, weights: np.ndarray, power: float, top_k: int
) -> keras.Model:
    """One model of members that take videos of this schema and level; see `Combine`.

    The members are given other names, which a model's parts must not share.

    Args:
        weights: (M, C).
        power: see `fitting.power`.
        top_k: classes kept of each member's scores, at most C.

    Returns:
        A model from `records.dataset.Batch.inputs` to (B, C) sums, -inf where no member keeps a class.
    """
    inputs = video_inputs(schema, level)
    for index, member in enumerate(members):
        member.name = f"member_{index}"
    scores = [member(inputs) for member in members]
    return keras.Model(inputs, Combine(weights, power, top_k, name="combine")(scores), name="ensemble")
