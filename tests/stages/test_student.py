"""Which model the student is like, where it is the mean of several networks."""

import pytest

from stages import _student
from stages._places import SCORED
from tests.pipeline import load_yaml
from yt8m.core.files import write_csv
from yt8m.models.building import Description, count_parameters
from yt8m.settings.params import parse


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    """A function that chooses, of lstm (the better) and netvlad (the smaller), by the section distill."""
    content = load_yaml("tests/params.yaml")
    monkeypatch.chdir(tmp_path)
    write_csv(SCORED, ("model", "holdout_gap"), [("lstm-a", 0.8), ("lstm-b", 0.7), ("netvlad-a", 0.74)])

    def choose(**distill):
        content["distill"].update(distill)
        return _student.best_model(parse(content)).family

    return choose


def size(name, members):
    """Bytes of so many networks like a model."""
    params = parse(load_yaml("tests/params.yaml"))
    model = params.models[name].times(members)
    return 4 * count_parameters(Description.of(model, params.train, params.data.layout, params.data.level))


def test_the_best_of_which_so_many_fit_together(chosen):
    one, two = size("lstm", 1), size("lstm", 2)
    assert size("netvlad", 2) < two == 2 * one
    assert chosen(members=2, max_bytes=two) == "lstm"
    assert chosen(members=2, max_bytes=two - 1) == "netvlad"
    assert chosen(members=1, max_bytes=two - 1) == "lstm"
    assert chosen(members=2, max_bytes=one, storage="float16") == "lstm"
