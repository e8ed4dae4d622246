"""Training with early stop on the holdout: Adam, staircase decay, clipped gradients, best weights kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from dvclive import Live
from tqdm import tqdm

from yt8m.data.dataset import Batch, Dataset, prefetch
from yt8m.training.losses import cross_entropy
from yt8m.training.scores import dataset_gap

Samples = Iterator[tuple[dict[str, np.ndarray], np.ndarray]]


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train.

    Attributes:
        batch_size: videos a step.
        learning_rate: of Adam; times `decay` after each `decay_examples` videos seen (staircase).
        clip_norm: largest norm of each weight's gradient, as [9] clips.
        steps: at most; those behind the last score are not made.
        eval_steps: the holdout is scored each so many steps.
        patience: stop after so many scores without a new best.
    """

    batch_size: int
    learning_rate: float
    decay: float
    decay_examples: int
    clip_norm: float
    steps: int
    eval_steps: int
    patience: int


def plan(
    videos: int,
    *,
    batch_size: int,
    learning_rate: float,
    epochs: int,
    decay: float,
    decay_examples: int,
    clip_norm: float,
    eval_examples: int,
    patience: int,
) -> Plan:
    """A plan in steps from parameters in epochs and examples."""
    steps = max(1, epochs * videos // batch_size)
    return Plan(
        batch_size,
        learning_rate,
        decay,
        decay_examples,
        clip_norm,
        steps=steps,
        eval_steps=min(max(1, eval_examples // batch_size), steps),
        patience=patience,
    )


def samples(batches: Iterable[Batch], targets: Callable[[Batch], np.ndarray] | None = None) -> Samples:
    """What Keras trains on: inputs and targets (the labels unless `targets` makes others of a batch)."""
    for batch in batches:
        yield batch.inputs, batch.labels if targets is None else targets(batch)


def fit(
    model: keras.Model,
    training: Samples,
    holdout: Dataset,
    plan: Plan,
    live: Live,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    score_start: bool = False,
) -> float:
    """Train a model and leave it with the weights that scored best on the holdout.

    Args:
        training: batches without end.
        holdout: scored as the plan says; decides the stop and the weights kept.
        live: gets `loss` and `holdout_gap` by step, and the best as `gap`.
        callbacks: more of Keras's.
        score_start: whether the weights at the start may be the best.

    Returns:
        The best GAP@20 on the holdout.
    """
    schedule = keras.optimizers.schedules.ExponentialDecay(
        plan.learning_rate, max(1, plan.decay_examples // plan.batch_size), plan.decay, staircase=True
    )
    optimizer = keras.optimizers.Adam(schedule, clipnorm=plan.clip_norm)
    optimizer.build(model.trainable_variables)  # or TensorFlow traces the first step twice
    model.compile(optimizer, cross_entropy)
    best = BestOnHoldout(holdout, plan, live)
    if score_start:
        best.score(model, step=0)
    evals = max(1, plan.steps // plan.eval_steps)  # what is left behind the last score could not be kept
    model.fit(
        prefetch(training),
        steps_per_epoch=plan.eval_steps,
        epochs=evals,
        shuffle=False,  # the batches are
        verbose=0,
        callbacks=[best, Progress(evals * plan.eval_steps, best), *callbacks],
    )
    model.set_weights(best.weights)
    live.summary["gap"] = best.gap
    live.make_summary()
    return best.gap


class BestOnHoldout(keras.callbacks.Callback):
    """Scores the holdout, keeps the best weights, and stops when `patience` scores bring no better ones."""

    def __init__(self, holdout: Dataset, plan: Plan, live: Live):
        super().__init__()
        self.holdout, self.plan, self.live = holdout, plan, live
        self.gap, self.last, self.since = -1.0, 0.0, 0
        self.weights: list[np.ndarray] = []

    def score(self, model: keras.Model, step: int, loss: float | None = None) -> None:
        """Score the holdout after `step` steps."""
        self.last = dataset_gap(model, self.holdout, self.plan.batch_size)
        self.since += 1
        if self.last > self.gap:
            self.gap, self.since, self.weights = self.last, 0, model.get_weights()
        self.live.step = step
        self.live.log_metric("holdout_gap", self.last)
        if loss is not None:
            self.live.log_metric("loss", loss)
        self.live.sync()

    def on_epoch_end(self, epoch, logs=None):
        self.score(self.model, (epoch + 1) * self.plan.eval_steps, float(logs["loss"]))
        self.model.stop_training = self.since >= self.plan.patience


class Progress(keras.callbacks.Callback):
    """A progress bar on a terminal, and a line whenever the holdout was scored."""

    def __init__(self, steps: int, best: BestOnHoldout):
        super().__init__()
        self.steps, self.best = steps, best

    def on_train_begin(self, logs=None):
        self.bar = tqdm(total=self.steps, desc="training", unit="step", leave=False, disable=None)

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update()

    def on_epoch_end(self, epoch, logs=None):
        step = (epoch + 1) * self.best.plan.eval_steps
        self.bar.write(f"step {step}/{self.steps}: loss {logs['loss']:.3f}, holdout GAP {self.best.last:.4f}")

    def on_train_end(self, logs=None):
        self.bar.close()
