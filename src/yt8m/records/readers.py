"""Who makes batches: a thread, or several processes, which share the batches' memory with this one."""

import mmap
import os
import pickle
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple, Protocol, TypeVar, cast

import numpy as np

from yt8m.core.cluster import processes_for
from yt8m.core.errors import DataError, InputError
from yt8m.core.schema import Level, Schema
from yt8m.records.batches import Batch, bytes_for
from yt8m.records.remote import Place, Remote, opened, total_size
from yt8m.records.tfrecord import announce, read_at, record_bounds
from yt8m.records.videos import parse

MOST = 16  # processes: more than memory has channels bring nothing
COMING = 32  # batches whose shards behind URLs are fetched before they are due
FETCHERS = 4  # shards at a time
Item = TypeVar("Item")
Result = TypeVar("Result", covariant=True)


class Plan(NamedTuple):
    """What makes a batch.

    Attributes:
        places: the shard's number and the record's number in it of each row, (2, B).
        coming: shards that are about to be read from the first time.
    """

    places: np.ndarray
    coming: Sequence[int]


class Filler:
    """Reads records into batches.

    Args:
        paths: of the shards.
        level: of their records.
        schema: what they hold.
    """

    def __init__(self, paths: Sequence[Place], level: Level, schema: Schema):
        self.paths, self.level, self.schema = paths, level, schema
        self._bounds: dict[int, np.ndarray] = {}

    def bounds(self, shard: int) -> np.ndarray:
        """See `record_bounds`; looked at once."""
        if shard not in self._bounds:
            self._bounds[shard] = record_bounds(self.paths[shard])
        return self._bounds[shard]

    def fill(self, batch: Batch, plan: Plan) -> Batch:
        """Put all videos into a batch: shard by shard, and record by record as they lie there.

        Raises:
            DataError, RecordError: naming the shard, and the record that is damaged.
        """
        for shard in plan.coming:
            announce(self.paths[shard])
        shards, records = plan.places
        order = np.lexsort((records, shards))
        for rows in np.split(order, np.flatnonzero(np.diff(shards[order])) + 1):
            self._fill(batch, rows.tolist(), records[rows].tolist(), int(shards[rows[0]]))
        return batch

    def _fill(self, batch: Batch, rows: Sequence[int], records: Sequence[int], shard: int) -> None:
        path, bounds = self.paths[shard], self.bounds(shard)
        held = len(bounds) - 1
        if records[-1] >= held:
            raise DataError(f"{path}: expected {records[-1] + 1} records or more as recorded, received {held}")
        # What is read lies in the processor's cache while it is summed, parsed and copied.
        buffer = memoryview(bytearray(int(np.diff(bounds)[records].max())))
        with opened(path) as file:
            for row, record in zip(rows, records, strict=True):
                content = read_at(file, path, bounds, record, buffer)
                batch.put(row, parse(content, self.level, self.schema, path, record))


class Blocks:
    """Memory for batches, used again when nobody holds what it was used for: the system hands out new memory page by
    page, zeroed, which takes longer than to fill it.

    Args:
        shared: whether other processes may fill it in; on Linux.
    """

    def __init__(self, shared: bool):
        self.shared = shared
        self._free: dict[int, list[tuple[int, mmap.mmap]]] = {}

    def take(self, size: int) -> tuple[np.ndarray, str]:
        """Memory, (size,) uint8 of any content, and the path under which other processes see it."""
        free = self._free.setdefault(size, [])
        block = free.pop() if free else self._new(size)
        owner = np.frombuffer(block[1], np.uint8)  # of all views: it lives as long as any of them
        weakref.finalize(owner, free.append, block)
        return owner, f"/proc/{os.getpid()}/fd/{block[0]}"

    def _new(self, size: int) -> tuple[int, mmap.mmap]:
        if not self.shared:
            return -1, mmap.mmap(-1, size)
        file = os.memfd_create("batch")  # /dev/shm is small in containers
        os.ftruncate(file, size)
        memory = mmap.mmap(file, size)
        weakref.finalize(self, os.close, file)
        return file, memory


class Readers:
    """Make the batches of plans, ahead of who takes them.

    Threads do not read side by side: to parse a video takes the least of its time, and yet Python's lock is handed to
    and fro for it. So shards that are worth it are read by processes.

    Args:
        filler: what they do.
        count: how many; None: as the shards are worth and the machine has cores, on Linux.
    """

    def __init__(self, filler: Filler, count: int | None = None):
        self.filler, self.count = (
            filler,
            count or (min(MOST, processes_for(total_size(filler.paths))) if sys.platform == "linux" else 1),
        )
        self.blocks = Blocks(shared=self.count > 1)
        if self.count > 1:
            self._next = cycle([ReaderProcess(filler) for _ in range(self.count)])
        else:
            self._thread = ThreadPoolExecutor(1)
            weakref.finalize(self, self._thread.shutdown, wait=False, cancel_futures=True)

    def read(self, plans: Iterable[Plan]) -> Iterator[Batch]:
        """The batches in order; the next ones are made while one is in use."""
        if any(isinstance(path, Remote) for path in self.filler.paths):
            # In a thread: to plan may take a look at shards, where no manifest says how many records they hold.
            plans = ahead(Fetcher(self.filler.paths).submit, prefetch(iter(plans)), COMING)
        return ahead(self.submit, plans, self.count + 2)  # so that a reader does not wait for one that takes longer

    def submit(self, plan: Plan) -> "Later[Batch]":
        """Have a batch made."""
        size = plan.places.shape[1]
        memory, path = self.blocks.take(bytes_for(size, self.filler.level, self.filler.schema))
        batch = Batch.over(memory, size, self.filler.level, self.filler.schema)
        if self.count == 1:
            return self._thread.submit(self.filler.fill, batch, plan)
        return next(self._next).submit(batch, path, plan)


class Fetcher:
    """Fetches shards behind URLs for plans, in threads: reading would wait for each when it is opened.

    Args:
        paths: of the shards.
    """

    def __init__(self, paths: Sequence[Place]):
        self._paths = paths
        self._threads = ThreadPoolExecutor(FETCHERS)
        self._under_way: dict[int, Future[None]] = {}
        weakref.finalize(self, self._threads.shutdown, wait=False, cancel_futures=True)

    def submit(self, plan: Plan) -> "Fetched":
        """Have a plan's shards fetched; each once for plans that follow each other."""
        shards = set(plan.places[0].tolist())
        kept = {shard: each for shard, each in self._under_way.items() if shard in shards or not each.done()}
        new = {
            shard: self._threads.submit(path.fetch)
            for shard in sorted(shards - kept.keys())
            if isinstance(path := self._paths[shard], Remote)
        }
        self._under_way = kept | new
        return Fetched(plan, [self._under_way[shard] for shard in shards & self._under_way.keys()])


class Fetched(NamedTuple):
    """A plan whose shards are being fetched."""

    plan: Plan
    shards: list["Future[None]"]

    def result(self) -> Plan:
        for shard in self.shards:
            shard.result()
        return self.plan

    def cancel(self) -> bool:
        for shard in self.shards:
            shard.cancel()
        return True


class Later(Protocol[Result]):
    """What will be there."""

    def result(self) -> Result:
        """Wait for it."""

    def cancel(self) -> bool:
        """Nobody wants it any more."""


class ReaderProcess:
    """A process that fills batches in. It ends when nobody needs it; with its standard input, if who does has ended."""

    def __init__(self, filler: Filler):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}  # the same code as here
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._under_way: deque[Filled] = deque()
        weakref.finalize(self, _end, self._process)
        self._send((filler.paths, filler.level, filler.schema))

    def submit(self, batch: Batch, path: str, plan: Plan) -> "SharedBatch":
        """Have a batch filled in, whose memory other processes see at a path."""
        self._send((path, plan))
        filled = Filled(batch)
        self._under_way.append(filled)
        return SharedBatch(self, filled)

    def receive(self) -> None:
        """Wait for the next of the batches under way."""
        try:
            answer = pickle.load(self._process.stdout)  # type: ignore[arg-type]
        except EOFError:
            raise InputError(f"a process that reads shards has ended with status {self._process.wait()}") from None
        self._under_way.popleft().ids = answer

    def _send(self, content: object) -> None:
        pickle.dump(content, self._process.stdin)  # type: ignore[arg-type]
        self._process.stdin.flush()  # type: ignore[union-attr]


def _end(process: subprocess.Popen) -> None:
    """End a process whatever it does: whoever collects garbage runs this, and may be whom the process waits for."""
    process.kill()
    with suppress(BrokenPipeError):
        process.stdin.close()  # type: ignore[union-attr]
    process.stdout.close()  # type: ignore[union-attr]
    process.wait()


@dataclass
class Filled:
    """A batch whose memory is held until a process has filled it in, also where nobody waits for it.

    Attributes:
        ids: of its videos, when it is there; or what went wrong.
    """

    batch: Batch
    ids: list[str] | Exception | None = None


class SharedBatch:
    """A batch that a process fills in. The process does not know of it, and ends as soon as nobody waits for any."""

    def __init__(self, process: ReaderProcess, filled: Filled):
        self._process, self._filled = process, filled

    def result(self) -> Batch:
        while self._filled.ids is None:
            self._process.receive()
        if isinstance(self._filled.ids, Exception):
            raise self._filled.ids
        return self._filled.batch._replace(ids=self._filled.ids)

    def cancel(self) -> bool:
        return False  # it is nearly there


def main() -> None:
    """Fill in the batches that are asked for on the standard input, each behind the memory's path and its plan."""
    asked: SimpleQueue[tuple[str, Plan] | None] = SimpleQueue()
    filler = Filler(*pickle.load(sys.stdin.buffer))
    Thread(target=_listen, args=(asked,), daemon=True).start()
    mapped: dict[str, np.ndarray] = {}
    while request := asked.get():
        path, plan = request
        try:
            if path not in mapped:
                with Path(path).open("r+b") as file:
                    mapped[path] = np.frombuffer(mmap.mmap(file.fileno(), 0), np.uint8)
            batch = Batch.over(mapped[path], plan.places.shape[1], filler.level, filler.schema)
            answer: list[str] | Exception = filler.fill(batch, plan).ids
        except Exception as error:
            answer = error
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.flush()


def _listen(asked: "SimpleQueue[tuple[str, Plan] | None]") -> None:
    """Take in what is asked as it comes, so that neither side waits for the other to take what it writes."""
    try:
        while True:
            asked.put(pickle.load(sys.stdin.buffer))
    except EOFError:
        asked.put(None)


def ahead(submit: Callable[[Item], Later[Result]], items: Iterable[Item], depth: int) -> Iterator[Result]:
    """The results of work for all items in order; that for the next `depth` is under way while one is in use."""
    items = iter(items)
    waiting = deque(map(submit, islice(items, depth)))
    try:
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(map(submit, islice(items, 1)))
            yield result
    finally:
        for later in waiting:
            later.cancel()


def prefetch(items: Iterator[Item], depth: int = 2) -> Generator[Item, None, None]:
    """The same items, the next `depth` made in a thread while the last is in use."""
    end, pool = object(), ThreadPoolExecutor(1)
    try:
        waiting = deque(pool.submit(next, items, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, items, end))
            yield cast(Item, item)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # as in `_end`: nobody waits here


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):
        main()
