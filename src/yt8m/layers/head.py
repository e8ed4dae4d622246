"""What families share around their own layers: pooling each feature by itself, and the classifier behind it."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers.experts import MixtureOfExperts
from yt8m.layers.frames import sampled_frames, split_features, video_inputs
from yt8m.layers.gating import ContextGate
from yt8m.layers.initializers import inverse_sqrt
from yt8m.layers.normalization import batch_norm
from yt8m.settings.arguments import Experts, Pooled

OUTPUT = "classifier"  # the layer whose kernel the label relations act on


def pooled_features(
    schema: Schema, level: Level, momentum: float, args: Pooled, pool: Callable[[str, str], keras.layers.Layer]
):
    """Sample and normalise frames, pool each feature by itself, and put the results side by side.

    Args:
        momentum: of the input batch norm (over the concatenated features, after sampling: [9]).
        pool: from a feature and a name for it to the layer that pools its (B, T, D) frames under a (B, T) mask into a
            vector.

    Returns:
        The model's inputs and the (B, …) pooled vector.
    """
    inputs = video_inputs(schema, level)
    x, mask = sampled_frames(inputs, schema, args.frames)
    x = drop_inputs(input_norm(momentum)(x), args.input_dropout)
    vectors = [
        pool(name, f"pool_{schema.layer(name)}")(feature, mask) for name, feature in split_features(x, schema).items()
    ]
    return inputs, ops.concatenate(vectors, axis=-1)


def input_norm(momentum: float) -> keras.layers.BatchNormalization:
    """Batch norm of a model's normalised input."""
    return batch_norm(momentum, "input_norm")


def drop_inputs(x, share: float):
    """In training, a share of a video's features is 0: in all its frames (B, T, width), or in their mean (B, width)."""
    if not share:
        return x
    alike = (None, 1, x.shape[-1]) if len(x.shape) == 3 else None
    return keras.layers.Dropout(share, noise_shape=alike, name="input_dropout")(x)


def hidden_layer(x, schema: Schema, args: Pooled):
    """A linear layer, W ~ N(0, 1/sqrt(K)) with K the primary feature's clusters, bias ~ N(0, 0.01) ([9])."""
    return keras.layers.Dense(
        args.hidden,
        kernel_initializer=inverse_sqrt(args.clusters[schema.primary]),
        bias_initializer=keras.initializers.RandomNormal(0, 0.01),
        name="hidden",
    )(x)


def hidden_layers(x, momentum: float, sizes: Sequence[int], dropout: float):
    """Dense, batch norm, ReLU and dropout for each of some sizes, on vectors or on each frame."""
    for index, units in enumerate(sizes):
        x = keras.layers.Dense(units, kernel_initializer="he_normal", name=f"hidden_{index}")(x)
        x = keras.layers.ReLU(name=f"relu_{index}")(batch_norm(momentum, f"norm_{index}")(x))
        x = keras.layers.Dropout(dropout, name=f"dropout_{index}")(x)
    return x


def experts(x, schema: Schema, args: Experts):
    """Class probabilities, (B, C)."""
    if args.dropout:
        x = keras.layers.Dropout(args.dropout, name="dropout")(x)
    return MixtureOfExperts(schema.classes, args.mixtures, args.l2, name=OUTPUT)(x)


def sigmoids(x, schema: Schema, l2: float):
    """Class probabilities by logistic regression, (B, C), float32 whatever the compute type."""
    penalty = keras.regularizers.L2(l2 / 2) if l2 else None
    logits = keras.layers.Dense(schema.classes, kernel_regularizer=penalty, name=OUTPUT)(x)
    return keras.layers.Activation("sigmoid", dtype="float32", name="probabilities")(logits)


def gated_pooling(
    schema: Schema, level: Level, momentum: float, args: Pooled, pooling: Callable[..., keras.layers.Layer]
) -> keras.Model:
    """What gated NetVLAD, NetRVLAD and NetFV are around the layer that pools.

    Pooled features, hidden layer, context gate, experts, probability gate (Table 1).

    Args:
        pooling: makes the layer of a feature from its clusters, the momentum and a name.
    """
    inputs, x = pooled_features(
        schema, level, momentum, args, lambda feature, name: pooling(args.clusters[feature], momentum, name=name)
    )
    x = ContextGate(momentum, name="context_gate")(hidden_layer(x, schema, args))
    return keras.Model(inputs, ContextGate(momentum, name="probability_gate")(experts(x, schema, args)))
