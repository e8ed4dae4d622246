"""A TensorFlow SavedModel in the place of a Keras model."""

from pathlib import Path

import keras
import numpy as np


class SavedModel:
    """The signature `serving_default` of a SavedModel, which takes one tensor and whose first output counts.

    Args:
        folder: of the SavedModel.

    Raises:
        ValueError, OSError: where there is none, it takes several tensors, or Keras runs on something else.
    """

    def __init__(self, folder: Path):
        if keras.backend.backend() != "tensorflow":
            raise ValueError(f"expected KERAS_BACKEND tensorflow, which alone runs one, not {keras.backend.backend()}")
        import tensorflow as tf

        self._loaded = tf.saved_model.load(str(folder))  # the signature alone does not keep it alive
        if "serving_default" not in self._loaded.signatures:
            raise ValueError(f"expected a signature serving_default, received {list(self._loaded.signatures)}")
        self._serve = self._loaded.signatures["serving_default"]
        inputs = self._serve.structured_input_signature[1]
        if len(inputs) != 1:
            raise ValueError(f"received the inputs {sorted(inputs)}")
        ((self._name, spec),) = inputs.items()
        self._dtype = spec.dtype.as_numpy_dtype
        self.input_shape = tuple(spec.shape)

    def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
        """What it gives for floats (B, …)."""
        found: np.ndarray = next(iter(self._serve(**{self._name: x.astype(self._dtype)}).values())).numpy()
        return found
