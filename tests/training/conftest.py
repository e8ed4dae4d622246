"""Determinism as the stages have it, and small data sets."""

import pytest
from dvclive import Live

from tests.training.made import write_sets
from yt8m.models import contract
from yt8m.records.dataset import Dataset
from yt8m.training.devices import make_deterministic
from yt8m.training.state import State

KEPT: set[str] = set()  # descriptions whose families have been looked at


@pytest.fixture(scope="session", autouse=True)
def deterministic():
    make_deterministic()


@pytest.fixture(autouse=True)
def families_looked_at_once(monkeypatch):
    """The same description keeps the same contract each time, and to look takes as long as to train."""
    check = contract.check

    def once(description):
        text = description.model_dump_json()
        if text not in KEPT:
            check(description)
            KEPT.add(text)

    monkeypatch.setattr(contract, "check", once)


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
