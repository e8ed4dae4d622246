"""Patches of sound that networks see as pictures: log-mel spectrograms as AudioSet's network takes them.

Windows of 25 ms each 10 ms, 64 mel bands from 125 to 7500 Hz, 96 windows a patch (Hershey et al. 2017, section 3.1).
One begins at each full second, so that there are as many as pictures.
"""

from functools import cache

import numpy as np

RATE = 16_000  # samples a second
WINDOW, STEP, TRANSFORM = 400, 160, 512  # samples
BANDS, LOWEST, HIGHEST = 64, 125.0, 7500.0  # Hz
WINDOWS = 96  # of a patch
LEAST = 0.01  # added to what the logarithm is taken of
SAMPLES = WINDOW + STEP * (WINDOWS - 1)  # of a patch: 0.975 s


def patches(waveform: np.ndarray, seconds: int) -> np.ndarray:
    """The patch of each of so many seconds.

    Args:
        waveform: (samples,) float32 at `RATE`; what is missing at its end is silence.

    Returns:
        (seconds, 96, 64) float32.
    """
    samples = np.zeros(seconds * RATE, np.float32)
    samples[: len(waveform)] = waveform[: len(samples)]
    pieces = samples.reshape(seconds, RATE)[:, :SAMPLES]
    windows = np.lib.stride_tricks.sliding_window_view(pieces, WINDOW, axis=1)[:, ::STEP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    magnitudes = np.abs(np.fft.rfft(windows * hann, TRANSFORM))
    return np.log(magnitudes @ mel_bands() + LEAST).astype(np.float32)


@cache
def mel_bands() -> np.ndarray:
    """Weights of frequencies in bands, (257, 64): triangles over equal steps of mel; the constant part has none."""
    mel = _mel(np.linspace(0, RATE / 2, TRANSFORM // 2 + 1))[:, None]
    edges = np.linspace(_mel(np.array(LOWEST)), _mel(np.array(HIGHEST)), BANDS + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    weights = np.maximum(0, np.minimum((mel - low) / (middle - low), (high - mel) / (high - middle)))
    weights[0] = 0
    return weights


def _mel(hertz: np.ndarray) -> np.ndarray:
    return 1127 * np.log1p(hertz / 700)
