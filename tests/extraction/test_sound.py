"""Patches against an independent calculation, one window at a time."""

import keras
import numpy as np

from yt8m.extraction import sound


def test_patches_are_log_mel_spectra_of_each_second():
    waveform = np.random.default_rng(0).normal(0, 0.2, 3 * sound.RATE).astype(np.float32)
    found = sound.patches(waveform, 3)
    assert found.shape == (3, 96, 64)
    assert found.dtype == np.float32
    layer = keras.layers.MelSpectrogram(sampling_rate=16_000, num_mel_bins=64, min_freq=125.0, max_freq=7500.0)
    matrix = keras.ops.convert_to_numpy(layer.linear_to_mel_weight_matrix(64, 257, 16_000, 125.0, 7500.0))
    hann = np.hanning(401)[:-1]  # periodic
    for second, window in ((0, 0), (1, 17), (2, 95)):
        start = second * 16_000 + window * 160
        samples = waveform[start : start + 400].astype(np.float64) * hann
        turns = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(400)) / 512)
        expected = np.log(np.abs(turns @ samples) @ matrix + 0.01)
        np.testing.assert_allclose(found[second, window], expected, rtol=2e-3, atol=2e-3)


def test_what_is_missing_is_silence():
    waveform = np.random.default_rng(0).normal(0, 0.2, sound.RATE).astype(np.float32)
    found = sound.patches(waveform, 3)
    np.testing.assert_allclose(found[1:], np.log(0.01), rtol=1e-6)
    np.testing.assert_array_equal(found[0], sound.patches(np.tile(waveform, 2), 1)[0])


def test_bands_are_triangles_that_meet():
    weights = sound.mel_bands()
    assert weights.shape == (257, 64)
    assert ((weights >= 0) & (weights <= 1)).all()
    hertz = np.linspace(0, 8000, 257)
    assert not weights[(hertz < 125) | (hertz > 7500)].any()
    inside = (hertz > 300) & (hertz < 7000)  # at each frequency two neighbours share what there is
    np.testing.assert_allclose(weights[inside].sum(axis=1), 1, atol=1e-9)
