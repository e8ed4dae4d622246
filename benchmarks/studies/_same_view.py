"""A teacher that looks at what the student is given, in each step anew."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from yt8m.commands._subject import read
from yt8m.records.batches import Batch
from yt8m.training.losses import EPSILON
from yt8m.training.training import Objective


@dataclass(frozen=True)
class SameView(Objective):
    """Eq. 7 with the teacher's scores of what the student is given: the same frames, mixed as they are.

    Cross-entropy is linear in its targets: with those of `targets` and what `Pull` adds it is that of
    `share t + (1 - share) y`.

    Attributes:
        share: eq. 7's lambda.
        ensemble: the teacher's folder.
    """

    share: float
    ensemble: Path

    def targets(self, batch: Batch) -> np.ndarray:
        """The labels' part."""
        return (1 - self.share) * batch.labels

    def trained(self, model: keras.Model) -> keras.Model:
        """The student beside the teacher, which looks at the same inputs and learns nothing."""
        teacher, inputs = read(self.ensemble).model, {each.name: each for each in model.inputs}
        return keras.Model(model.inputs, Pull(self.share, teacher)(model.output, inputs), name=model.name)


class Pull(keras.layers.Layer):
    """Passes a student's scores on and, in training, adds the teacher's part of their cross-entropy to the loss.

    Args:
        share: eq. 7's lambda.
        teacher: gives the scores of inputs as it does for predictions: all frames, nothing dropped.

    Call arguments: the student's scores, (B, C), and the inputs. Output shape: (B, C).
    """

    def __init__(self, share: float, teacher: keras.Model):
        super().__init__(dtype="float32")
        self.share = share
        self.teacher = lambda: teacher  # its weights are not this layer's: nothing saves or trains them

    def call(self, scores: Any, inputs: Any, training: bool = False) -> Any:
        if training:
            wanted = ops.clip(self.teacher()(inputs, training=False), 0.0, 1.0)  # -inf where no member keeps a class
            odds = ops.log(scores + EPSILON) - ops.log(1 - scores + EPSILON)
            self.add_loss(-self.share * ops.mean(ops.sum(ops.stop_gradient(wanted) * odds, axis=-1)))
        return scores

    def compute_output_spec(self, scores: Any, inputs: Any, training: bool = False) -> keras.KerasTensor:
        return keras.KerasTensor(scores.shape, scores.dtype)
