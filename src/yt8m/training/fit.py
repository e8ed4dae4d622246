"""Training by scores on the holdout: Adam, a rate by step, mixed videos, averaged and best weights."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import chain, count, islice
from time import perf_counter
from typing import TYPE_CHECKING

import keras
import numpy as np
from tqdm import tqdm

from yt8m.core.errors import InputError
from yt8m.records.batches import Batch
from yt8m.records.dataset import Dataset
from yt8m.records.readers import prefetch
from yt8m.training.averages import averaged, averaging
from yt8m.training.losses import cross_entropy
from yt8m.training.mixup import mixed
from yt8m.training.optimizer import ClippedAdam
from yt8m.training.rates import rate_of
from yt8m.training.scores import dataset_gap
from yt8m.training.state import Score, State, Weights
from yt8m.training.training import Schedule, Training

if TYPE_CHECKING:
    from dvclive import Live

PAUSE = 60  # seconds between lines of progress
MIXUP = 1  # beside seed and step, what random numbers are for
Samples = Iterator[tuple[dict[str, np.ndarray], np.ndarray]]


def fit(model: keras.Model, training: Training, live: "Live", state: State, rows: slice | None = None) -> float:
    """Train a model and leave it with the weights that scored best on the holdout.

    Args:
        model: what the training's objective trains.
        live: gets `loss`, `holdout_gap` and the objective's figures by step.
        state: saved after each score. Where one was saved before, the training goes on from there.
        rows: those of each batch that this process reads; all by default.

    Returns:
        The best GAP@20 on the holdout.

    Raises:
        InputError: where the loss, or the holdout's scores, are no numbers; what was saved before stays.
    """
    schedule, goes_on = training.schedule, not training.is_new
    compile_for(model, schedule)
    best = BestOnHoldout(training, live, state)
    best.resume(model)
    if goes_on and not best.scores:
        best.score(model, step=0)  # the weights at the start may be the best
    evals = schedule.evals
    done = best.scores[-1].step // schedule.eval_steps if best.scores else 0
    if done:
        tqdm.write(f"going on from step {best.scores[-1].step} of {state.path}")
    if done < evals and not best.stop:
        model.fit(
            source(lambda: samples(training, done * schedule.eval_steps, rows)),
            steps_per_epoch=schedule.eval_steps,
            initial_epoch=done,
            epochs=evals,
            shuffle=False,  # the batches are
            verbose=0,
            callbacks=[Finite(), best, Progress(evals, done, best), *training.objective.callbacks()],
        )
    gap = best.restore(model)
    if schedule.patience and best.scores[-1].gap == max(score.gap for score in best.scores):
        tqdm.write(f"the last of {evals} scores is the best: with more epochs it may become better")
    return gap


def prepared(model: keras.Model, training: Training) -> keras.Model:
    """What Keras trains: the objective's model, with the average of the weights if the schedule wants one."""
    return training.objective.trained(averaging(model, training.schedule.ema))


def batches(training: Training, start: int, rows: slice | None = None) -> Iterator[Batch]:
    """The batches of all phases, from the one after `start` steps on; see `Dataset.shuffled`."""
    size = training.schedule.batch_size
    for phase in training.phases:
        if start < phase.steps:
            videos = Dataset(phase.manifest, training.source, cache=training.cache)
            stream = videos.shuffled(size, training.seed, training.shuffle_buffer, start=start, rows=rows)
            yield from islice(stream, phase.steps - start)
        start = max(0, start - phase.steps)


def samples(training: Training, start: int, rows: slice | None = None) -> Samples:
    """What Keras trains on: inputs and targets, videos mixed where the schedule says so."""
    for step, batch in zip(count(start), batches(training, start, rows), strict=False):
        targets = training.objective.targets(batch)
        if training.schedule.mixup:
            random = np.random.default_rng((training.seed, step, MIXUP))
            batch, targets = mixed(batch, targets, training.schedule.mixup, random)
        yield batch.inputs, targets


def compile_for(model: keras.Model, schedule: Schedule) -> None:
    """Give a model the optimizer and the loss of its training."""
    optimizer = ClippedAdam(rate_of(schedule), clip_norm=schedule.clip_norm, weight_decay=schedule.weight_decay)
    optimizer.build(model.trainable_variables)  # or TensorFlow traces the first step twice
    model.compile(optimizer, cross_entropy, jit_compile=schedule.xla or keras.backend.backend() == "jax")


def source(stream: Callable[[], Samples]) -> object:
    """The samples as Keras takes them, the next ones made while the last are in use.

    For TensorFlow a dataset, which can start anew: under its strategies Keras looks at first batches before it trains.
    The one that Keras makes of a generator has a thread that tunes it, and whose end it waits for, up to a minute;
    there is nothing to tune.
    """
    if keras.backend.backend() != "tensorflow":
        return prefetch(stream())
    import tensorflow as tf

    begun = stream()
    first = next(begun)
    streams = [chain([first], begun)]
    samples = tf.data.Dataset.from_generator(
        lambda: streams.pop() if streams else stream(),
        output_signature=keras.tree.map_structure(lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), first),
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    return samples.prefetch(2).with_options(options)


class Finite(keras.callbacks.Callback):
    """Ends a training whose loss is no number before its weights are scored or saved."""

    async_safe = True  # or Keras waits for each step to end on the device before it begins the next

    def on_epoch_begin(self, epoch, logs=None):
        self.before, self.found = epoch * self.params["steps"], []

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite(logs["loss"]):  # the mean since the epoch's begin: once no number, always none
            self.found.append(self.before + batch + 1)
            self.model.stop_training = True  # at the end of the epoch it is known which step was first

    def on_epoch_end(self, epoch, logs=None):
        if self.found:
            raise InputError(f"step {min(self.found)}: expected a loss, received no number: learning_rate too high?")


class BestOnHoldout(keras.callbacks.Callback):
    """Scores the holdout, keeps the best weights, and stops when `patience` scores, if any, bring no better ones.

    Attributes:
        scores: so far.
        kept: the weights of as many of the best scores as `checkpoints` says, the best first.
    """

    def __init__(self, training: Training, live: "Live", state: State):
        super().__init__()
        self.holdout = Dataset(training.holdout, training.source, cache=training.cache)
        self.schedule, self.objective, self.live, self.state = training.schedule, training.objective, live, state
        self.scores: list[Score] = []
        self.kept: list[Weights] = []

    @property
    def stop(self) -> bool:
        """Whether the last `patience` scores brought nothing better."""
        gaps, patience = [score.gap for score in self.scores], self.schedule.patience
        return bool(gaps) and patience is not None and len(gaps) - 1 - gaps.index(max(gaps)) >= patience

    def resume(self, model: keras.Model) -> None:
        """Take up the state that was saved, if one was."""
        self.scores, self.kept = self.state.load(model)
        for score in self.scores:
            self.log(score)

    def score(self, model: keras.Model, step: int, loss: float | None = None) -> None:
        """Score the holdout after `step` steps."""
        with averaged(model) if step else nullcontext():
            gap = dataset_gap(model, self.holdout, self.schedule.batch_size)
            gap, loss = self.state.peers.agree((gap, loss))
            score = Score(step, gap, loss)
            rank = sum(other.gap >= score.gap for other in self.scores)
            if rank < self.schedule.checkpoints:
                self.kept.insert(rank, model.get_weights())
                del self.kept[self.schedule.checkpoints :]
        if loss is not None:
            score = score._replace(figures=self.objective.figures(model, loss))
        self.scores.append(score)
        self.log(score)
        self.state.save(model, self.scores, self.kept)

    def restore(self, model: keras.Model) -> float:
        """Leave the model with the best weights, or with the mean of all that were kept where that scores better.

        Returns:
            The holdout's GAP with these.
        """
        best = max(score.gap for score in self.scores)
        if len(self.kept) > 1:
            model.set_weights([np.mean(weights, axis=0) for weights in zip(*self.kept, strict=True)])
            gap = self.state.peers.agree(dataset_gap(model, self.holdout, self.schedule.batch_size))
            tqdm.write(f"the mean of the {len(self.kept)} best: holdout GAP {gap:.4f}, the best alone {best:.4f}")
            if gap > best:
                return float(gap)
        model.set_weights(self.kept[0])
        return best

    def log(self, score: Score) -> None:
        """Hand a score to dvclive."""
        self.live.step = score.step
        self.live.log_metric("holdout_gap", score.gap)
        if score.loss is not None:
            self.live.log_metric("loss", score.loss)
        for name, value in score.figures.items():
            self.live.log_metric(name, value)
        self.live.sync()

    def on_epoch_end(self, epoch, logs=None):
        self.score(self.model, (epoch + 1) * self.schedule.eval_steps, float(logs["loss"]))
        self.model.stop_training = self.stop


class Progress(keras.callbacks.Callback):
    """A progress bar on a terminal, and a line when the holdout was scored, if the last line is a while ago."""

    async_safe = True

    def __init__(self, evals: int, done: int, best: BestOnHoldout):
        super().__init__()
        self.evals, self.done, self.best = evals, done, best
        self.told = perf_counter()

    def on_train_begin(self, logs=None):
        steps = self.best.schedule.eval_steps
        self.bar = tqdm(
            total=self.evals * steps, initial=self.done * steps, desc="training", unit="step", leave=False, disable=None
        )

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update()

    def on_epoch_end(self, epoch, logs=None):
        if perf_counter() - self.told < PAUSE:
            return
        self.told, score = perf_counter(), self.best.scores[-1]
        self.bar.write(f"step {score.step}/{self.bar.total}: loss {score.loss:.3f}, holdout GAP {score.gap:.4f}")

    def on_train_end(self, logs=None):
        self.bar.close()
