"""What layers compute, for one video at a time, in float64 and explicit loops: written from the equations.

A function takes the frames a video really has, (n, D), so that no mask is needed, and the layer whose weights to use.
"""

import numpy as np

POSITIVE = ("moving_variance", "gamma", "scales")


def randomize(layer, seed=0):
    """Give every weight another value, batch norms' moving statistics too; return the layer."""
    random = np.random.default_rng(seed)
    for weight in layer.weights:
        if weight.name in POSITIVE:
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        else:
            weight.assign(random.normal(0, 0.5, weight.shape))
    return layer


def of(weight):
    """A weight's value in float64."""
    return np.asarray(weight, np.float64)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


def unit(x):
    """A vector divided by its length; zero stays zero."""
    length = np.sqrt((x**2).sum())
    return x / length if length else x


def batch_norm(x, layer):
    scaled = (x - of(layer.moving_mean)) / np.sqrt(of(layer.moving_variance) + 1e-3)
    return scaled * of(layer.gamma) + of(layer.beta)


def assignment(frames, layer):
    return softmax(batch_norm(frames @ of(layer.kernel), layer.norm))


def dbow(frames, layer):
    return unit(assignment(frames, layer.assignment).sum(0))


def gated_dbow(frames, layer):
    a = assignment(frames, layer.assignment)
    gate = batch_norm(unit(a.max(0)) @ of(layer.reduce) @ of(layer.expand), layer.norm)
    return unit(sigmoid(gate) * a.sum(0))


def vlad(frames, layer):
    """`layer` is a NetVLAD, or a NetRVLAD, which has no centres."""
    a = assignment(frames, layer.assignment)
    centres = of(layer.centres) if hasattr(layer, "centres") else np.zeros((a.shape[1], frames.shape[1]))
    clusters = []
    for k in range(a.shape[1]):
        clusters.append(unit(sum(a[t, k] * (frames[t] - centres[k]) for t in range(len(frames)))))
    return unit(np.concatenate(clusters))


def fisher(frames, layer):
    """FV2 as the second moment of the standardised residual, `sum a ((x - c)^2 / sigma^2 - 1)`."""
    a = assignment(frames, layer.assignment)
    centres, sigmas = of(layer.centres), of(layer.scales) ** 2 + 1e-6
    first, second = [], []
    for k in range(a.shape[1]):
        z = (frames - centres[k]) / sigmas[k]
        first.append(unit(sum(a[t, k] * z[t] for t in range(len(frames)))))
        second.append(sum(a[t, k] * (z[t] ** 2 - 1) for t in range(len(frames))))
    return np.concatenate([unit(np.concatenate(first)), unit(np.concatenate(second))])


def context_gate(x, layer):
    return x * sigmoid(batch_norm(x @ of(layer.kernel), layer.norm))


def experts(x, layer):
    """For one vector: each class's gates and experts lie side by side in the kernels' columns."""
    gates, kernel, bias = of(layer.gate_kernel), of(layer.expert_kernel), of(layer.expert_bias)
    m, result = layer.mixtures, np.zeros(layer.classes)
    for c in range(layer.classes):
        share = softmax(x @ gates[:, c * (m + 1) : (c + 1) * (m + 1)])
        for i in range(m):
            result[c] += share[i] * sigmoid(x @ kernel[:, c * m + i] + bias[c * m + i])
    return result


def nextvlad(frames, layer):
    """Group by group and frame by frame; the vector is batch-normalised, not brought to length 1."""
    groups, k, size = layer.groups, layer.clusters, layer.group_size
    y = frames @ of(layer.expand) + of(layer.expand_bias)
    attention = sigmoid(y @ of(layer.attend) + of(layer.attend_bias))
    logits = batch_norm(y @ of(layer.assign), layer.assignment_norm)
    sums, centres = np.zeros((k, size)), of(layer.centres)
    for t in range(len(frames)):
        for g in range(groups):
            a = softmax(logits[t, g * k : (g + 1) * k])
            for c in range(k):
                sums[c] += attention[t, g] * a[c] * (y[t, g * size : (g + 1) * size] - centres[c])
    return batch_norm(np.concatenate([unit(row) for row in sums]), layer.norm)


def squeeze_gate(x, layer):
    inner = np.maximum(batch_norm(x @ of(layer.squeeze), layer.norm), 0)
    return x * sigmoid(inner @ of(layer.excite))
