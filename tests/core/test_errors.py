import numpy as np
import pytest

from yt8m.core.errors import counted


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], "0"),
        (["a"], "1 (a)"),
        (["a", 2, None], "3 (a, 2, None)"),
        (["a", "b", "c", "d"], "4 (a, b, c, …)"),
        (np.arange(0), "0"),
        (np.arange(9), "9 (0, 1, 2, …)"),
    ],
)
def test_counted(items, expected):
    assert counted(items) == expected


def test_what_stands_between():
    assert counted("abcd", "; ") == "4 (a; b; c; …)"
