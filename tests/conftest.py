"""Order of the tests, and what they all have in common."""

import gc

LONGEST = ("test_repro", "test_own_videos", "test_devices", "test_resume", "test_run.py", "test_state")


def pytest_collection_modifyitems(items):
    """Files that take longest start first, so that the others run beside them, and none runs alone in the end."""
    items.sort(
        key=lambda item: next((index for index, name in enumerate(LONGEST) if name in item.nodeid), len(LONGEST))
    )


def pytest_collection_finish():
    """What has been imported stays; to look through it again and again takes a sixth of the time of a training."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
