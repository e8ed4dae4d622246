"""Models as the stages run them."""

import pytest

from yt8m.training.devices import make_deterministic


@pytest.fixture(scope="session", autouse=True)
def deterministic():
    """Every stage that runs a model asks for determinism, which also leaves XLA's compilation out."""
    make_deterministic()
