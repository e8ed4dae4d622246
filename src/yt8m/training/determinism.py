"""The same bits in every run."""

import keras


def make_deterministic() -> None:
    """Ask the backend for deterministic operations; XLA is off with it, as TensorFlow demands."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
