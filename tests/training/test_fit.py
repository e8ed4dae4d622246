"""Training: what it keeps, when it stops, what it logs, and that it does the same each time."""

import csv
import json
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from dvclive import Live

from tests.models import tiny
from yt8m.settings.params import Train
from yt8m.training import fit as fit_module
from yt8m.training.fit import Plan, fit, plan, samples
from yt8m.training.scores import dataset_gap
from yt8m.training.state import State

PLAN: dict[str, Any] = {
    "batch_size": 10,
    "learning_rate": 0.05,
    "decay": 0.5,
    "decay_examples": 1000,
    "clip_norm": 0.7,
    "steps": 24,
    "eval_steps": 6,
    "patience": 9,
    "ema": 0.0,
    "xla": False,
}


def batches(training, seed=1):
    return lambda start: samples(training.shuffled(10, seed, 20, start=start))


def logged(live, metric):
    """The steps and values of a metric in dvclive's table."""
    table = Path(live.dir, "plots", "metrics", f"{metric}.tsv").read_text()
    rows = list(csv.DictReader(table.splitlines(), delimiter="\t"))
    return [int(row["step"]) for row in rows], [float(row[metric]) for row in rows]


class Spoil(keras.callbacks.Callback):
    """From the third score on the experts say the opposite of what they had learnt by the second."""

    weights = None

    def on_train_batch_end(self, batch, logs=None):
        if self.weights:
            self.model.set_weights(self.weights)

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            opposite = {"expert_kernel", "expert_bias"}
            self.weights = [-np.asarray(w) if w.name in opposite else np.asarray(w) for w in self.model.weights]


@pytest.fixture
def scripted(monkeypatch):
    """Scores on the holdout by script; yields what to script, and collects the weights scored."""

    def script(*values):
        scores, weights = iter(values), []

        def score(model, dataset, batch_size):
            weights.append(model.get_weights())
            return next(scores)

        monkeypatch.setattr(fit_module, "dataset_gap", score)
        return weights

    return script


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_learns_what_the_labels_show(training, holdout, live, state):
    model = tiny.new("moe")
    before = dataset_gap(model, holdout, 10)
    assert fit(model, batches(training), holdout, Plan(**PLAN), live, state) > max(before + 0.1, 0.7)


def test_the_model_is_left_with_the_weights_that_scored_best(training, holdout, live, state):
    model = tiny.new("moe")
    gap = fit(model, batches(training), holdout, Plan(**PLAN), live, state, callbacks=[Spoil()])
    _, values = logged(live, "holdout_gap")
    assert gap == values[1] > values[-1] + 0.1
    assert dataset_gap(model, holdout, 10) == pytest.approx(gap, abs=1e-6)


def test_everything_is_logged_by_step(training, holdout, live, state):
    gap = fit(tiny.new("moe"), batches(training), holdout, Plan(**PLAN), live, state)
    steps, losses = logged(live, "loss")
    assert steps == [6, 12, 18, 24]
    assert losses == sorted(losses, reverse=True)
    assert logged(live, "holdout_gap")[0] == steps
    summary = json.loads(Path(live.metrics_file).read_text())
    assert summary["gap"] == gap == max(logged(live, "holdout_gap")[1])


@pytest.mark.parametrize(
    ("patience", "values", "scored", "best"),
    [
        (1, [0.1, 0.5, 0.4, 0.9], 3, 1),
        (2, [0.5, 0.4, 0.6, 0.5, 0.5, 0.9], 5, 2),
        (2, [0.5, 0.5, 0.5, 0.9], 3, 0),  # as good is not better
        (3, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 6, 5),  # the plan's end
    ],
)
def test_stops_after_so_many_scores_without_a_better_one(
    training, holdout, scripted, live, state, patience, values, scored, best
):
    weights = scripted(*values)
    model = tiny.new("moe")
    schedule = Plan(**PLAN | {"steps": 12, "eval_steps": 2, "patience": patience})
    assert fit(model, batches(training), holdout, schedule, live, state) == values[best]
    assert len(weights) == scored
    assert_same(model.get_weights(), weights[best])
    assert any((a != b).any() for a, b in zip(weights[0], weights[1], strict=True))


@pytest.mark.parametrize(("start", "best"), [(0.9, 0), (0.2, 1)])
def test_the_start_may_be_the_best(training, holdout, scripted, live, state, start, best):
    weights = scripted(start, 0.5, 0.4, 0.3)
    model = tiny.new("moe")
    initial = model.get_weights()
    schedule = Plan(**PLAN | {"steps": 6, "eval_steps": 2})
    assert fit(model, batches(training), holdout, schedule, live, state, score_start=True) == max(start, 0.5)
    assert_same(weights[0], initial)
    assert_same(model.get_weights(), weights[best])
    assert logged(live, "holdout_gap") == ([0, 2, 4, 6], [start, 0.5, 0.4, 0.3])


def test_two_runs_give_the_same_weights(training, holdout, scripted, tmp_path):
    """Sampled frames, shuffled videos and initial values all follow from seeds."""
    scripted(0.1, 0.2, 0.1, 0.2)
    weights = []
    for run in ("first", "second"):
        model = tiny.new("dbow")
        initial = model.get_weights()
        with Live(str(tmp_path / run), dvcyaml=None, save_dvc_exp=False) as log:
            state = State(tmp_path / f"{run}.state")
            fit(model, batches(training), holdout, Plan(**PLAN | {"steps": 4, "eval_steps": 2}), log, state)
        weights.append(model.get_weights())
    assert_same(weights[0], weights[1])
    assert all((a != b).any() for a, b in zip(weights[0], initial, strict=True))


@pytest.mark.parametrize(("examples", "times"), [(1, 6), (25, 3), (70, 0)])
def test_the_rate_falls_in_steps_of_examples(training, holdout, scripted, live, state, examples, times):
    """Six steps of ten videos; the decay comes after each `decay_examples` videos, rounded down to batches."""
    scripted(0.5)
    model = tiny.new("moe")
    schedule = Plan(**PLAN | {"steps": 6, "decay_examples": examples})
    fit(model, batches(training), holdout, schedule, live, state)
    assert int(model.optimizer.iterations) == 6
    assert model.optimizer.clip_norm == schedule.clip_norm
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05 * 0.5**times)


class Record(keras.callbacks.Callback):
    """The trainable weights after each step."""

    def __init__(self):
        super().__init__()
        self.steps = []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append([keras.ops.convert_to_numpy(weight).copy() for weight in self.model.trainable_weights])


def test_the_moving_average_of_weights_is_scored_and_kept(training, holdout, scripted, live, state):
    """The training itself goes on with the weights as they are."""
    record, plain, weights = Record(), Record(), scripted(0.1, 0.2)
    model = tiny.new("moe")
    schedule = Plan(**PLAN | {"steps": 6, "eval_steps": 3, "ema": 0.75})
    fit(model, batches(training), holdout, schedule, live, state, callbacks=[record])
    average = record.steps[0]
    for step in record.steps[1:]:
        average = [0.75 * old + 0.25 * new for old, new in zip(average, step, strict=True)]
    for weight, expected in zip(model.trainable_weights, average, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)
    assert_same(model.get_weights(), weights[1])
    scripted(0.1, 0.2)
    without = State(state.path.with_name("without"))
    schedule = Plan(**PLAN | {"steps": 6, "eval_steps": 3})
    fit(tiny.new("moe"), batches(training), holdout, schedule, live, without, callbacks=[plain])
    for first, second in zip(record.steps, plain.steps, strict=True):
        assert_same(first, second)


def test_no_more_steps_than_planned(training, holdout, scripted, live, state):
    scripted(0.5, 0.5)
    model = tiny.new("moe")
    fit(model, batches(training), holdout, Plan(**PLAN | {"steps": 7, "eval_steps": 4}), live, state)
    assert int(model.optimizer.iterations) <= 7


def test_a_plan_counts_epochs_and_examples_in_steps():
    shared = {name: PLAN[name] for name in ("decay", "decay_examples", "clip_norm", "patience", "ema", "xla")}
    shared |= {"batch_norm_momentum": 0.9, "shuffle_buffer": 1, "precision": "float32"}
    made = plan(105, Train(**shared, eval_examples=49), batch_size=10, learning_rate=0.05, epochs=3)
    assert made == Plan(**PLAN | {"steps": 31, "eval_steps": 4})
    least = plan(3, Train(**shared, eval_examples=3), batch_size=10, learning_rate=0.05, epochs=1)
    assert (least.steps, least.eval_steps) == (1, 1)


def test_samples_are_inputs_with_labels_or_other_targets(training):
    both = zip(
        islice(training.batches(10), 3), batches_of(training), batches_of(training, lambda b: b.labels / 2), strict=True
    )
    for batch, (inputs, labels), (_, halves) in both:
        assert inputs.keys() == batch.inputs.keys()
        for name in inputs:
            np.testing.assert_array_equal(inputs[name], batch.inputs[name])
        np.testing.assert_array_equal(labels, batch.labels)
        np.testing.assert_array_equal(halves, batch.labels / 2)


def batches_of(training, targets=None):
    return islice(samples(training.batches(10), targets), 3)
