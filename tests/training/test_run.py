"""A training as a whole: from its description to a saved model, and nothing where it must not go on."""

import json
from contextlib import nullcontext
from dataclasses import dataclass, replace

import keras
import numpy as np
import pytest

from tests.models import broken, tiny
from tests.training.made import SCHEDULE, assert_same, files, logged, make_training, told, write_sets
from tests.training.test_state import Cut, CutOff
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.models import storage
from yt8m.models.building import Description
from yt8m.records.dataset import Dataset
from yt8m.relations import omega
from yt8m.relations.regularizer import OMEGA, Relations, class_weights, output_kernel
from yt8m.training import run as run_module
from yt8m.training.devices import Devices
from yt8m.training.peers import Peers
from yt8m.training.run import run
from yt8m.training.scores import dataset_gap
from yt8m.training.state import environment
from yt8m.training.training import Objective, Phase


@dataclass(frozen=True)
class CutAfter(Objective):
    """By the labels, and cut off after so many steps; whether and when decides no result."""

    left = 0

    def callbacks(self):
        return (CutOff(self.left),) if self.left else ()


@pytest.fixture
def cut(monkeypatch):
    """Have the next trainings by `CutAfter` end after so many steps, or not (0)."""
    return lambda steps: monkeypatch.setattr(CutAfter, "left", steps)


@pytest.fixture
def untrained(monkeypatch):
    """Nothing is trained: for tests that look at what comes before or after."""
    monkeypatch.setattr(run_module, "fit", lambda *_, **__: 0.5)


def size(folder):
    return sum(path.stat().st_size for path in folder.iterdir())


def metrics(training):
    return json.loads((training.log / "metrics.json").read_text())


def description(training):
    return json.loads((training.out / storage.DESCRIPTION).read_text())


def test_the_saved_model_is_the_one_scored(folder, holdout, tmp_path):
    training = make_training(folder, tmp_path, seed=3)
    gap = run(training)
    assert gap > 0.5
    model, read = storage.load(training.out)
    assert read == training.start
    assert dataset_gap(model, holdout, 10) == pytest.approx(gap, abs=1e-6)
    assert metrics(training) == {"holdout_gap": gap}
    assert max(logged(training.log, "holdout_gap")[1]) == gap


def test_a_training_leaves_a_model_and_its_figures_and_no_state(folder, tmp_path):
    training = make_training(folder, tmp_path, steps=2, eval_steps=1)
    run(training)
    plots = {f"metrics/train/tiny/plots/metrics/{name}.tsv" for name in ("holdout_gap", "loss")}
    model = {f"data/train/tiny/{name}" for name in (storage.WEIGHTS, storage.DESCRIPTION)}
    assert set(files(tmp_path)) == {*plots, *model, "metrics/train/tiny/metrics.json"}
    assert not training.states.exists()


def test_videos_of_one_frame_train_as_well(tmp_path):
    folder = write_sets(tmp_path / "videos", Level.VIDEO)
    training = make_training(folder, tmp_path, start=tiny.describe("moe", level=Level.VIDEO))
    assert run(training) > 0.5


def test_the_model_says_how_it_was_made(folder, tmp_path):
    phases = (Phase(folder / "holdout.tsv", 1), Phase(folder / "train.tsv", 3))
    training = make_training(folder, tmp_path, phases=phases, seed=4, steps=4, eval_steps=2)
    run(training)
    said = description(training)
    made = said.pop("made")
    assert isinstance(training.start, Description)
    assert said == training.start.model_dump(mode="json", by_alias=True) | {"storage": "float32"}
    trained = {"seed": 4, "shuffle_buffer": 20, "phases": [1, 3], "schedule": told(training.schedule)}
    assert made == environment() | {"devices": 1, "training": trained}
    assert set(made["versions"]) == {"keras", "numpy", "tensorflow"}
    assert (made["backend"], made["versions"]["keras"]) == ("tensorflow", keras.__version__)


@pytest.mark.parametrize("family", ["dbow", "mlp"])
def test_two_runs_give_the_same_bytes_wherever_they_lie(family, folder, tmp_path):
    """Model, description, figures and curves, of other names in other places."""
    for name in ("one", "other"):
        training = make_training(folder, tmp_path / name, family, steps=6, eval_steps=3, ema=0.5)
        run(replace(training, name=name, source=str(tmp_path)) if name == "other" else training)
    assert files(tmp_path / "one") == files(tmp_path / "other")
    assert len(files(tmp_path / "one")) == 5


def test_another_seed_gives_another_model(folder, tmp_path):
    """Of the videos' order alone: initial values are the same."""
    for seed in (1, 2):
        run(make_training(folder, tmp_path / str(seed), seed=seed, steps=2, eval_steps=2))
    one, other = ((tmp_path / f"{seed}/data/train/tiny" / storage.WEIGHTS).read_bytes() for seed in (1, 2))
    assert one != other


def test_what_was_cut_off_goes_on_and_ends_in_the_same_bytes(folder, tmp_path, cut, capsys):
    """Cut off between scores, twice."""
    whole = make_training(folder, tmp_path / "whole", "dbow", objective=CutAfter())
    run(whole)
    again = make_training(folder, tmp_path / "cut", "dbow", objective=CutAfter())
    for steps in (8, 7):
        cut(steps)
        with pytest.raises(Cut):
            run(again)
        assert not again.out.exists()
        assert len(list(again.states.iterdir())) == 1
    capsys.readouterr()
    cut(0)
    run(again)
    assert "going on from step 12" in capsys.readouterr().out
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


@pytest.mark.parametrize("change", ["batch", "data"])
def test_what_was_cut_off_is_not_gone_on_with_where_anything_differs(change, folder, tmp_path, cut, capsys):
    training = make_training(folder, tmp_path, objective=CutAfter())
    cut(8)
    with pytest.raises(Cut):
        run(training)
    cut(0)
    other = {
        "batch": replace(training, schedule=replace(training.schedule, batch_size=12)),
        "data": replace(training, phases=(Phase(folder / "holdout.tsv", 24),)),
    }[change]
    run(other)
    assert "going on" not in capsys.readouterr().out
    assert logged(training.log, "holdout_gap")[0] == [6, 12, 18, 24]
    assert not training.states.exists()  # the other one's is of no use any more


@pytest.fixture
def start(tmp_path):
    """The folder of a model, random as it is, with a seed that draws frames."""
    model = tiny.randomized("netvlad")
    model(tiny.batch(), training=True)
    storage.save(model, tiny.describe("netvlad"), tmp_path / "start")
    return tmp_path / "start"


def test_a_trained_model_goes_on(start, folder, holdout, tmp_path):
    """From its weights, which are scored first, and with its description."""
    training = make_training(folder, tmp_path, start=start, steps=6, eval_steps=3)
    before, own = storage.load(start)
    gap = run(training)
    steps, values = logged(training.log, "holdout_gap")
    assert steps == [0, 3, 6]
    assert values[0] == pytest.approx(dataset_gap(before, holdout, 10), abs=1e-6)
    assert gap == max(values) > values[0]
    model, read = storage.load(training.out)
    assert read == own
    assert dataset_gap(model, holdout, 10) == pytest.approx(gap, abs=1e-6)


def test_a_trained_model_that_nothing_makes_better_stays_as_it_was(start, folder, tmp_path, monkeypatch):
    scores = iter([0.9, 0.5, 0.5])
    monkeypatch.setattr("yt8m.training.fit.dataset_gap", lambda *_: next(scores))
    training = make_training(folder, tmp_path, start=start, steps=2, eval_steps=1)
    assert run(training) == 0.9
    assert_same(storage.load(training.out)[0].get_weights(), storage.load(start)[0].get_weights())


def test_label_relations_are_saved_as_those_of_the_weights_that_were_kept(start, folder, tmp_path):
    """Beside the plain model, which knows nothing of them."""
    relations = Relations(lambda1=1e-4, lambda2=1e-4, damping=0.1, period=4)
    training = make_training(folder, tmp_path, start=start, objective=relations, steps=6, eval_steps=3)
    run(training)
    model, _ = storage.load(training.out)
    assert {path.name for path in training.out.iterdir()} == {storage.WEIGHTS, storage.DESCRIPTION, OMEGA}
    kernel, classes = output_kernel(model)
    expected = omega.relation(np.asarray(class_weights(np.asarray(kernel), classes)))
    found = omega.load(training.out / OMEGA)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-7)
    np.testing.assert_allclose(omega.normalized(found), omega.normalized(expected), atol=1e-5)


def test_a_model_over_the_limit_is_refused_and_the_older_one_stays(folder, tmp_path, untrained):
    training = make_training(folder, tmp_path)
    with pytest.raises(InputError, match=r"at most 1,000 bytes, received \d+,\d+ bytes"):
        run(replace(training, max_bytes=1000))
    assert not training.out.exists()
    assert not list(training.out.parent.iterdir())
    run(training)
    before, exact = files(training.out), size(training.out)
    with pytest.raises(InputError):
        run(replace(training, max_bytes=exact - 1))
    assert files(training.out) == before
    run(replace(training, max_bytes=exact))
    assert metrics(training) == {"holdout_gap": 0.5, "bytes": exact}


def test_all_that_is_saved_counts_towards_the_limit(start, folder, tmp_path, untrained):
    training = make_training(folder, tmp_path, start=start, objective=Relations(1e-4, 1e-4, 0.1, 4))
    run(training)
    assert (training.out / OMEGA).stat().st_size > 100
    with pytest.raises(InputError, match=f"received {size(training.out):,} bytes"):
        run(replace(training, max_bytes=size(training.out) - 1))


def test_a_student_too_large_is_stored_in_half_without_training_again(folder, holdout, tmp_path, capsys):
    training = make_training(folder, tmp_path, steps=12)
    gap = run(training)
    limit = size(training.out) - 1
    with pytest.raises(InputError):
        run(replace(training, max_bytes=limit))
    capsys.readouterr()
    assert run(replace(training, max_bytes=limit, storage="float16")) == gap
    assert "going on from step 12" in capsys.readouterr().out
    assert size(training.out) <= limit
    assert metrics(training) == {"holdout_gap": gap, "bytes": size(training.out)}
    assert description(training)["storage"] == "float16"
    assert dataset_gap(storage.load(training.out)[0], holdout, 10) == pytest.approx(gap, abs=0.01)


@pytest.mark.parametrize("name", ["maximum_of_padding", "garbage", "no_output", "unnamed"])
def test_a_family_that_breaks_its_contract_is_refused_before_anything_is_written(name, folder, tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(run_module, "fit", lambda *_, **__: trained.append(1))
    body, head, said = broken.BROKEN[name]
    with broken.family(tmp_path / "families", name, body, head):
        training = make_training(folder, tmp_path / "project", name)
        with pytest.raises(InputError, match=f"^family '{name}': {said}"):
            run(training)
    assert not trained
    assert not (tmp_path / "project").exists()


def test_a_family_that_keeps_it_is_trained(folder, tmp_path):
    """A folder put there is all it takes."""
    with broken.family(tmp_path / "families", "rectified", *broken.KEPT["rectified"]):
        training = make_training(folder, tmp_path / "project", "rectified", steps=6, eval_steps=3)
        gap = run(training)
        model, read = storage.load(training.out)
    assert read.family == "rectified"
    assert dataset_gap(model, Dataset(training.holdout, folder), 10) == pytest.approx(gap, abs=1e-6)


def test_the_check_of_the_contract_changes_nothing_of_the_training(folder, tmp_path, monkeypatch):
    for name in ("checked", "unchecked"):
        run(make_training(folder, tmp_path / name, "nextvlad", steps=2, eval_steps=1))
        monkeypatch.setattr(run_module.contract, "check", lambda description: None)
    assert files(tmp_path / "checked") == files(tmp_path / "unchecked")


def test_a_trained_models_family_is_not_looked_at_again(start, folder, tmp_path, untrained, monkeypatch):
    monkeypatch.delattr(run_module.contract, "check")
    run(make_training(folder, tmp_path, start=start))


@pytest.fixture
def on(monkeypatch):
    """Have trainings run on other devices; what they were asked for is collected."""
    asked = []

    def on(devices):
        def prepare(xla):
            asked.append(xla)
            return devices

        monkeypatch.setattr(run_module, "prepare", prepare)
        return asked

    return on


class Unheard(Peers):
    """A process of several, of which the others say what it says."""

    def agree(self, value):
        return value

    def told(self, arrays):
        return list(arrays)

    def compare(self, about):
        """As all are."""


def test_a_batch_that_devices_cannot_divide_is_refused_before_anything_is_written(folder, tmp_path, on):
    on(Devices(Peers(), 4, nullcontext))
    with pytest.raises(InputError, match=r"batch_size: expected a multiple of the 4 devices .*, received 10"):
        run(make_training(folder, tmp_path))
    assert not list(tmp_path.iterdir())


def test_only_the_first_process_writes(folder, tmp_path, on):
    on(Devices(Unheard(1, 2), 2, nullcontext))
    run(make_training(folder, tmp_path, steps=2, eval_steps=1))
    assert not list(tmp_path.iterdir())


def test_each_process_trains_on_its_own_rows(folder, tmp_path, on, monkeypatch):
    rows = []

    def fit(model, training, live, state, own):
        rows.append(own)
        return 0.5

    monkeypatch.setattr(run_module, "fit", fit)
    for process in range(2):
        on(Devices(Unheard(process, 2), 2, nullcontext))
        run(make_training(folder, tmp_path))
    assert rows == [slice(0, 5), slice(5, 10)]


def test_the_number_of_devices_is_told_and_decides_what_goes_on(folder, tmp_path, on, cut, monkeypatch, capsys):
    training = make_training(folder, tmp_path, objective=CutAfter(), steps=12)
    cut(8)
    with pytest.raises(Cut):
        run(training)
    cut(0)
    on(Devices(Peers(), 2, nullcontext))
    run(training)
    assert "going on" not in capsys.readouterr().out
    assert description(training)["made"]["devices"] == 2


@pytest.mark.parametrize("xla", [False, True])
def test_determinism_is_asked_for_as_the_schedule_compiles(folder, tmp_path, on, untrained, xla):
    asked = on(Devices(Peers(), 1, nullcontext))
    run(make_training(folder, tmp_path, xla=xla))
    assert asked == [xla]


def test_it_says_what_is_trained_and_how_long(folder, tmp_path, untrained, capsys):
    training = make_training(folder, tmp_path)
    run(training)
    first, last = capsys.readouterr().out.splitlines()
    parameters = tiny.new("moe").count_params()
    assert first == f"train/tiny: moe, {parameters:,} parameters, {training.length}"
    assert last == "train/tiny: holdout GAP 0.5000"
    assert SCHEDULE["steps"] == training.phases[0].steps
