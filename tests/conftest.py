"""Order of the tests, and what they all have in common."""

import gc
from itertools import count

import pytest

BUCKETS = count()  # so far, of the server
LONGEST = ("test_repro", "test_own_videos", "test_devices", "test_resume", "test_run.py", "test_state")


def pytest_collection_modifyitems(items):
    """Files that take longest start first, so that the others run beside them, and none runs alone in the end."""
    items.sort(
        key=lambda item: next((index for index, name in enumerate(LONGEST) if name in item.nodeid), len(LONGEST))
    )


@pytest.fixture(scope="session")
def server():
    """An S3 server on loopback, for all tests of a process."""
    from tests.records.server import Server  # slow to import

    found = Server()
    found.start()
    yield found
    found.stop()


@pytest.fixture
def bucket(server, monkeypatch):
    """An empty bucket of a server that answers, and that everything finds by the environment."""
    from tests.records.server import Bucket

    server.reset()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return Bucket(server, f"shards{next(BUCKETS)}")


def pytest_collection_finish():
    """What has been imported stays; to look through it again and again takes a sixth of the time of a training."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
