import numpy as np

from yt8m.core.quantization import dequantize, quantize

CODES = np.arange(256, dtype=np.uint8)


def test_dequantize():
    expected = [code * 4 / 255 + 4 / 512 - 2 for code in range(256)]
    found = dequantize(CODES)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == np.float32


def test_every_code_comes_back():
    np.testing.assert_array_equal(quantize(dequantize(CODES)), CODES)


def test_the_nearest_code_is_taken():
    values = np.random.default_rng(0).uniform(-3, 3, 1000)
    table = [code * 4 / 255 + 4 / 512 - 2 for code in range(256)]
    expected = [min(range(256), key=lambda code: abs(table[code] - value)) for value in values]
    np.testing.assert_array_equal(quantize(values), expected)
    assert {0, 255} <= set(expected)
