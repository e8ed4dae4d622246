"""`yt8m repro` looks at parameters and the data that they name before any work; of what it runs: scheduling/."""

import pytest
from ruamel.yaml import YAML

from tests.pipeline import load_yaml
from tests.records import made
from yt8m.commands import repro
from yt8m.core.errors import InputError
from yt8m.core.schema import Level


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function from changes, by full name, to a folder with parameters for a tiny data set that is all right."""
    for name in ("train0000", "validate0005", "test0000"):
        made.write_shard(tmp_path / "mine" / f"{name}.tfrecord", Level.FRAME, 3)
    (tmp_path / "classes.csv").write_text("index,name\n")
    params = load_yaml("tests/params.yaml") | {"simulate": {}}
    params["split"]["patterns"]["extra"] = []
    params["data"] = {
        "source": "mine",
        "cache_gb": 1,
        "frames": "*.tfrecord",
        "videos": None,
        "class_names": "classes.csv",
        "schema": made.SCHEMA.model_dump(),
    }

    def change(**changes):
        for name, value in changes.items():
            *path, last = name.split("__")
            section = params
            for key in path:
                section = section[key]
            section[last] = value
        YAML(pure=True).dump(params, tmp_path / "params.yaml")

    monkeypatch.chdir(tmp_path)
    change()
    return change


def test_what_is_right_is_taken(project):
    assert repro.checked().data.source == "mine"


def test_all_that_is_wrong_is_said_at_once(project):
    """Of the parameters, and of the data that they name, whatever else is wrong with them."""
    project(
        models__netvlad__args__clusters={"visual": 3},
        train__clip_norm=0,
        data__class_names="none.csv",
        split__patterns__test=["eval*"],
    )
    with pytest.raises(InputError) as error:
        repro.checked()
    lines = str(error.value).splitlines()
    for part in ("train.clip_norm: expected", "data.class_names: ", "split.patterns.test: expected shards that match"):
        assert sum(part in line for line in lines) == 1
    project(train__clip_norm=1.0)
    with pytest.raises(InputError, match="clusters: expected the features") as error:
        repro.checked()
    assert "split.patterns.test" in str(error.value)


def test_of_wrong_sections_of_data_the_parameters_are_said(project):
    project(data__frames=3)
    with pytest.raises(InputError, match=r"data\.frames: expected"):
        repro.checked()


def test_what_a_stage_simulates_need_not_be_there(project):
    project(data__source="data/simulated/demo")
    assert repro.checked().data.source == "data/simulated/demo"


def test_no_parameters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"params\.yaml: expected a parameter file, found none"):
        repro.checked()
