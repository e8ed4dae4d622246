"""A chain of mixtures of experts: each sees the video, and what those before it have found. Beyond the paper.

"[Wang]" is Wang et al., "The Monkeytyping Solution to the YouTube-8M Video Understanding Challenge" (arXiv 1706.05150).
"""

from typing import Any

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers.experts import MixtureOfExperts
from yt8m.layers.frames import mean_frame, video_inputs
from yt8m.layers.head import OUTPUT, drop_inputs, input_norm
from yt8m.layers.normalization import batch_norm
from yt8m.layers.several import Last
from yt8m.models.chain import Arguments


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Mixtures of experts on the mean of a video's frames, beside it a hidden layer on each earlier one's scores."""
    inputs = video_inputs(schema, level)
    seen = [drop_inputs(input_norm(momentum)(mean_frame(inputs, schema, level)), args.input_dropout)]
    scores: list[Any] = []
    for stage in range(args.stages):
        if scores:
            found = keras.layers.Dense(args.hidden, name=f"found_{stage}")(scores[-1])
            seen.append(keras.layers.ReLU(name=f"relu_{stage}")(batch_norm(momentum, f"norm_{stage}")(found)))
        x = ops.concatenate(seen, axis=-1)
        if args.dropout:
            x = keras.layers.Dropout(args.dropout, name=f"dropout_{stage}")(x)
        name = OUTPUT if stage == args.stages - 1 else f"experts_{stage}"
        scores.append(MixtureOfExperts(schema.classes, args.mixtures, args.l2, name=name)(x))
    return keras.Model(inputs, Last(name="last")(scores))  # [Wang], section 4.2
