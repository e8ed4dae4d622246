"""Learning rates by step."""

import math

import keras
from keras import ops
from keras.optimizers.schedules import ExponentialDecay, LearningRateSchedule

from yt8m.settings.params import Staircase
from yt8m.training.training import Schedule


@keras.saving.register_keras_serializable("yt8m")
class RiseAndFall(LearningRateSchedule):
    """A rate that rises in the first steps, stays, and falls towards 0 in the last ones.

    Args:
        rate: between.
        rising: steps until it is there.
        falling: steps at the end.
        steps: in all.
        shape: of the fall, `linear` or `cosine`.
    """

    def __init__(self, rate: float, rising: int, falling: int, steps: int, shape: str):
        self.rate, self.rising, self.falling, self.steps, self.shape = rate, rising, falling, steps, shape

    def __call__(self, step):
        step = ops.cast(step, "float32")
        risen = ops.minimum(1.0, (step + 1) / (self.rising + 1))
        left = ops.clip((self.steps - step) / (self.falling + 1), 0.0, 1.0)  # above 0 at the last step, too
        if self.shape == "cosine":
            left = (1 - ops.cos(math.pi * left)) / 2
        return self.rate * risen * left

    def get_config(self):
        return {name: getattr(self, name) for name in ("rate", "rising", "falling", "steps", "shape")}


def rate_of(schedule: Schedule) -> LearningRateSchedule:
    """The rate of a training by its steps."""
    rate = schedule.rate
    if isinstance(rate, Staircase):
        every = max(1, rate.decay_examples // schedule.batch_size)
        return ExponentialDecay(schedule.learning_rate, every, rate.decay, staircase=True)
    steps = schedule.evals * schedule.eval_steps
    rising, falling = (round(share * steps) for share in (rate.warmup, rate.share))
    return RiseAndFall(schedule.learning_rate, rising, falling, steps, rate.shape)
