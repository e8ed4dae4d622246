"""Batches made by a thread and by processes: errors, memory, and that nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.records import made
from tests.records.made import SCHEMA
from yt8m.core.schema import Level
from yt8m.records.cache import Cache
from yt8m.records.manifest import DataError
from yt8m.records.readers import Blocks, Filler, Plan, Readers, ahead, prefetch
from yt8m.records.remote import Remote
from yt8m.records.tfrecord import RecordError

BOTH = pytest.mark.parametrize("count", [1, 2])


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    found = [tmp_path / f"train{index}.tfrecord" for index in range(3)]
    for path in found:
        made.write_shard(path, Level.FRAME, 5)
    return found


def plans(count: int, size: int = 3):
    """Of batches from all shards."""
    random = np.random.default_rng(0)
    for _ in range(count):
        yield Plan(np.stack([random.integers(3, size=size), random.integers(5, size=size)]), [0])


def readers(paths: list[Path], count: int) -> Readers:
    return Readers(Filler(paths, Level.FRAME, SCHEMA), count)


@BOTH
def test_a_batch_that_is_held_stays_as_it_is(paths, count):
    """Its memory is not used for another, nor is that of a view of it."""
    batches: list[np.ndarray] = []
    copies: list[np.ndarray] = []
    for batch in readers(paths, count).read(plans(20)):
        copies.append(batch.inputs["rgb"].copy())
        batches.append(batch.inputs["rgb"][1:, :2].T if len(batches) % 2 else batch.inputs["rgb"])
        del batch
    for index, (held, copy) in enumerate(zip(batches, copies, strict=True)):
        np.testing.assert_array_equal(held, copy[1:, :2].T if index % 2 else copy)


@pytest.mark.parametrize("shared", [False, True])
def test_memory_is_used_again_when_nobody_holds_it(shared):
    blocks = Blocks(shared)
    first, _ = blocks.take(100)
    address, part = first.ctypes.data, first[10:20]
    second, _ = blocks.take(100)
    assert second.ctypes.data != address
    del first
    assert blocks.take(100)[0].ctypes.data != address
    del part
    assert blocks.take(100)[0].ctypes.data == address


@BOTH
def test_a_damaged_record_is_named_in_its_place(paths, count):
    content = bytearray(paths[1].read_bytes())
    content[20] ^= 1
    paths[1].write_bytes(content)
    places = [np.array([[0], [1]]), np.array([[0], [2]]), np.array([[1], [0]]), np.array([[0], [0]])]
    batches = readers(paths, count).read(Plan(place, []) for place in places)
    assert [len(next(batches).ids) for _ in range(2)] == [1, 1]
    with pytest.raises(RecordError, match=rf"{paths[1]}: record 0 at byte 0: the checksum of the content"):
        next(batches)


def test_nothing_is_left_of_readers_that_nobody_needs(paths):
    threads = threading.active_count()
    mine = psutil.Process()
    children = set(mine.children(recursive=True))
    work = readers(paths, 2)
    batches = work.read(plans(100))
    next(batches)
    started = set(mine.children(recursive=True)) - children
    assert len(started) == 2
    del batches, work  # batches that nobody has taken hold no process
    assert not any(one.is_running() for one in started)
    assert threading.active_count() <= threads


@pytest.mark.timeout(60)
def test_nobody_waits_for_readers_that_nobody_needs(tmp_path):
    """Who collects them may hold what they wait for, as a server that runs in this process."""
    children = set(psutil.Process().children())
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/train.tfrecord"
        work = Readers(Filler([Remote(url, None, None, Cache(tmp_path, 100))] * 3, Level.FRAME, SCHEMA), 2)
        started = set(psutil.Process().children()) - children
        batches = [work.submit(plan) for plan in plans(2)]
        connection, _ = server.accept()  # and no answer
        del batches, work
        assert not any(one.is_running() for one in started)
        connection.close()


KILLED = """
import sys, time
from pathlib import Path
from tests.records.test_readers import plans, readers

if __name__ == "__main__":
    work = readers([Path(path) for path in sys.argv[1:]], 2)
    batches = work.read(plans(100))
    next(batches)
    print("reading", flush=True)
    time.sleep(60)
"""


def test_readers_end_with_a_process_that_is_killed(paths, tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
    with subprocess.Popen(
        [sys.executable, script, *paths], stdout=subprocess.PIPE, text=True, env=environment, cwd=root
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "reading\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, 20)
    assert not alive


def test_ahead_gives_results_in_order_and_few_before_they_are_asked_for():
    begun: list[int] = []

    def work(item):
        begun.append(item)
        time.sleep(0.01 * (item % 3))
        return item * item

    with ThreadPoolExecutor(3) as pool:
        results = ahead(lambda item: pool.submit(work, item), range(40), 4)
        assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
        assert max(begun) <= 4 + 4
        assert list(results) == [item * item for item in range(5, 40)]


def test_what_is_ahead_of_an_error_is_given_up():
    begun: list[int] = []

    def work(item):
        begun.append(item)
        if item == 2:
            raise DataError("damaged")
        return item

    with ThreadPoolExecutor(1) as pool:
        results = ahead(lambda item: pool.submit(work, item), range(9), 3)
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(DataError, match="damaged"):
            next(results)
    assert max(begun) < 6


def test_prefetch_gives_the_same_items_and_works_ahead():
    made_so_far = []

    def items():
        for index in range(5):
            made_so_far.append(index)
            yield index

    items_ahead = prefetch(items(), depth=2)
    assert next(items_ahead) == 0
    deadline = time.monotonic() + 10
    while len(made_so_far) < 3 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert made_so_far == [0, 1, 2]  # two more than were asked for, and no others
    assert list(items_ahead) == [1, 2, 3, 4]


def test_prefetch_passes_errors_on():
    def items():
        yield 1
        raise DataError("damaged")

    items_ahead = prefetch(items())
    assert next(items_ahead) == 1
    with pytest.raises(DataError, match="damaged"):
        next(items_ahead)


@pytest.mark.timeout(60)
def test_prefetch_does_not_wait_for_what_nobody_wants():
    comes = threading.Event()

    def items():
        yield 1
        comes.wait()
        yield 2

    items_ahead = prefetch(items())
    assert next(items_ahead) == 1
    items_ahead.close()
    comes.set()
