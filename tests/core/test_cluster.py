"""Work done side by side gives what it gives one after the other, also where a worker is lost."""

import os
import signal
from pathlib import Path

import pytest

from yt8m.core import cluster
from yt8m.core.cluster import WORTH, processes_for, workers
from yt8m.core.errors import InputError


def square(number: int) -> int:
    return number * number


def refuse(number: int) -> int:
    if number == 3:
        raise InputError(f"expected another number, received {number}")
    return number


def die_once(number: int, folder: Path) -> int:
    """Kill the worker at the first try of one call."""
    mark = folder / str(number)
    if number == 4 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    mark.touch()
    return number


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_order(processes, tmp_path):
    with workers(None, processes) as spread:
        assert list(spread(square, ((number,) for number in range(50)))) == [number**2 for number in range(50)]
        assert list(spread(square, [])) == []
        results = spread(refuse, ((number,) for number in range(50)))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(InputError, match="received 3"):
            next(results)
        if processes > 1:
            assert list(spread(die_once, ((number, tmp_path) for number in range(9)))) == list(range(9))


def test_few_calls_are_made_ahead():
    begun: list[int] = []

    def calls():
        for number in range(100):
            begun.append(number)
            yield (number,)

    with workers(None, 2) as spread:
        results = spread(square, calls())
        next(results)
        assert len(begun) <= 2 * cluster.AHEAD + 1


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    expected = r"cluster: expected the address of a Dask scheduler, received 'tcp://127\.0\.0\.1:9'"
    with pytest.raises(InputError, match=expected), workers("tcp://127.0.0.1:9", 1):
        pass


def test_processes_are_worth_their_start(monkeypatch):
    monkeypatch.setattr(cluster, "cores", lambda: 4)
    assert [processes_for(size) for size in (0, 1, WORTH, WORTH + 1, 3 * WORTH, 100 * WORTH)] == [1, 1, 1, 2, 3, 4]
