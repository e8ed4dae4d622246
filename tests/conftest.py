"""Order of the tests."""


def pytest_collection_modifyitems(items):
    """The pipeline's tests, which take longest, start first, so that the others run beside them."""
    items.sort(key=lambda item: "test_repro" not in item.nodeid)
