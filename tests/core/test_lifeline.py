"""A process ends with the one that it works for."""

import os
import subprocess
import sys
import time

import pytest

from yt8m.core.lifeline import OWNER

FOLLOW = """
import os, sys, time
if "poll" in sys.argv:
    del os.pidfd_open
from yt8m.core import lifeline
lifeline.PAUSE = 0.01
lifeline.follow_owner()
print("follows", flush=True)
time.sleep(30)
"""


def start(owner: int | None, *words: str) -> subprocess.Popen:
    environment = {key: value for key, value in os.environ.items() if key != OWNER}
    if owner is not None:
        environment[OWNER] = str(owner)
    return subprocess.Popen([sys.executable, "-c", FOLLOW, *words], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("words", [(), ("poll",)])
def test_it_ends_when_its_owner_has_ended(words):
    sleep = [sys.executable, "-c", "import time; time.sleep(30)"]
    with subprocess.Popen(sleep) as owner, start(owner.pid, *words) as follower:
        assert follower.stdout
        assert follower.stdout.readline() == "follows\n"
        owner.kill()
        owner.wait()
        assert follower.wait(10) == 1


def test_it_ends_at_once_where_its_owner_is_gone():
    with subprocess.Popen([sys.executable, "-c", ""]) as owner:
        owner.wait()
    with start(owner.pid) as follower:
        assert follower.wait(10) == 1


def test_one_without_an_owner_goes_on():
    with start(None) as alone:
        assert alone.stdout
        alone.stdout.readline()
        time.sleep(0.1)
        assert alone.poll() is None
        alone.kill()
