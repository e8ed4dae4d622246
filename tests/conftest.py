"""Order of the tests."""

LONGEST = ("test_repro", "test_devices", "test_resume", "test_run.py", "test_state")


def pytest_collection_modifyitems(items):
    """Files that take longest start first, so that the others run beside them, and none runs alone in the end."""
    items.sort(
        key=lambda item: next((index for index, name in enumerate(LONGEST) if name in item.nodeid), len(LONGEST))
    )
