"""Label relations (section 3.2, eq. 5): a regulariser of the output layer that learns how classes go together.

Eq. 5 adds `lambda1/2 sum_{l<L} |W_l|^2 + lambda2 tr(W Omega^-1 W^T)` to the loss, W (features x classes) being
the output layer's weights; Omega (eq. 6, `omega.py`) is set anew every so many steps.

Which kernel is W. A layer of sigmoids has one. A mixture of experts has a kernel of experts, which say what a class
looks like, and one of gates, which say which expert to ask. The experts' is W, each expert of a class giving it
further features: (D, C * M) becomes (D * M, C). The gates keep their own penalty.

The inverse. Omega has at most D * M eigenvalues above zero, and its trace is 1. Instead of Omega^-1 stands
`(Omega + damping/C I)^-1`, which is bounded by C/damping.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from yt8m.core.errors import InputError
from yt8m.layers.experts import MixtureOfExperts
from yt8m.layers.head import OUTPUT
from yt8m.layers.several import Average
from yt8m.relations import omega
from yt8m.relations.omega import Omega
from yt8m.training.training import Objective

OMEGA = "omega.npz"


def output_kernel(model: keras.Model) -> tuple[keras.Variable, int]:
    """The kernel of a model's output layer that says what classes look like, (D, C * M), and C.

    Raises:
        InputError: where it has none.
    """
    layer = model.get_layer(OUTPUT)
    if isinstance(layer, Average):
        raise InputError(
            f"{model.name}: label relations need one output layer with weights, received several networks'"
        )
    return (layer.expert_kernel, layer.classes) if isinstance(layer, MixtureOfExperts) else (layer.kernel, layer.units)


def class_weights(kernel, classes: int):
    """W (D * M, C) of a kernel (D, C * M), in numpy or `keras.ops`; sigmoids have M = 1."""
    mixtures = kernel.shape[-1] // classes
    by_expert = ops.reshape(kernel, (-1, classes, mixtures))
    return ops.reshape(ops.transpose(by_expert, (0, 2, 1)), (-1, classes))


@keras.saving.register_keras_serializable("yt8m")
class RelatedModel(keras.Model):
    """A functional model whose loss has eq. 5's two penalties, as have all models that share its layers.

    Args:
        lambda1: weighs the squares of all kernels below the output layer.
        lambda2: weighs `tr(W (Omega + damping/C I)^-1 W^T)`.
        damping: bounds the inverse.
    """

    def __init__(self, inputs, outputs, *, lambda1: float, lambda2: float, damping: float, **kwargs):
        super().__init__(inputs, outputs, **kwargs)
        self.lambda2 = lambda2
        self.kernel, self.classes = output_kernel(self)
        self.before = ops.convert_to_numpy(self.kernel)
        self.ridge = damping / self.classes
        self.below = [
            weight
            for layer in self.layers[: self.layers.index(self.get_layer(OUTPUT))]
            for weight in layer.trainable_weights
            if weight.name.endswith("kernel")
        ]
        rank = min(self.classes, self.kernel.shape[0] * self.kernel.shape[1] // self.classes)
        self.vectors = self.add_weight((self.classes, rank), "zeros", trainable=False, name="omega_vectors")
        self.pull = self.add_weight((rank,), "zeros", trainable=False, name="omega_pull")
        for weight in self.below:
            add_penalty(weight, keras.regularizers.L2(lambda1 / 2))
        add_penalty(self.kernel, self.related)

    def update_relations(self) -> Omega:
        """Set Omega from the present weights (eq. 6)."""
        found = omega.relation(ops.convert_to_numpy(class_weights(self.kernel, self.classes)))
        missing = self.vectors.shape[1] - len(found.values)
        self.vectors.assign(np.pad(found.vectors, [(0, 0), (0, missing)]))
        self.pull.assign(np.pad(1 / (found.values + self.ridge) - 1 / self.ridge, (0, missing)))
        return found

    def related(self, kernel):
        """`lambda2 tr(W (Omega + damping/C I)^-1 W^T)` of W as `class_weights` makes it of the kernel."""
        w = class_weights(kernel, self.classes)
        along = ops.sum(ops.square(ops.matmul(w, self.vectors)), axis=0)
        return self.lambda2 * (ops.sum(along * self.pull) + ops.sum(ops.square(w)) / self.ridge)


def add_penalty(weight: keras.Variable, penalty: Callable) -> None:
    """Regularise a weight by one thing more: Keras adds it to the loss, and divides it among replicas."""
    own = weight.regularizer
    weight.regularizer = penalty if own is None else lambda value: own(value) + penalty(value)


class Alternate(keras.callbacks.Callback):
    """Sets Omega before the first step and after every `period` steps."""

    def __init__(self, period: int):
        super().__init__()
        self.period, self.steps = period, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.steps = epoch * self.params["steps"]  # a training that goes on begins with a later epoch
        if not self.steps:
            self.model.update_relations()

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps % self.period == 0:
            if keras.backend.backend() == "jax":
                self.model.jax_state_sync()  # or the weights are those of the epoch's start
            self.model.update_relations()


@dataclass(frozen=True)
class Relations(Objective):
    """Cross-entropy and eq. 5's penalties.

    Attributes:
        lambda1, lambda2, damping: see `RelatedModel`.
        period: steps after which Omega is set anew.
    """

    lambda1: float
    lambda2: float
    damping: float
    period: int

    def trained(self, model: keras.Model) -> RelatedModel:
        """The model with the penalties."""
        return RelatedModel(
            model.inputs,
            model.outputs,
            lambda1=self.lambda1,
            lambda2=self.lambda2,
            damping=self.damping,
            name=model.name,
        )

    def callbacks(self) -> Sequence[keras.callbacks.Callback]:
        """What sets Omega."""
        return (Alternate(self.period),)

    def figures(self, model: RelatedModel, loss: float) -> dict[str, float]:
        """The share of the loss that is Omega's penalty, and how far W has moved as a share of where it began."""
        kernel = ops.convert_to_numpy(model.kernel)
        return {
            "relations_share": float(model.related(kernel)) / loss,
            "output_moved": float(np.linalg.norm(kernel - model.before) / np.linalg.norm(model.before)),
        }

    def save(self, model: RelatedModel, folder: Path) -> None:
        """Write the Omega of the weights that were kept."""
        omega.save(model.update_relations(), folder / OMEGA)
