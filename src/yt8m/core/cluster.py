"""Work that can be divided by shards, done side by side: by processes of this machine or a Dask cluster's workers."""

import logging
import math
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from yt8m.core.errors import InputError

Result = TypeVar("Result")
# Calls a function with each of the argument tuples; gives the results in their order. Function and arguments are
# pickled, and a call whose worker is lost is made once more elsewhere, so that it must write its files as a whole.
Spread = Callable[[Callable[..., Result], Iterable[tuple]], Iterator[Result]]

PATIENCE = 10  # seconds until a scheduler has to answer
WORTH = 1 << 28  # bytes that a process should have to read: its start takes a second
# Of a cluster on this machine: it shows no pages, asks for any port (Dask warns where its own is taken), and leaves
# memory alone.
QUIETLY: dict[str, Any] = {
    "dashboard_address": None,
    "scheduler_kwargs": {"dashboard_address": ":0"},
    "memory_limit": 0,
}
AHEAD = 2  # calls for each thread that are made, waiting or done before the first one's result is taken


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processes_for(size: int) -> int:
    """How many processes of this machine to read so many bytes."""
    return max(1, min(cores(), math.ceil(size / WORTH)))


@contextmanager
def workers(address: str | None, processes: int) -> Iterator[Spread]:
    """What divides work among workers, as long as the context lasts. Memory holds few results, however many there are.

    Args:
        address: of a Dask scheduler whose workers see the same files; None: processes of this machine.
        processes: how many of them; one is this process itself.

    Raises:
        InputError: where no scheduler answers.
    """
    if address is None and processes == 1:
        yield lambda function, calls: (function(*call) for call in calls)
        return
    from distributed import Client, LocalCluster  # slow to import

    if address is None:
        # What fails is raised here; Dask's own words about it would only repeat it.
        options = QUIETLY | {"n_workers": processes, "threads_per_worker": 1, "silence_logs": logging.CRITICAL}
        with LocalCluster(**options) as cluster, Client(cluster) as client:
            yield _spread(client)
        return
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(f"cluster: expected the address of a Dask scheduler, received {address!r}: {error}") from None
    with client:
        yield _spread(client)


def worker_number() -> int | None:
    """The number of the worker of this machine's own cluster that this is called on; None anywhere else."""
    if "distributed" not in sys.modules:
        return None
    from distributed import get_worker

    try:
        name = get_worker().name
    except ValueError:
        return None
    return name if isinstance(name, int) else None


def _spread(client) -> Spread:  # type: ignore[no-untyped-def]
    def spread(function: Callable[..., Result], calls: Iterable[tuple]) -> Iterator[Result]:
        futures = (client.submit(function, *call, pure=False) for call in calls)
        waiting = deque(islice(futures, AHEAD * max(1, sum(client.nthreads().values()))))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(islice(futures, 1))

    return spread
