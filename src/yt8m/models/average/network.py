"""Several networks behind the same inputs, whose scores are averaged: an ensemble that is one model."""

from importlib import import_module

import keras

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import video_inputs
from yt8m.layers.head import OUTPUT
from yt8m.layers.several import Average
from yt8m.models.average import Arguments
from yt8m.settings import registry


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Each network as its family builds it, from other random values, then their mean."""
    inputs, scores = video_inputs(schema, level), []
    for index, member in enumerate(args.members):
        module = registry.families()[member.family]
        own = registry.check_arguments(member.family, schema, member.args)
        with keras.name_scope(f"member_{index}"):  # in the names of weights, which are stored by them
            network = import_module(f"{module}.network").build(schema, level, momentum, own)
        network.name = f"member_{index}"
        scores.append(network(inputs))
    return keras.Model(inputs, Average(name=OUTPUT)(scores))
