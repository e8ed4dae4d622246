"""The loss of every training."""

from keras import ops

EPSILON = 1e-5


def cross_entropy(targets, probabilities):
    """Cross-entropy, summed over classes and averaged over the batch, with `EPSILON` inside the logs ([9]).

    Args:
        targets: (B, C) in [0, 1]: labels, or a mixture of labels and a teacher's scores.
        probabilities: (B, C) in [0, 1].
    """
    targets = ops.cast(targets, probabilities.dtype)
    found = targets * ops.log(probabilities + EPSILON)
    rejected = (1 - targets) * ops.log(1 - probabilities + EPSILON)
    return -ops.mean(ops.sum(found + rejected, axis=-1))
