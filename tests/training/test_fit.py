"""Training: what it keeps, when it stops, what it logs, and that it does the same each time."""

from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import keras
import numpy as np
import pytest
from dvclive import Live

from tests.models import tiny
from tests.training.made import After, assert_same, built, logged, make_training, write_sets
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.models.building import build
from yt8m.records.batches import Batch
from yt8m.records.dataset import Dataset
from yt8m.settings.params import Drop
from yt8m.training import fit as fit_module
from yt8m.training.fit import batches, fit, samples, source
from yt8m.training.scores import dataset_gap
from yt8m.training.state import State
from yt8m.training.training import Objective, Phase, Training


def watched(*own):
    """An objective by the labels that has callbacks."""

    @dataclass(frozen=True)
    class Watched(Objective):
        def callbacks(self):
            return own

    return Watched()


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


@pytest.fixture
def made(folder, tmp_path):
    """From changes to a training and its model."""

    def make(family: str = "moe", **changes: Any) -> tuple[keras.Model, Training]:
        training = make_training(folder, tmp_path, family, **changes)
        return built(training), training

    return make


def test_training_learns_what_the_labels_show(made, holdout, live, state):
    model, training = made()
    before = dataset_gap(model, holdout, 10)
    assert fit(model, training, live, state) > max(before + 0.1, 0.7)


def test_the_model_is_left_with_the_weights_that_scored_best(made, holdout, live, state):
    model, training = made(objective=watched(Spoil()))
    gap = fit(model, training, live, state)
    _, values = logged(live.dir, "holdout_gap")
    assert gap == values[1] > values[-1] + 0.1
    assert dataset_gap(model, holdout, 10) == pytest.approx(gap, abs=1e-6)


def test_everything_is_logged_by_step(made, live, state):
    model, training = made()
    gap = fit(model, training, live, state)
    steps, losses = logged(live.dir, "loss")
    assert steps == [6, 12, 18, 24]
    assert losses == sorted(losses, reverse=True)
    scored, gaps = logged(live.dir, "holdout_gap")
    assert scored == steps
    assert gap == max(gaps)


def test_an_objectives_figures_are_logged_and_come_back_with_the_state(made, live, state, tmp_path):
    """Only where steps were made: the start of a trained model shows nothing."""

    @dataclass(frozen=True)
    class Telling(Objective):
        def figures(self, model, loss):
            return {"doubled": 2 * loss}

    model, training = made(objective=Telling(), steps=12)
    training = replace(training, start=tmp_path)
    fit(model, training, live, state)
    steps, losses = logged(live.dir, "loss")
    assert logged(live.dir, "doubled") == (steps, [2 * loss for loss in losses])
    with Live(str(tmp_path / "again"), dvcyaml=None, save_dvc_exp=False) as again:
        fit(built(replace(training, start=tiny.describe("moe"))), training, again, state)
    for name in ("loss", "holdout_gap", "doubled"):
        assert logged(again.dir, name) == logged(live.dir, name)


@pytest.mark.parametrize(
    ("patience", "values", "scored", "best"),
    [
        (1, [0.1, 0.5, 0.4, 0.9], 3, 1),
        (2, [0.5, 0.4, 0.6, 0.5, 0.5, 0.9], 5, 2),
        (2, [0.5, 0.5, 0.5, 0.9], 3, 0),  # as good is not better
        (3, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 6, 5),  # the schedule's end
    ],
)
def test_stops_after_so_many_scores_without_a_better_one(made, scripted, live, state, patience, values, scored, best):
    weights = scripted(*values)
    model, training = made(steps=12, eval_steps=2, patience=patience)
    assert fit(model, training, live, state) == values[best]
    assert len(weights) == scored
    assert_same(model.get_weights(), weights[best])
    assert any((a != b).any() for a, b in zip(weights[0], weights[1], strict=True))


def test_a_rate_that_falls_at_the_end_is_waited_for(made, scripted, live, state, capsys):
    """And its best score is the last as a rule, so that nothing is said of more epochs."""
    scripted(0.5, 0.4, 0.3, 0.2, 0.6)
    rate = Drop(kind="drop", warmup=0.0, share=0.4, shape="linear")
    model, training = made(steps=10, eval_steps=2, rate=rate)
    assert fit(model, training, live, state) == 0.6
    assert float(model.optimizer.learning_rate) < 0.02
    assert "more epochs" not in capsys.readouterr().out


@pytest.mark.parametrize(("values", "said"), [([0.1, 0.2], True), ([0.2, 0.1], False)])
def test_a_best_score_at_the_end_is_told(made, scripted, live, state, capsys, values, said):
    scripted(*values)
    model, training = made(steps=4, eval_steps=2)
    fit(model, training, live, state)
    assert ("the last of 2 scores is the best: with more epochs" in capsys.readouterr().out) is said


@pytest.mark.parametrize(("start", "best"), [(0.9, 0), (0.2, 1)])
def test_the_start_of_a_trained_model_may_be_the_best(made, scripted, live, state, tmp_path, start, best):
    weights = scripted(start, 0.5, 0.4, 0.3)
    model, training = made(steps=6, eval_steps=2)
    initial = model.get_weights()
    training = replace(training, start=tmp_path / "trained")
    assert fit(model, training, live, state) == max(start, 0.5)
    assert_same(weights[0], initial)
    assert_same(model.get_weights(), weights[best])
    assert logged(live.dir, "holdout_gap") == ([0, 2, 4, 6], [start, 0.5, 0.4, 0.3])


def test_a_new_models_start_is_not_scored(made, scripted, live, state):
    weights = scripted(0.4, 0.5)
    model, training = made(steps=4, eval_steps=2)
    initial = model.get_weights()
    fit(model, training, live, state)
    assert logged(live.dir, "holdout_gap") == ([2, 4], [0.4, 0.5])
    assert any((a != b).any() for a, b in zip(weights[0], initial, strict=True))


def test_two_runs_give_the_same_weights(made, scripted, tmp_path):
    """Sampled frames, shuffled videos and initial values all follow from seeds."""
    scripted(0.1, 0.2, 0.1, 0.2)
    weights = []
    for run in ("first", "second"):
        model, training = made("dbow", steps=4, eval_steps=2)
        initial = model.get_weights()
        with Live(str(tmp_path / run), dvcyaml=None, save_dvc_exp=False) as log:
            fit(model, training, log, State(tmp_path / f"{run}.state"))
        weights.append(model.get_weights())
    assert_same(weights[0], weights[1])
    assert all((a != b).any() for a, b in zip(weights[0], initial, strict=True))


@pytest.mark.parametrize(("examples", "times"), [(1, 6), (25, 3), (70, 0)])
def test_the_rate_falls_in_steps_of_examples(made, scripted, live, state, examples, times):
    """Six steps of ten videos; the decay comes after each `decay_examples` videos, rounded down to batches."""
    scripted(0.5)
    model, training = made(steps=6, decay_examples=examples)
    fit(model, training, live, state)
    assert int(model.optimizer.iterations) == 6
    assert model.optimizer.clip_norm == training.schedule.clip_norm
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05 * 0.5**times)


class Record(keras.callbacks.Callback):
    """All weights after each step."""

    def __init__(self):
        super().__init__()
        self.steps = []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append([keras.ops.convert_to_numpy(weight).copy() for weight in self.model.weights])


def test_the_training_itself_goes_on_with_its_own_weights(made, scripted, live, state):
    """Those of a training without a moving average, which is what is scored and kept."""
    record, plain, weights = Record(), Record(), scripted(0.1, 0.2, 0.1, 0.2)
    model, training = made(steps=6, eval_steps=3, ema=0.75, objective=watched(record))
    fit(model, training, live, state)
    assert_same(model.get_weights(), weights[1])
    model, training = made(steps=6, eval_steps=3, objective=watched(plain))
    fit(model, training, live, State(state.path.with_name("without")))
    for first, second in zip(record.steps, plain.steps, strict=True):
        assert_same(first[: len(second)], second)  # the averages stand behind
    assert any((a != b).any() for a, b in zip(weights[1], weights[3], strict=False))


def test_a_trained_models_start_is_scored_as_it_is(made, scripted, live, state, tmp_path):
    """Before the first step there is no average."""
    weights = scripted(0.9, 0.1)
    model, training = made(steps=2, eval_steps=2, ema=0.75)
    initial = model.get_weights()
    fit(model, replace(training, start=tmp_path / "trained"), live, state)
    assert_same(weights[0], initial)


@pytest.mark.parametrize(("last", "mean"), [(0.7, True), (0.55, False)])
def test_the_mean_of_the_best_weights_is_kept_where_it_scores_better(made, scripted, live, state, last, mean):
    """Of the scores .5, .3, .6, .5 the third and the first are the best two: the earlier of equal ones counts."""
    weights = scripted(0.5, 0.3, 0.6, 0.5, last)
    model, training = made(steps=8, eval_steps=2, checkpoints=2)
    assert fit(model, training, live, state) == max(last, 0.6)
    average = [(a + b) / 2 for a, b in zip(weights[2], weights[0], strict=True)]
    assert_same(weights[4], average)
    assert_same(model.get_weights(), average if mean else weights[2])


def test_videos_are_mixed_by_seed_and_step(made):
    """From any step on as from the first, each batch in another way, targets as the videos are."""
    _, training = made(mixup=0.5)
    whole, rest = list(samples(training, 0)), list(samples(training, 2))
    for (inputs, targets), (others, wanted) in zip(whole[2:], rest, strict=True):
        assert_same(inputs.values(), others.values())
        np.testing.assert_array_equal(targets, wanted)
    plain = list(samples(made()[1], 0))
    assert all((targets != labels).any() for (_, targets), (_, labels) in zip(whole, plain, strict=True))
    assert len({float(targets.max(initial=0, where=targets < 1)) for _, targets in whole}) > 1


def test_no_more_steps_than_planned(made, scripted, live, state):
    scripted(0.5, 0.5)
    model, training = made(steps=7, eval_steps=4)
    fit(model, training, live, state)
    assert int(model.optimizer.iterations) == 4  # what is left behind the last score could not be kept


class Spoilt(After):
    """A model gets a weight that is no number."""

    def happen(self):
        weights = self.model.get_weights()
        self.model.set_weights([np.full_like(weights[0], np.nan), *weights[1:]])


@pytest.mark.parametrize("steps", [1, 7, 8])
def test_a_loss_that_is_no_number_ends_the_training_at_its_step(made, live, state, steps):
    """Scored each six steps: nothing of it is scored or saved, and what was saved before stays."""
    model, training = made(objective=watched(Spoilt(steps)))
    with pytest.raises(InputError, match=f"^step {steps + 1}: expected a loss, received no number"):
        fit(model, training, live, state)
    other = built(training)
    fit_module.compile_for(other, training.schedule)
    scores, kept = state.load(other)
    assert [score.step for score in scores] == [6] * (steps > 6)
    assert all(np.isfinite(weight).all() for weights in kept for weight in weights)


def test_scores_that_are_no_numbers_end_the_training(made, live, state):
    """Where the last step before the holdout is scored has spoilt the weights."""
    model, training = made(objective=watched(Spoilt(6)))
    with pytest.raises(InputError, match="moe: expected scores between 0 and 1, received no numbers for video v2_0"):
        fit(model, training, live, state)
    assert not state.path.exists()


def test_an_input_that_is_no_number_ends_the_training_at_its_step(live, state, tmp_path, monkeypatch):
    def spoilt(training, start, rows=None):
        for step, (inputs, targets) in enumerate(samples(training, start, rows), 1):
            yield inputs | {"rgb": inputs["rgb"] * (np.nan if step == 3 else 1)}, targets

    monkeypatch.setattr(fit_module, "samples", spoilt)
    description = tiny.describe("moe", level=Level.VIDEO)
    training = make_training(write_sets(tmp_path, Level.VIDEO), tmp_path, start=description)
    with pytest.raises(InputError, match=r"^step 3: "):
        fit(build(description), training, live, state)


def test_the_training_goes_on_with_its_own_weights_where_the_average_cannot_be_scored(made, live, state, monkeypatch):
    def fail(*_):
        raise InputError("no score")

    monkeypatch.setattr(fit_module, "dataset_gap", fail)
    record = Record()
    model, training = made(steps=3, eval_steps=3, ema=0.75, objective=watched(record))
    with pytest.raises(InputError, match="no score"):
        fit(model, training, live, state)
    assert_same(model.get_weights(), record.steps[-1])


@pytest.mark.parametrize("start", [0, 3, 4, 11, 13])
@pytest.mark.parametrize("rows", [None, slice(0, 4), slice(6, 10)])
def test_phases_follow_each_other_from_any_step_on(made, folder, start, rows):
    """4 steps on the holdout's videos, 9 on the training's, none behind; each phase's order is of its own."""
    phases = (Phase(folder / "holdout.tsv", 4), Phase(folder / "train.tsv", 9))
    _, training = made(phases=phases, seed=3)
    expected: list[Batch] = []
    for phase in phases:
        expected += islice(Dataset(phase.manifest, folder).shuffled(10, 3, 20), phase.steps)
    found = list(batches(training, start, rows))
    assert len(found) == 13 - start
    for own, batch in zip(found, expected[start:], strict=True):
        assert own.ids == batch.ids[rows or slice(None)]
        np.testing.assert_array_equal(own.labels, batch.labels[rows or slice(None)])


def test_training_sees_each_batch_of_its_phases_once(made, folder, scripted, live, state):
    """A phase's batches are not drawn anew where another begins or the holdout is scored."""
    seen = []

    @dataclass(frozen=True)
    class Seen(Objective):
        def targets(self, batch):
            seen.append(batch.ids)
            return batch.labels

    scripted(0.1, 0.2)
    phases = (Phase(folder / "holdout.tsv", 3), Phase(folder / "train.tsv", 5))
    model, training = made(phases=phases, steps=8, eval_steps=4, objective=Seen())
    fit(model, training, live, state)
    assert seen == [batch.ids for batch in batches(training, 0)]
    assert len(seen) == 8


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others take the samples themselves")
def test_tensorflow_takes_samples_again_and_again_and_tunes_nothing():
    """The end of a training would wait for the thread that tunes."""
    dataset: Any = source(lambda: iter([({"x": np.full((2, 3), row)}, np.zeros(2)) for row in range(3)]))
    for _ in range(2):
        assert [int(inputs["x"][0, 0]) for inputs, _ in dataset] == [0, 1, 2]
    assert dataset.options().autotune.enabled is False


def test_samples_are_inputs_with_labels_or_other_targets(made):
    @dataclass(frozen=True)
    class Halves(Objective):
        def targets(self, batch):
            return batch.labels / 2

    (_, plain), (_, other) = made(), made(objective=Halves())
    both = zip(batches(plain, 0), samples(plain, 0), samples(other, 0), strict=True)
    for batch, (inputs, labels), (_, halves) in islice(both, 3):
        assert inputs.keys() == batch.inputs.keys()
        assert_same(inputs.values(), batch.inputs.values())
        np.testing.assert_array_equal(labels, batch.labels)
        np.testing.assert_array_equal(halves, batch.labels / 2)


def test_targets_take_the_place_of_labels(made, live, state):
    """Trained on the opposite of the labels, a model ranks worse than it does by the labels."""

    @dataclass(frozen=True)
    class Opposite(Objective):
        def targets(self, batch):
            return 1 - batch.labels

    model, training = made(steps=12, objective=Opposite())
    assert fit(model, training, live, state) < 0.4
