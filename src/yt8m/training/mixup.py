"""Mixup: videos mixed with others of their batch, and what their scores should be likewise (arXiv 1710.09412)."""

import numpy as np

from yt8m.core.schema import LENGTH
from yt8m.records.batches import Batch

WHOLE = 256  # of shares: bytes are mixed in 16 bits


def mixed(batch: Batch, targets: np.ndarray, alpha: float, random: np.random.Generator) -> tuple[Batch, np.ndarray]:
    """A batch in which each video is mixed with the next one, which has the smaller share.

    A video keeps its length: the other's frames are repeated, or cut, to it. Bytes stay bytes, since a mixture of codes
    is the code of the mixture.

    Args:
        batch: of B videos.
        targets: (B, C) float32.
        alpha: of the Beta distribution that shares are drawn from, above 0; small values mix little.
        random: what draws.

    Returns:
        Another batch, and the (B, C) float32 targets mixed as the videos are.
    """
    shares = random.beta(alpha, alpha, len(batch.ids))
    shares = np.rint(np.maximum(shares, 1 - shares) * WHOLE).astype(np.uint16)
    lengths, others = batch.inputs[LENGTH], np.roll(np.arange(len(batch.ids)), -1)
    features = {name: _mixed(x, lengths, others, shares) for name, x in batch.inputs.items() if name != LENGTH}
    own = (shares / WHOLE).astype(np.float32)[:, None]
    return batch._replace(inputs=features | {LENGTH: lengths}), own * targets + (1 - own) * targets[others]


def _mixed(x: np.ndarray, lengths: np.ndarray, others: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """One feature, (B, T, size), of which what lies behind a video's frames stays zero."""
    result = np.zeros_like(x)
    for row, (length, other, share) in enumerate(zip(lengths.tolist(), others.tolist(), shares, strict=True)):
        if lengths[other]:
            second = x[other, np.arange(length) % lengths[other]]
            result[row, :length] = _sum(x[row, :length], second, share)
        else:  # there is nothing to mix with
            result[row, :length] = x[row, :length]
    return result


def _sum(first: np.ndarray, second: np.ndarray, share: np.uint16) -> np.ndarray:
    """`share / WHOLE` of the first and the rest of the second, in their type."""
    if first.dtype == np.uint8:
        total = first.astype(np.uint16) * share + second.astype(np.uint16) * np.uint16(WHOLE - share) + WHOLE // 2
        return (total >> 8).astype(np.uint8)
    part = np.float32(share / WHOLE)
    return part * first + (1 - part) * second
