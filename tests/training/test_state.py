"""A training's state: what is saved is what is taken up, whole or not at all, and for one configuration alone."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np
import pytest
from dvclive import Live

from tests.models import tiny
from tests.training.made import After, assert_same, built, logged, make_training
from yt8m.core.backend import limited_threads
from yt8m.core.errors import InputError
from yt8m.relations.regularizer import Relations
from yt8m.training.fit import fit
from yt8m.training.peers import Peers
from yt8m.training.state import Score, State, all_that_decides, environment, fingerprint
from yt8m.training.training import Objective

SCORES = [Score(0, 0.25, None), Score(6, 0.5, 1.25, {"relations_share": 0.125})]


def compiled(family="dbow", seed=1):
    model = tiny.new(family, seed=seed)
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, "mse")
    return model


def trained(steps=3):
    model = compiled()
    for _ in range(steps):
        model.train_on_batch(tiny.batch(), np.eye(5, dtype=np.float32)[:3])
    return model


def everything(model):
    """Weights, seeds of sampled frames, and the optimizer's variables."""
    return [np.asarray(variable) for variable in [*model.variables, *model.optimizer.variables]]


def test_a_state_gives_a_new_model_all_that_the_old_one_had(state):
    model, other = trained(), compiled(seed=2)
    kept = [[weight + rank for weight in model.get_weights()] for rank in (1, 2)]
    state.save(model, SCORES, kept)
    scores, found = state.load(other)
    assert scores == SCORES
    for weights, expected in zip(found, kept, strict=True):
        assert_same(weights, expected)
    assert_same(everything(other), everything(model))
    assert int(other.optimizer.iterations) == 3


def test_sampled_frames_go_on_where_they_were(state):
    """The state of the random generator is part of it."""
    model, other = trained(), compiled()
    state.save(model, SCORES, [model.get_weights()])
    state.load(other)
    inputs = tiny.batch()
    np.testing.assert_array_equal(model(inputs, training=True), other(inputs, training=True))


def test_without_a_state_nothing_changes(state):
    model = trained()
    before = everything(model)
    assert state.load(model) == ([], [])
    assert_same(everything(model), before)


def test_only_one_process_writes(tmp_path):
    State(tmp_path / "state", Peers(1, 2)).save(trained(), SCORES, [])
    assert not list(tmp_path.iterdir())


def test_a_damaged_state_is_refused_by_name(state):
    model = trained()
    state.save(model, SCORES, [model.get_weights()])
    state.path.write_bytes(state.path.read_bytes()[:-100])
    with pytest.raises(InputError, match=rf"{state.path}: expected a training's state: .*; delete it"):
        state.load(model)


class TestFingerprint:
    identity: ClassVar[dict] = {"seed": 1, "objective": {"lambda": 0.5}}

    @pytest.fixture
    def edited(self, monkeypatch):
        """Have a module's file read with something behind it."""
        read = Path.read_bytes

        def edit(end, added):
            def changed(path):
                return read(path) + (added if path.as_posix().endswith(end) else b"")

            monkeypatch.setattr(Path, "read_bytes", changed)

        return edit

    def test_is_the_same_for_the_same(self):
        assert fingerprint(all_that_decides(self.identity, 1)) == fingerprint(
            all_that_decides({"objective": {"lambda": 0.5}, "seed": 1}, 1)
        )

    @pytest.mark.parametrize("changed", [{"seed": 2}, {"objective": {"lambda": 0.25}}, {"more": None}])
    def test_differs_for_another_training(self, changed):
        assert fingerprint(all_that_decides(self.identity | changed, 1)) != fingerprint(
            all_that_decides(self.identity, 1)
        )

    def test_differs_for_other_devices(self):
        assert fingerprint(all_that_decides(self.identity, 2)) != fingerprint(all_that_decides(self.identity, 1))

    @pytest.mark.parametrize("module", ["models/dbow/network.py", "layers/head.py", "core/backend.py"])
    def test_differs_for_other_code(self, module, edited):
        """Any loaded module of the project counts."""
        tiny.new("dbow")
        before = fingerprint(all_that_decides({}, 1))
        edited(f"yt8m/{module}", b"\nEDITED = True\n")
        assert fingerprint(all_that_decides({}, 1)) != before

    def test_no_comment_changes_it(self, edited):
        tiny.new("dbow")
        before = fingerprint(all_that_decides({}, 1))
        edited("yt8m/models/dbow/network.py", b"\n# edited\n")
        assert fingerprint(all_that_decides({}, 1)) == before

    @pytest.mark.parametrize("module", ["settings/params.py", "settings/registry.py", "core/source.py"])
    def test_what_decides_no_result_does_not_change_it(self, module, edited):
        assert f"yt8m.{module.removesuffix('.py').replace('/', '.')}" in sys.modules
        before = fingerprint(all_that_decides({}, 1))
        edited(f"yt8m/{module}", b"\nEDITED = True\n")
        assert fingerprint(all_that_decides({}, 1)) == before

    def test_differs_for_other_libraries(self, monkeypatch):
        before = fingerprint(all_that_decides({}, 1))
        monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
        assert fingerprint(all_that_decides({}, 1)) != before

    def test_differs_for_another_backend(self, monkeypatch):
        before = fingerprint(all_that_decides({}, 1))
        monkeypatch.setattr("keras.backend.backend", lambda: "jax")
        assert fingerprint(all_that_decides({}, 1)) != before


@pytest.mark.parametrize(("backend", "libraries"), [("tensorflow", {"tensorflow"}), ("jax", {"jax", "jaxlib"})])
def test_the_environment_is_the_running_backend_with_its_own_libraries(backend, libraries, monkeypatch):
    """Another backend that happens to be installed decides nothing."""
    monkeypatch.setattr("keras.backend.backend", lambda: backend)
    monkeypatch.setattr("importlib.metadata.version", lambda name: f"version of {name}")
    versions = {name: f"version of {name}" for name in {"keras", "numpy"} | libraries}
    assert environment() == {"backend": backend, "threads": limited_threads(), "versions": versions}


def test_versions_are_those_that_run():
    versions = environment()["versions"]
    assert (versions["keras"], versions["numpy"]) == (keras.__version__, np.__version__)


class Cut(Exception):
    """A training's end that it did not plan."""


class CutOff(After):
    """Ends the training."""

    def happen(self):
        raise Cut


def cut_off(objective, steps):
    """The same objective, whose training ends after so many steps."""

    @dataclass(frozen=True)
    class Interrupted(type(objective)):  # type: ignore[misc]
        def callbacks(self):
            return (*super().callbacks(), CutOff(steps))

    return Interrupted(**vars(objective))


def run(folder, root, family, cuts=(), objective=None, goes_on=False, **changes):
    """Train with interruptions, each in a new model, as a new process would; return the model and its log.

    Args:
        goes_on: whether the model was trained before, so that its start is scored too.
    """
    objective = objective or Objective()
    for number, steps in enumerate([*cuts, None]):
        own = cut_off(objective, steps) if steps else objective
        training = make_training(folder, root, family, objective=own, **changes)
        model = built(training)
        training = replace(training, start=root) if goes_on else training
        with Live(str(root / f"live{number}"), dvcyaml=None, save_dvc_exp=False) as live:
            try:
                fit(model, training, live, State(root / "state"))
            except Cut:
                continue
            assert steps is None
            return model, live
    raise AssertionError


@pytest.mark.parametrize(
    ("family", "changes", "cuts"),
    [
        ("dbow", {}, (1, 9, 9)),
        ("mlp", {"ema": 0.8, "checkpoints": 3, "mixup": 0.4}, (7, 6)),
        ("moe", {"objective": Relations(1e-3, 1e-3, 1.0, 4), "goes_on": True}, (3, 6, 9)),
    ],
    ids=["plain", "averaged and mixed, with dropout", "with label relations"],
)
def test_a_training_cut_off_anywhere_ends_as_if_it_had_not_been(family, changes, cuts, folder, tmp_path):
    """24 steps, scored every 6."""
    whole, log = run(folder, tmp_path / "whole", family, **changes)
    resumed, other = run(folder, tmp_path / "cut", family, cuts, **changes)
    assert_same(resumed.get_weights(), whole.get_weights())
    for metric in ("holdout_gap", "loss"):
        assert logged(other.dir, metric) == logged(log.dir, metric)
    assert logged(other.dir, "holdout_gap")[0] == [0, 6, 12, 18, 24][0 if changes.get("goes_on") else 1 :]
    assert other.summary == log.summary


def test_a_finished_training_is_not_trained_again(folder, tmp_path):
    """Killed between its last score and the removal of its state."""
    whole, _ = run(folder, tmp_path, "moe")
    again, _ = run(folder, tmp_path, "moe")
    assert_same(again.get_weights(), whole.get_weights())
    assert int(again.optimizer.iterations) == 24
