"""Training with early stop on the holdout: Adam, staircase decay, clipped gradients, averaged and best weights."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import keras
import numpy as np
from tqdm import tqdm

from yt8m.data.dataset import Batch, Dataset, prefetch
from yt8m.params import Train
from yt8m.training.losses import cross_entropy
from yt8m.training.optimizer import ClippedAdam
from yt8m.training.scores import dataset_gap
from yt8m.training.state import Score, State

if TYPE_CHECKING:
    from dvclive import Live

Samples = Iterator[tuple[dict[str, np.ndarray], np.ndarray]]
Batches = Callable[[int], Iterator[Batch]]  # without end, from the one after so many steps on


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
        ema: momentum of the moving average of weights that is scored and kept; 0 keeps the weights themselves.
        xla: whether XLA compiles the step on TensorFlow; on JAX it always does.
    """

    batch_size: int
    learning_rate: float
    decay: float
    decay_examples: int
    clip_norm: float
    steps: int
    eval_steps: int
    patience: int
    ema: float
    xla: bool


def plan(videos: int, train: Train, *, batch_size: int, learning_rate: float, epochs: int) -> Plan:
    """A plan in steps from parameters in epochs and examples."""
    steps = max(1, epochs * videos // batch_size)
    return Plan(
        batch_size,
        learning_rate,
        train.decay,
        train.decay_examples,
        train.clip_norm,
        steps,
        eval_steps=min(max(1, train.eval_examples // batch_size), steps),
        patience=train.patience,
        ema=train.ema,
        xla=train.xla,
    )


def followed(first: Batches, steps: int, then: Batches) -> Batches:
    """The first batches for so many steps, then the others."""
    return lambda start: chain(islice(first(start), max(0, steps - start)), then(max(0, start - steps)))


def samples(batches: Iterable[Batch], targets: Callable[[Batch], np.ndarray] | None = None) -> Samples:
    """What Keras trains on: inputs and targets (the labels unless `targets` makes others of a batch)."""
    for batch in batches:
        yield batch.inputs, batch.labels if targets is None else targets(batch)


def compile_for(model: keras.Model, plan: Plan) -> None:
    """Give a model the optimizer and the loss of its training."""
    schedule = keras.optimizers.schedules.ExponentialDecay(
        plan.learning_rate, max(1, plan.decay_examples // plan.batch_size), plan.decay, staircase=True
    )
    optimizer = ClippedAdam(schedule, clip_norm=plan.clip_norm, use_ema=plan.ema > 0, ema_momentum=plan.ema or None)
    optimizer.build(model.trainable_variables)  # or TensorFlow traces the first step twice
    model.compile(optimizer, cross_entropy, jit_compile=plan.xla or keras.backend.backend() == "jax")


def fit(
    model: keras.Model,
    training: Callable[[int], Samples],
    holdout: Dataset,
    plan: Plan,
    live: "Live",
    state: State,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    score_start: bool = False,
) -> float:
    """Train a model and leave it with the weights that scored best on the holdout.

    Args:
        training: batches without end, from the one after so many steps on.
        holdout: scored as the plan says; decides the stop and the weights kept.
        live: gets `loss` and `holdout_gap` by step, the best as `gap`, and that of the start as `gap_before`.
        state: saved after each score. Where one was saved before, the training goes on from there.
        callbacks: more of Keras's. What they change must be among the model's variables, or follow from the step.
        score_start: whether the weights at the start may be the best.

    Returns:
        The best GAP@20 on the holdout.
    """
    compile_for(model, plan)
    best = BestOnHoldout(holdout, plan, live, state)
    best.resume(model)
    if score_start and not best.scores:
        best.score(model, step=0)
    evals = max(1, plan.steps // plan.eval_steps)  # what is left behind the last score could not be kept
    done = best.scores[-1].step // plan.eval_steps if best.scores else 0
    if done:
        tqdm.write(f"going on from step {best.scores[-1].step} of {state.path}")
    if done < evals and not best.stop:
        model.fit(
            source(lambda: training(done * plan.eval_steps)),
            steps_per_epoch=plan.eval_steps,
            initial_epoch=done,
            epochs=evals,
            shuffle=False,  # the batches are
            verbose=0,
            callbacks=[best, Progress(evals, done, best), *callbacks],
        )
    model.set_weights(best.weights)
    if score_start:
        live.summary["gap_before"] = best.scores[0].gap
    live.summary["gap"] = best.gap
    live.make_summary()
    return best.gap


def source(stream: Callable[[], Samples]) -> object:
    """The samples as Keras takes them, the next ones made while the last are in use.

    Under TensorFlow's strategies Keras looks at first batches before it trains, and a generator would have lost them:
    a dataset starts anew.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if tf.distribute.has_strategy():
            first = next(stream())
            signature = keras.tree.map_structure(lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), first)
            return tf.data.Dataset.from_generator(stream, output_signature=signature).prefetch(2)
    return prefetch(stream())


class BestOnHoldout(keras.callbacks.Callback):
    """Scores the holdout, keeps the best weights, and stops when `patience` scores bring no better ones."""

    def __init__(self, holdout: Dataset, plan: Plan, live: "Live", state: State):
        super().__init__()
        self.holdout, self.plan, self.live, self.state = holdout, plan, live, state
        self.scores: list[Score] = []
        self.weights: list[np.ndarray] = []

    @property
    def gap(self) -> float:
        """The best so far."""
        return max((score.gap for score in self.scores), default=-1.0)

    @property
    def stop(self) -> bool:
        """Whether the last `patience` scores brought nothing better."""
        gaps = [score.gap for score in self.scores]
        return bool(gaps) and len(gaps) - 1 - gaps.index(max(gaps)) >= self.plan.patience

    def resume(self, model: keras.Model) -> None:
        """Take up the state that was saved, if one was."""
        self.scores, self.weights = self.state.load(model)
        for score in self.scores:
            self.log(score)

    def score(self, model: keras.Model, step: int, loss: float | None = None) -> None:
        """Score the holdout after `step` steps."""
        with averaged(model, self.plan.ema if step else 0):
            score = Score(step, dataset_gap(model, self.holdout, self.plan.batch_size), loss)
            if score.gap > self.gap:
                self.weights = model.get_weights()
        self.scores.append(score)
        self.log(score)
        self.state.save(model, self.scores, self.weights)

    def log(self, score: Score) -> None:
        """Hand a score to dvclive."""
        self.live.step = score.step
        self.live.log_metric("holdout_gap", score.gap)
        if score.loss is not None:
            self.live.log_metric("loss", score.loss)
        self.live.sync()

    def on_epoch_end(self, epoch, logs=None):
        self.score(self.model, (epoch + 1) * self.plan.eval_steps, float(logs["loss"]))
        self.model.stop_training = self.stop


@contextmanager
def averaged(model: keras.Model, ema: float) -> Iterator[None]:
    """Give the model the moving average of its weights for a while, if there is one."""
    if not ema:
        yield
        return
    own = [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    yield
    for variable, value in zip(model.trainable_variables, own, strict=True):
        variable.assign(value)


class Progress(keras.callbacks.Callback):
    """A progress bar on a terminal, and a line whenever the holdout was scored."""

    def __init__(self, evals: int, done: int, best: BestOnHoldout):
        super().__init__()
        self.evals, self.done, self.best = evals, done, best

    def on_train_begin(self, logs=None):
        steps = self.best.plan.eval_steps
        self.bar = tqdm(
            total=self.evals * steps, initial=self.done * steps, desc="training", unit="step", leave=False, disable=None
        )

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update()

    def on_epoch_end(self, epoch, logs=None):
        score = self.best.scores[-1]
        self.bar.write(f"step {score.step}/{self.bar.total}: loss {score.loss:.3f}, holdout GAP {score.gap:.4f}")

    def on_train_end(self, logs=None):
        self.bar.close()
