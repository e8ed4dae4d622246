"""What families share around their own layers: pooling each feature by itself, and the classifier behind it."""

from collections.abc import Callable

import keras
from keras import ops

from yt8m.layers.experts import MixtureOfExperts
from yt8m.layers.frames import sampled_frames, split_features, video_inputs
from yt8m.layers.gating import ContextGate
from yt8m.layers.initializers import inverse_sqrt
from yt8m.schema import Level, Schema

OUTPUT = "experts"  # the layer whose kernels the label relations act on


def pooled_features(schema: Schema, level: Level, frames: int, momentum: float, pool: Callable):
    """Sample and normalise frames, pool each feature by itself, and put the results side by side.

    Args:
        frames: number of frames sampled in training.
        momentum: of the input batch norm (over the concatenated features, after sampling: [9]).
        pool: from a feature's name to what pools its (B, T, D) frames under a (B, T) mask into a vector.

    Returns:
        The model's inputs and the (B, …) pooled vector.
    """
    inputs = video_inputs(schema, level)
    x, mask = sampled_frames(inputs, schema, frames)
    x = keras.layers.BatchNormalization(momentum=momentum, epsilon=1e-3, name="input_norm")(x)
    vectors = [pool(name)(feature, mask) for name, feature in split_features(x, schema).items()]
    return inputs, ops.concatenate(vectors, axis=-1)


def hidden_layer(x, units: int, clusters: int):
    """A linear layer, W ~ N(0, 1/sqrt(K)) with K the primary feature's clusters, bias ~ N(0, 0.01) ([9])."""
    return keras.layers.Dense(
        units,
        kernel_initializer=inverse_sqrt(clusters),
        bias_initializer=keras.initializers.RandomNormal(0, 0.01),
        name="hidden",
    )(x)


def context_gate(x, momentum: float):
    """Context gating of a hidden layer (eq. 1)."""
    return ContextGate(momentum, name="context_gate")(x)


def experts(x, classes: int, mixtures: int, l2: float):
    """Class probabilities, (B, C)."""
    return MixtureOfExperts(classes, mixtures, l2, name=OUTPUT)(x)


def probability_gate(p, momentum: float):
    """Context gating of class probabilities, W of C x C."""
    return ContextGate(momentum, name="probability_gate")(p)


def gated_classifier(x, schema: Schema, momentum: float, hidden: int, clusters: int, mixtures: int, l2: float):
    """Hidden layer, context gate, experts, probability gate: what gated NetVLAD, NetRVLAD and NetFV end in."""
    x = context_gate(hidden_layer(x, hidden, clusters), momentum)
    return probability_gate(experts(x, schema.classes, mixtures, l2), momentum)
