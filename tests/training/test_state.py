"""A training's state: what is saved is what is taken up, whole or not at all, and for one configuration alone."""

from pathlib import Path
from typing import ClassVar

import keras
import numpy as np
import pytest
from dvclive import Live

from tests.models import tiny
from tests.training.test_fit import PLAN, assert_same, batches, logged
from yt8m.core.errors import InputError
from yt8m.relations.regularizer import Alternate, RelatedModel
from yt8m.training.fit import Plan, fit
from yt8m.training.state import Score, State, fingerprint

SCORES = [Score(0, 0.25, None), Score(6, 0.5, 1.25)]


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
    best = [weight + 1 for weight in model.get_weights()]
    state.save(model, SCORES, best)
    scores, weights = state.load(other)
    assert scores == SCORES
    assert_same(weights, best)
    assert_same(everything(other), everything(model))
    assert int(other.optimizer.iterations) == 3


def test_sampled_frames_go_on_where_they_were(state):
    """The state of the random generator is part of it."""
    model, other = trained(), compiled()
    state.save(model, SCORES, model.get_weights())
    state.load(other)
    inputs = tiny.batch()
    np.testing.assert_array_equal(model(inputs, training=True), other(inputs, training=True))


def test_without_a_state_nothing_changes(state):
    model = trained()
    before = everything(model)
    assert state.load(model) == ([], [])
    assert_same(everything(model), before)


def test_only_one_process_writes(tmp_path):
    State(tmp_path / "state", write=False).save(trained(), SCORES, [])
    assert not list(tmp_path.iterdir())


def test_a_damaged_state_is_refused_by_name(state):
    model = trained()
    state.save(model, SCORES, model.get_weights())
    state.path.write_bytes(state.path.read_bytes()[:-100])
    with pytest.raises(InputError, match=rf"{state.path}: expected a training's state: .*; delete it"):
        state.load(model)


class TestFingerprint:
    settings: ClassVar[list] = [Plan(**PLAN), {"lambda": 0.5}]

    def test_is_the_same_for_the_same(self, tmp_path):
        (tmp_path / "a").write_text("data")
        assert fingerprint(self.settings, [tmp_path / "a"]) == fingerprint(self.settings, [tmp_path / "a"])

    @pytest.mark.parametrize("changed", [[Plan(**PLAN | {"ema": 0.5}), {"lambda": 0.5}], [Plan(**PLAN), {"lambda": 1}]])
    def test_differs_for_other_parameters(self, changed):
        assert fingerprint(self.settings, []) != fingerprint(changed, [])

    def test_differs_for_other_data(self, tmp_path):
        (tmp_path / "a").write_text("data")
        before = fingerprint([], [tmp_path / "a"])
        (tmp_path / "a").write_text("date")
        assert fingerprint([], [tmp_path / "a"]) != before

    def test_differs_for_other_code(self, monkeypatch):
        """Any loaded module of the project counts."""
        before, read = fingerprint([], []), Path.read_bytes

        def edited(path):
            return read(path) + (b"# edited" if path.name == "dbow.py" else b"")

        monkeypatch.setattr(Path, "read_bytes", edited)
        tiny.new("dbow")
        assert fingerprint([], []) != before

    def test_differs_for_other_libraries(self, monkeypatch):
        before = fingerprint([], [])
        monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
        assert fingerprint([], []) != before


class Cut(Exception):
    """A training's end that it did not plan."""


class CutOff(keras.callbacks.Callback):
    """Ends the training after so many steps in this run."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise Cut


def run(family, training, holdout, folder, cuts=(), **changes):
    """Train with interruptions, each in a new model, as a new process would; return the model and the log's folder."""
    for number, steps in enumerate([*cuts, None]):
        model = plain = tiny.new(family)
        callbacks = [CutOff(steps)] if steps else []
        if changes.get("related"):
            model = RelatedModel(plain.inputs, plain.outputs, lambda1=1e-3, lambda2=1e-3, damping=1.0)
            callbacks.append(Alternate(4))
        schedule = Plan(**PLAN | {key: value for key, value in changes.items() if key in PLAN})
        with Live(str(folder / f"live{number}"), dvcyaml=None, save_dvc_exp=False) as live:
            try:
                fit(
                    model,
                    batches(training),
                    holdout,
                    schedule,
                    live,
                    State(folder / "state"),
                    callbacks=callbacks,
                    score_start=changes.get("related", False),
                )
            except Cut:
                continue
            assert steps is None
            return plain, live
    raise AssertionError


@pytest.mark.parametrize(
    ("family", "changes", "cuts"),
    [
        ("netvlad", {}, (1, 9, 9)),
        ("nextvlad", {"ema": 0.8}, (7, 6)),
        ("dbow", {"related": True}, (3, 6, 9)),
    ],
    ids=["plain", "averaged, with dropout", "with label relations"],
)
def test_a_training_cut_off_anywhere_ends_as_if_it_had_not_been(family, changes, cuts, training, holdout, tmp_path):
    """The plan is 24 steps, scored every 6."""
    whole, log = run(family, training, holdout, tmp_path / "whole", **changes)
    resumed, other = run(family, training, holdout, tmp_path / "cut", cuts, **changes)
    assert_same(resumed.get_weights(), whole.get_weights())
    for metric in ("holdout_gap", "loss"):
        assert logged(other, metric) == logged(log, metric)
    assert other.summary == log.summary


def test_a_finished_training_is_not_trained_again(training, holdout, tmp_path):
    """Killed between its last score and the removal of its state."""
    whole, _ = run("moe", training, holdout, tmp_path)
    again, _ = run("moe", training, holdout, tmp_path, cuts=())
    assert_same(again.get_weights(), whole.get_weights())
    assert int(again.optimizer.iterations) == 24
