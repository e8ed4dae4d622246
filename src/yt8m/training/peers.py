"""Several processes that train one model: what one decides is told to all, and none waits for ever for another.

The first process decides: from what state the training goes on, what the holdout's score is, and by that when it
stops and which weights are kept. Where each decided by itself, another rounding would leave some of them waiting.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Timer
from types import ModuleType
from typing import Any

import numpy as np

from yt8m.core.errors import InputError

JOIN = 300  # seconds that all processes have to start, and to answer
HEARTBEAT = 30  # seconds without a sign of life after which a process counts as lost
WORDS = 500  # bytes of what a process says of a difference
LOST = {"JaxRuntimeError", "XlaRuntimeError"}  # what JAX raises where a collective breaks off


class Peers:
    """The processes of a training; a training of one process has nobody to tell.

    Args:
        process: this one's number; process 0 decides.
        processes: how many there are.
    """

    def __init__(self, process: int = 0, processes: int = 1):
        self.process, self.processes = process, processes

    def agree(self, value: Any) -> Any:
        """The first process's value, which is JSON; all processes have to ask."""
        if self.processes == 1:
            return value
        text = np.frombuffer(json.dumps(value).encode(), np.uint8)
        (length,) = self._told([np.array([len(text)], np.int32)])
        (told,) = self._told([np.resize(text, int(length[0]))])
        return json.loads(told.tobytes())

    def told(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The first process's arrays; those of the others are of the same shapes and types."""
        if self.processes == 1:
            return list(arrays)
        as_bytes = [np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8) for array in arrays]
        told = self._told(as_bytes)
        return [
            np.frombuffer(found.tobytes(), array.dtype).reshape(array.shape)
            for found, array in zip(told, arrays, strict=True)
        ]

    def compare(self, about: Mapping[str, Any]) -> None:
        """Make sure that all processes are about the same training.

        Args:
            about: all that decides it, as JSON.

        Raises:
            InputError: in all processes, saying what differs in which of them.
        """
        if self.processes == 1:
            return
        expected, own = flat(self.agree(about)), flat(json.loads(json.dumps(about)))
        differing = sorted(key for key in expected.keys() | own.keys() if expected.get(key) != own.get(key))
        words = ""
        if differing:
            one, other = expected.get(differing[0]), own.get(differing[0])
            words = f"process {self.process}: {differing[0]}: expected {one}, as process 0 has, received {other}"
        with self._deadline():
            said = _multihost().process_allgather(np.frombuffer(words.encode()[:WORDS].ljust(WORDS, b"\0"), np.uint8))
        for row in said:
            if found := row.tobytes().rstrip(b"\0").decode("utf-8", "replace"):
                raise InputError(found)

    @contextmanager
    def losses(self) -> Iterator[None]:
        """End with a line where another process is lost meanwhile."""
        try:
            yield
        except Exception as error:
            if self.processes == 1 or type(error).__name__ not in LOST:
                raise
            reason = str(error).splitlines()[0][:200]
            end(f"process {self.process}: expected all {self.processes} processes to train, one is gone: {reason}")

    def _told(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        with self._deadline():
            told: list[np.ndarray] = _multihost().broadcast_one_to_all(arrays)
        return told

    def _deadline(self) -> AbstractContextManager[None]:
        return deadline(JOIN, f"process {self.process}: expected an answer of all {self.processes} processes")


def _multihost() -> ModuleType:
    from jax.experimental import multihost_utils

    return multihost_utils


def flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with keys such as `training.schedule.steps`."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


@contextmanager
def deadline(seconds: float, words: str) -> Iterator[None]:
    """End this process with a line where the context takes longer."""
    timer = Timer(seconds, end, (f"{words} within {seconds} s, received none",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def end(words: str) -> None:
    """End this process with a line, at once: to leave in order is to wait for the others."""
    print(words, file=sys.stderr, flush=True)
    os._exit(1)
