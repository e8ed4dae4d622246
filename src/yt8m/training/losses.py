"""The loss of every training."""

from keras import ops

EPSILON = 1e-5


def cross_entropy(targets, probabilities):
    """Cross-entropy of each video, (B,), summed over classes, with `EPSILON` inside the logs ([9]).

    Keras averages it over the batch; given a mean, it would not divide it among the devices that share a batch.

    Args:
        targets: (B, C) in [0, 1]: labels, or a mixture of labels and a teacher's scores.
        probabilities: (B, C) in [0, 1]; or those of several networks, (B, M, C), of which each has a loss of its own:
            their mean is given.
    """
    if several := len(probabilities.shape) > len(targets.shape):
        targets = targets[:, None]
    targets = ops.cast(targets, probabilities.dtype)
    found = targets * ops.log(probabilities + EPSILON)
    rejected = (1 - targets) * ops.log(1 - probabilities + EPSILON)
    losses = -ops.sum(found + rejected, axis=-1)
    return ops.mean(losses, axis=1) if several else losses
