"""A small transformer over frames, which are a set to it: no order is told. Beyond the paper.

"[Vaswani]" is Vaswani et al., "Attention Is All You Need", NeurIPS 2017 (arXiv 1706.03762), with the norms before each
part, as in Xiong et al. (arXiv 2002.04745).
"""

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import mean_over, sampled_frames, video_inputs
from yt8m.layers.head import drop_inputs, experts, input_norm
from yt8m.models.transformer import Arguments

EXPANSION = 4  # of the layers behind attention


def norm(name: str) -> keras.layers.LayerNormalization:
    """Layer norm, in float32 whatever the compute type."""
    return keras.layers.LayerNormalization(epsilon=1e-6, dtype="float32", name=name)


def encoded(x, mask, index: int, args: Arguments):
    """One layer's (B, T, width) from the last one's: attention among a video's frames, then two layers on each."""
    seen = norm(f"attention_norm_{index}")(x)
    # Without biases: those of keys are the same for all keys, and nothing is learnt of them.
    attend = keras.layers.MultiHeadAttention(
        args.heads, args.width // args.heads, use_bias=False, name=f"attention_{index}"
    )
    x = x + attend(seen, seen, attention_mask=ops.expand_dims(mask, 1))
    seen = norm(f"dense_norm_{index}")(x)
    wide = keras.layers.Dense(EXPANSION * args.width, activation="relu", name=f"expand_{index}")(seen)
    return x + keras.layers.Dense(args.width, name=f"reduce_{index}")(wide)


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Encoder layers ([Vaswani], section 3.1), the mean over a video's frames, experts."""
    inputs = video_inputs(schema, level)
    x, mask = sampled_frames(inputs, schema, args.frames)
    x = drop_inputs(input_norm(momentum)(x), args.input_dropout)
    x = keras.layers.Dense(args.width, name="project")(x)
    for index in range(args.layers):
        x = encoded(x, mask, index, args)
    return keras.Model(inputs, experts(mean_over(norm("norm")(x), mask), schema, args))
