"""Which models the student is like."""

import pytest

from stages import _student
from stages._places import SCORED
from tests.pipeline import load_yaml
from yt8m.core.files import write_csv
from yt8m.models.building import Description, count_parameters
from yt8m.settings.loading import parse
from yt8m.settings.params import AVERAGE


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    """A function that chooses, of lstm (the better) and netvlad (the smaller), by the section distill."""
    content = load_yaml("tests/params.yaml")
    monkeypatch.chdir(tmp_path)
    write_csv(SCORED, ("model", "holdout_gap"), [("lstm-a", 0.8), ("lstm-b", 0.7), ("netvlad-a", 0.74)])

    def choose(**distill):
        content["distill"].update(distill)
        return _student.best_models(parse(content))

    return choose


def size(*names):
    """Bytes of networks like some models together."""
    params = parse(load_yaml("tests/params.yaml"))
    model = params.models[names[0]].beside([params.models[name] for name in names[1:]])
    return 4 * count_parameters(Description.of(model, params.train, params.data.layout, params.data.level))


def test_one_network_is_the_best_model_trained_for_as_long_as_a_student(chosen):
    params = parse(load_yaml("tests/params.yaml"))
    assert chosen(members=1) == params.models["lstm"].model_copy(update={"epochs": params.distill.epochs})
    assert chosen(members=1, max_bytes=size("lstm") - 1).family == "netvlad"


def test_several_are_the_best_models_trained_as_the_first_of_them(chosen):
    lstm, netvlad = (parse(load_yaml("tests/params.yaml")).models[name] for name in ("lstm", "netvlad"))
    both = size("lstm") + size("netvlad")
    assert size("lstm", "netvlad") == both
    student = chosen(members=2, max_bytes=both)
    assert student.family == AVERAGE
    assert student.args["members"] == [{"family": each.family, "args": each.args} for each in (lstm, netvlad)]
    assert (student.learning_rate, student.batch_size) == (lstm.learning_rate, lstm.batch_size)
    again = chosen(members=3, max_bytes=both + size("lstm"))
    assert [each["family"] for each in again.args["members"]] == ["lstm", "netvlad", "lstm"]
    assert [each["family"] for each in chosen(members=2, max_bytes=both // 2, storage="float16").args["members"]] == [
        "lstm",
        "netvlad",
    ]
