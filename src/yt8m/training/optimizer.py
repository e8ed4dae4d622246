"""Adam as [9] uses it: each weight's gradient clipped by its norm."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("yt8m")
class ClippedAdam(keras.optimizers.Adam):
    """Adam that clips a gradient when it is whole.

    Keras's own `clipnorm` clips each device's part of it, so that two devices would not train as one does.

    Args:
        clip_norm: largest norm of each weight's gradient.
    """

    def __init__(self, *args, clip_norm: float = 1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.clip_norm = clip_norm

    def update_step(self, gradient, variable, learning_rate):
        norm = ops.sqrt(ops.sum(ops.square(gradient)))
        super().update_step(gradient * self.clip_norm / ops.maximum(norm, self.clip_norm), variable, learning_rate)

    def get_config(self):
        return super().get_config() | {"clip_norm": self.clip_norm}
