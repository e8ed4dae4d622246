"""The moving average of a model's weights, batch norm's statistics among them."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras import ops

NAME = "averages"
EARLY = 9  # steps: the average of the first ones is over a tenth of them, and grows to what `momentum` says


@keras.saving.register_keras_serializable("yt8m")
class Averages(keras.layers.Layer):
    """Passes scores on and, in training, draws an average of all weights to what they are: `a m + w (1 - m)`.

    It stands behind a model's output, so that every step updates it on the device, whatever the backend, and what batch
    norm has measured is averaged as what was learnt is: statistics of other weights would not go with the averaged
    ones. After t steps m is `t / (t + EARLY)`, or `momentum` where that is less: a short training's average does not
    hold where it began.

    Args:
        model: whose weights, as each step finds them.
        momentum: m behind the first steps, in [0, 1).

    Input and output shape: any, the same.
    """

    def __init__(self, model: keras.Model, momentum: float):
        super().__init__(name=NAME, dtype="float32")
        weights = model.weights
        self.weights_of_model = lambda: weights  # a list of variables would count as the layer's own
        self.momentum = momentum
        self.steps = self.add_weight((), "zeros", trainable=False, name="steps")
        self.values = [
            self.add_weight(weight.shape, "zeros", dtype=weight.dtype, trainable=False, name=f"average_{index}")
            for index, weight in enumerate(weights)
        ]
        self.built = True

    def call(self, scores, training=False):
        if training:
            momentum = ops.minimum(self.momentum, self.steps / (self.steps + EARLY))
            self.steps.assign(self.steps + 1)
            for average, weight in zip(self.values, self.weights_of_model(), strict=True):
                average.assign(average * momentum + ops.cast(weight, average.dtype) * (1 - momentum))
        return scores

    def compute_output_spec(self, scores, training=False):
        return keras.KerasTensor(scores.shape, scores.dtype)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the model its averaged weights for a while; it gets its own back however that ends."""
        weights = self.weights_of_model()
        own = [ops.convert_to_numpy(weight) for weight in weights]
        try:
            for weight, average in zip(weights, self.values, strict=True):
                weight.assign(average)
            yield
        finally:
            for weight, value in zip(weights, own, strict=True):
                weight.assign(value)


def averaging(model: keras.Model, momentum: float) -> keras.Model:
    """The model, sharing its layers, with a moving average of its weights; itself where momentum is 0."""
    return keras.Model(model.inputs, Averages(model, momentum)(model.output), name=model.name) if momentum else model


@contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Give a model the average of its weights for a while, if it has one."""
    for layer in model.layers:
        if isinstance(layer, Averages):
            with layer.in_place():
                yield
            return
    yield
