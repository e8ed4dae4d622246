"""NeXtVLAD: NetVLAD over groups of an expanded feature, with attention over the groups. Beyond the paper.

"[Lin]" is Lin, Xiao and Fan, "NeXtVLAD: An Efficient Neural Network to Aggregate Frame-level Features for
Large-scale Video Classification", ECCV 2018 workshops (arXiv 1811.05014).
"""

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers import head
from yt8m.layers.assignment import total, weighted_sums
from yt8m.layers.initializers import inverse_sqrt
from yt8m.layers.normalization import batch_norm, l2_normalize
from yt8m.models.nextvlad import Arguments


@keras.saving.register_keras_serializable("yt8m")
class NeXtVLAD(keras.layers.Layer):
    """Residuals of low-dimensional groups to centres that all groups share ([Lin], section 3.2).

    With y = x E + e, E of D x expansion D, cut into G groups y_g of size S; attention `s = sigmoid(y A + b)` over
    groups; assignment `a_g = softmax(BN(y W)_g)` over K clusters: `V_k = sum_t sum_g s_tg a_tgk (y_tg - c_k)`, L2 over
    S for each cluster, then batch norm of the whole vector.

    Args:
        clusters: K.
        momentum: of both batch norms.
        groups: G.
        expansion: of the feature.

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, K * S) with S = expansion D / G.
    """

    def __init__(self, clusters: int, momentum: float, groups: int, expansion: int, **kwargs):
        super().__init__(**kwargs)
        self.clusters, self.momentum, self.groups, self.expansion = clusters, momentum, groups, expansion
        self.assignment_norm = batch_norm(momentum, "assignment_norm")
        self.norm = batch_norm(momentum)

    def build(self, x_shape, mask_shape=None):
        size = x_shape[-1]
        wide = size * self.expansion
        self.group_size = wide // self.groups
        self.expand = self.add_weight((size, wide), inverse_sqrt(size), name="expand_kernel")
        self.expand_bias = self.add_weight((wide,), "zeros", name="expand_bias")
        self.attend = self.add_weight((wide, self.groups), inverse_sqrt(wide), name="attend_kernel")
        self.attend_bias = self.add_weight((self.groups,), "zeros", name="attend_bias")
        self.assign = self.add_weight((wide, self.groups * self.clusters), inverse_sqrt(wide), name="assign_kernel")
        self.centres = self.add_weight((self.clusters, self.group_size), inverse_sqrt(self.group_size), name="centres")
        self.assignment_norm.build((*x_shape[:-1], self.groups * self.clusters))
        self.norm.build((x_shape[0], self.clusters * self.group_size))

    def call(self, x, mask, training=False):
        frames = ops.shape(x)[1]
        y = ops.matmul(x, self.expand) + self.expand_bias  # (B, T, G * S)
        attention = ops.sigmoid(ops.matmul(y, self.attend) + self.attend_bias)
        attention = attention * ops.cast(mask, attention.dtype)[..., None]  # (B, T, G)
        logits = self.assignment_norm(ops.matmul(y, self.assign), training=training)
        a = ops.softmax(ops.reshape(logits, (-1, frames, self.groups, self.clusters)), axis=-1)
        a = a * ops.cast(attention, a.dtype)[..., None]
        a = ops.reshape(a, (-1, frames * self.groups, self.clusters))  # (B, T * G, K)
        y = ops.reshape(y, (-1, frames * self.groups, self.group_size))
        centres = ops.cast(self.centres, "float32")
        residuals = weighted_sums(ops.cast(a, y.dtype), y) - total(a)[..., None] * centres  # (B, K, S)
        size = self.clusters * self.group_size
        return self.norm(ops.reshape(l2_normalize(residuals), (-1, size)), training=training)

    def compute_output_shape(self, x_shape, mask_shape=None):
        return (x_shape[0], self.clusters * x_shape[-1] * self.expansion // self.groups)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("clusters", "momentum", "groups", "expansion")}
        return super().get_config() | own


@keras.saving.register_keras_serializable("yt8m")
class SqueezeGate(keras.layers.Layer):
    """`x * sigmoid(relu(BN(x W1)) W2)`: the SE context gate, W1 of H x H / reduction ([Lin], section 3.3).

    Args:
        momentum: of the batch norm.
        reduction: of the gate's inner size.

    Input shape: (B, H). Output shape: (B, H).
    """

    def __init__(self, momentum: float, reduction: int, **kwargs):
        super().__init__(**kwargs)
        self.momentum, self.reduction = momentum, reduction
        self.norm = batch_norm(momentum)

    def build(self, input_shape):
        size, inner = input_shape[-1], input_shape[-1] // self.reduction
        self.squeeze = self.add_weight((size, inner), inverse_sqrt(size), name="squeeze_kernel")
        self.excite = self.add_weight((inner, size), inverse_sqrt(inner), name="excite_kernel")
        self.norm.build((input_shape[0], inner))

    def call(self, x, training=False):
        inner = ops.relu(self.norm(ops.matmul(x, self.squeeze), training=training))
        return x * ops.sigmoid(ops.matmul(ops.cast(inner, x.dtype), self.excite))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum, "reduction": self.reduction}


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """NeXtVLAD ([Lin], fig. 4): dropout, hidden layer, batch norm, SE context gate, experts."""

    def pool(feature, name):
        return NeXtVLAD(args.clusters[feature], momentum, args.groups[feature], args.expansion, name=name)

    inputs, x = head.pooled_features(schema, level, momentum, args, pool)
    x = keras.layers.Dropout(args.pooled_dropout, name="pooled_dropout")(x)
    x = batch_norm(momentum, "hidden_norm")(head.hidden_layer(x, schema, args))
    x = SqueezeGate(momentum, args.reduction, name="squeeze_gate")(x)
    return keras.Model(inputs, head.experts(x, schema, args))
