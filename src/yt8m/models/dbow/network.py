"""Soft-DBoW: a soft bag of words of each feature."""

import keras

from yt8m.core.schema import Level, Schema
from yt8m.layers import head
from yt8m.layers.assignment import SoftDBoW
from yt8m.models.dbow import Arguments


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Soft-DBoW (Table 1): no gate anywhere."""
    inputs, x = head.pooled_features(
        schema, level, momentum, args, lambda feature, name: SoftDBoW(args.clusters[feature], momentum, name=name)
    )
    return keras.Model(inputs, head.experts(head.hidden_layer(x, schema, args), schema, args))
