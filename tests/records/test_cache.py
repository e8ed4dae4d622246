"""Files that can be had again: bounded, shared, whole."""

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from yt8m.records import cache
from yt8m.records.cache import Cache, temporary


def open_file(within: Cache, name: str, size: int = 10, made: list[str] | None = None) -> bytes:
    """The content of a file that is made of its own name, so long."""

    def make(path: Path) -> str:
        if made is not None:
            made.append(name)
        path.write_bytes((name * size)[:size].encode())
        return name

    with within.open(name, size, make) as file:
        return file.read()


def held(within: Cache) -> set[str]:
    return {path.name for path in within.folder.iterdir() if path.is_file()}


def age(within: Cache, name: str, seconds: int) -> None:
    """Make a file's last use as long ago."""
    os.utime(within.folder / name, (0, 10**9 - seconds))


def test_a_file_is_made_once(tmp_path):
    made: list[str] = []
    for _ in range(3):
        assert open_file(Cache(tmp_path, 100), "a", made=made) == b"a" * 10
    assert made == ["a"]


def test_what_was_used_least_recently_goes(tmp_path):
    within = Cache(tmp_path, 30)
    for number, name in enumerate("abc"):
        open_file(within, name)
        age(within, name, 10 - number)
    open_file(within, "a")  # used again
    open_file(within, "d")
    assert held(within) == {"a", "c", "d"}


def test_one_that_is_larger_than_the_limit_is_alone(tmp_path):
    within = Cache(tmp_path, 25)
    for name in "ab":
        open_file(within, name)
    assert open_file(within, "c", 50) == b"c" * 50
    assert held(within) == {"c"}
    open_file(within, "d")
    assert held(within) == {"d"}


def test_an_open_file_keeps_its_content(tmp_path):
    within = Cache(tmp_path, 10)
    open_file(within, "a")
    file = within.open("a", 10, lambda path: pytest.fail("it is there"))
    open_file(within, "b")
    assert held(within) == {"b"}
    assert file.read() == b"a" * 10


def test_it_is_found_by_the_name_of_its_content(tmp_path):
    within = Cache(tmp_path, 100)

    def make(path: Path) -> str:
        path.write_bytes(b"x")
        return "content"

    for name in ("one", "content", "one"):
        with within.open(name, 1, make) as file:
            assert file.read() == b"x"
    (within.folder / "content").unlink()  # the other name leads nowhere
    with within.open("one", 1, make) as file:
        assert file.read() == b"x"


def test_what_fails_leaves_nothing(tmp_path):
    def make(path: Path) -> str:
        path.write_bytes(b"half")
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        Cache(tmp_path, 100).open("a", 4, make)
    assert held(Cache(tmp_path, 100)) == set()
    assert open_file(Cache(tmp_path, 100), "a") == b"a" * 10


def test_what_a_killed_process_has_left_is_made_anew(tmp_path):
    within = Cache(tmp_path, 100)
    (tmp_path / f"a{cache.PARTIAL}").write_bytes(b"half of it, and longer than the whole")
    assert open_file(within, "a") == b"a" * 10
    assert held(within) == {"a"}


def test_what_a_killed_process_has_left_goes_when_room_is_needed(tmp_path):
    within = Cache(tmp_path, 30)
    open_file(within, "a")
    left, under_way = (tmp_path / f"{name}{cache.PARTIAL}" for name in "bc")
    left.write_bytes(b"half")
    age(within, left.name, 10)

    def make(path: Path) -> str:
        path.write_bytes(b"c" * 10)
        age(within, path.name, 5)
        open_file(within, "d")
        assert path == under_way
        assert held(within) == {"a", "d", under_way.name}
        return "c"

    within.open("c", 10, make).close()
    assert held(within) == {"a", "c", "d"}


def test_of_many_at_once_one_makes_it(tmp_path):
    made: list[str] = []
    together = Barrier(8)

    def read(_: int) -> bytes:
        together.wait()
        return open_file(Cache(tmp_path, 100), "a", made=made)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(read, range(8))) == {b"a" * 10}
    assert made == ["a"]


def test_readers_share_a_cache_that_is_too_small_for_them(tmp_path):
    """Every read is right, and the folder never holds more than its limit and what is being made."""
    limit, size, readers = 3000, 1000, 4
    most = 0

    def read(seed: int) -> None:
        nonlocal most
        draw = random.Random(seed)
        for _ in range(100):
            name = draw.choice("abcdefgh")
            assert open_file(Cache(tmp_path, limit), name, size) == name.encode() * size
            sizes = []
            for path in list(tmp_path.glob("?")):
                try:
                    sizes.append(path.stat().st_size)
                except FileNotFoundError:
                    continue
            most = max(most, sum(sizes))

    with ThreadPoolExecutor(readers) as threads:
        list(threads.map(read, range(readers)))
    assert most <= limit + readers * size


def test_a_command_s_own_ends_with_it():
    code = "from yt8m.records.cache import temporary; print(temporary().folder); assert temporary() is temporary()"
    folder = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert folder
    assert not Path(folder).exists()
    assert temporary().limit == cache.TEMPORARY
