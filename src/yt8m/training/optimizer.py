"""Adam as [9] uses it: each weight's gradient clipped by its norm; with weights that decay where it is asked for."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("yt8m")
class ClippedAdam(keras.optimizers.Adam):
    """Adam that clips a gradient when it is whole.

    Keras's own `clipnorm` clips each device's part of it, so that two devices would not train as one does.

    Args:
        clip_norm: largest norm of each weight's gradient.
        weight_decay: factor of the decoupled decay, `w -= rate * weight_decay * w`, of kernels (AdamW, arXiv
            1711.05101); 0: none.
    """

    def __init__(self, *args, clip_norm: float = 1.0, weight_decay: float = 0.0, **kwargs):
        super().__init__(*args, weight_decay=weight_decay or None, **kwargs)
        self.clip_norm = clip_norm

    def build(self, variables):
        others = [variable for variable in variables if not variable.name.endswith("kernel")]
        self.exclude_from_weight_decay(var_list=others)  # centres, scales and biases are not to be 0
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate):
        norm = ops.sqrt(ops.sum(ops.square(gradient)))
        super().update_step(gradient * self.clip_norm / ops.maximum(norm, self.clip_norm), variable, learning_rate)

    def get_config(self):
        return super().get_config() | {"clip_norm": self.clip_norm, "weight_decay": self.weight_decay or 0.0}
