"""A process that ends when the one it works for has ended, however that was."""

import os
import select
import threading
import time

OWNER = "YT8M_OWNER"  # environment: the number of the process that a stage works for, if there is one
PAUSE = 1.0  # seconds between looks, where the system tells nobody


def follow_owner() -> None:
    """End this process, without a word, as soon as its owner has ended; do nothing where it has none."""
    if OWNER in os.environ:
        threading.Thread(target=_outlive, args=(int(os.environ[OWNER]),), daemon=True).start()


def _outlive(owner: int) -> None:
    try:
        if hasattr(os, "pidfd_open"):
            select.select([os.pidfd_open(owner)], [], [])
        else:
            while True:
                os.kill(owner, 0)
                time.sleep(PAUSE)
    except ProcessLookupError:
        pass
    os._exit(1)
