"""The published 8-bit code of frame features (numpy side; `layers.frames.Dequantize` is the device side)."""

import numpy as np

SCALE = 4.0 / 255.0
OFFSET = 4.0 / 512.0 - 2.0


def dequantize(codes: np.ndarray) -> np.ndarray:
    """Bytes to float32 in [-1.992, 2.008]: `x * 4/255 + 4/512 - 2`, as the challenge's readers do."""
    return codes.astype(np.float32) * np.float32(SCALE) + np.float32(OFFSET)


def quantize(values: np.ndarray) -> np.ndarray:
    """The nearest byte of each value; values outside the code's range are clipped."""
    return np.clip(np.rint((values - OFFSET) / SCALE), 0, 255).astype(np.uint8)


def beyond(values: np.ndarray) -> int:
    """How many values lie outside the code's range, half a step past its ends: those that `quantize` clips."""
    codes = np.rint((values - OFFSET) / SCALE)
    return int(np.count_nonzero((codes < 0) | (codes > 255)))
