"""Determinism as the stages have it, and small data sets."""

import pytest
from dvclive import Live

from tests.training.made import write_sets
from yt8m.records.dataset import Dataset
from yt8m.training.devices import make_deterministic
from yt8m.training.state import State


@pytest.fixture(scope="session", autouse=True)
def deterministic():
    make_deterministic()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Manifests `train.tsv` (60 videos) and `holdout.tsv` (30 videos) and their shards."""
    return write_sets(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="session")
def holdout(folder):
    return Dataset(folder / "holdout.tsv", folder)


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "state")


@pytest.fixture
def live(tmp_path):
    with Live(str(tmp_path / "live"), dvcyaml=None, save_dvc_exp=False) as log:
        yield log
