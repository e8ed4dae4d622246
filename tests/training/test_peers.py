"""What several processes agree on; with processes of their own in test_devices.py."""

import subprocess
import sys

import numpy as np
import pytest

from yt8m.training.peers import Peers, flat

NONE_ANSWERS = """
import time
from yt8m.training.peers import deadline
with deadline(0.1, "process 0: expected an answer of all 2 processes"):
    time.sleep(30)
"""
IN_TIME = """
import time
from yt8m.training.peers import deadline
with deadline(0.1, "process 0"):
    pass
time.sleep(0.3)
print("goes on")
"""


def test_one_process_agrees_with_itself():
    alone = Peers()
    assert alone.agree([0.1, None]) == [0.1, None]
    arrays: list[np.ndarray] = [np.arange(3), np.ones((2, 2), np.float32)]
    assert all(told is array for told, array in zip(alone.told(arrays), arrays, strict=True))
    alone.compare({"anything": 1})


def test_nested_content_by_its_full_keys():
    assert flat({"a": {"b": 1, "c": {"d": [2, {"e": 3}]}}, "f": None}) == {
        "a.b": 1,
        "a.c.d": [2, {"e": 3}],
        "f": None,
    }


def test_a_deadline_ends_the_process_with_a_line():
    late = subprocess.run([sys.executable, "-c", NONE_ANSWERS], capture_output=True, text=True)
    assert late.returncode == 1
    assert late.stderr == "process 0: expected an answer of all 2 processes within 0.1 s, received none\n"
    assert subprocess.run([sys.executable, "-c", IN_TIME], capture_output=True, text=True).stdout == "goes on\n"


def test_other_errors_than_a_lost_process_come_through():
    with pytest.raises(ValueError, match="wrong"), Peers().losses():
        raise ValueError("wrong")
