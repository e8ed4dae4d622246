"""Measurements in processes of their own, which have their own backend and peak memory, and their tables.

Keras is not imported here, so that a benchmark's first process chooses no backend and stays small: Linux counts the
memory of the process that starts another into the other's peak.
"""

import os
import resource
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from yt8m.core.startup import starting
from yt8m.report.tables import markdown

ROOT = Path(__file__).parents[1]
Result = TypeVar("Result")


class Failed(Exception):
    """A measurement ended without a result."""


def apart(function: Callable[..., Result], *args: object, **environment: str) -> Result:
    """Call a function in a process of its own.

    Args:
        function: of a module; its arguments and its result are pickled.
        environment: variables to add, `KERAS_BACKEND` for one.

    Raises:
        Failed: saying what the function raised.
    """
    before = os.environ.copy()
    os.environ.update(environment)
    try:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return pool.submit(_tried, function, args).result()
    except BrokenProcessPool:
        raise Failed("its process was killed, mostly for want of memory") from None
    finally:
        os.environ.clear()
        os.environ.update(before)


def _tried(function: Callable[..., Result], args: Sequence[object]) -> Result:
    """What the process does. Backends' errors cannot all be pickled; their first line says what, not where."""
    try:
        with starting():
            return function(*args)
    except Exception as error:
        raise Failed(f"{type(error).__name__}: {error}".strip().splitlines()[0][:300]) from None


def peak_memory(who: int = resource.RUSAGE_SELF) -> int:
    """The most bytes that this process has held at a time, or (`RUSAGE_CHILDREN`) the largest of those that ended."""
    return resource.getrusage(who).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def say(line: str) -> None:
    """Print a line at once, also into a file."""
    print(line, flush=True)


def show(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table."""
    say(f"\n{title}\n\n{markdown(header, rows)}")
