"""Soft-DBoW: a soft bag of words of each feature."""

import keras
from pydantic import NonNegativeFloat, PositiveInt

from yt8m.layers import head
from yt8m.layers.assignment import SoftDBoW
from yt8m.schema import Level, Schema


def build(
    schema: Schema,
    level: Level,
    *,
    momentum: float,
    frames: PositiveInt,
    clusters: dict[str, PositiveInt],
    hidden: PositiveInt,
    mixtures: PositiveInt,
    l2: NonNegativeFloat,
) -> keras.Model:
    """Soft-DBoW (Table 1): no gate anywhere."""
    inputs, x = head.pooled_features(
        schema, level, frames, momentum, lambda name: SoftDBoW(clusters[name], momentum, name=f"dbow_{name}")
    )
    x = head.hidden_layer(x, hidden, clusters[schema.primary])
    return keras.Model(inputs, head.experts(x, schema.classes, mixtures, l2))
