"""A model from its description."""

from importlib import import_module
from typing import Any, Self
from warnings import filterwarnings

import keras
from pydantic import BaseModel, ConfigDict, Field

from yt8m.core.schema import Level, Schema
from yt8m.settings import registry
from yt8m.settings.params import Model, Train


class Description(BaseModel):
    """All that rebuilds a model.

    Attributes:
        family: its name.
        layout: what videos hold (`schema` in JSON).
        level: whether videos are sequences of bytes or one frame of floats.
        seed: of initial values and sampled frames.
        momentum: of every batch norm's moving statistics.
        precision: Keras's dtype policy, `float32` or `mixed_bfloat16`; weights are float32 with either.
        args: the family's own arguments.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    family: str
    layout: Schema = Field(alias="schema")
    level: Level
    seed: int
    momentum: float
    precision: str
    args: dict[str, Any]

    @classmethod
    def of(cls, model: Model, train: Train, layout: Schema, level: Level, seed: int = 0) -> Self:
        """What a section of params.yaml describes."""
        return cls(
            family=model.family,
            layout=layout,
            level=level,
            seed=seed,
            momentum=train.batch_norm_momentum,
            precision=train.precision,
            args=model.args,
        )


def build(description: Description) -> keras.Model:
    """Build a model; the seed of its description becomes the seed of all that Keras draws from here on.

    Returns:
        A model from `records.dataset.Batch.inputs` to (B, C) probabilities.

    Raises:
        ValueError: for an unknown family or a wrong argument.
    """
    family, schema = description.family, description.layout
    args = registry.check_arguments(family, schema, description.args)
    network = import_module(f"{registry.families()[family]}.network")
    keras.utils.set_random_seed(description.seed)
    # Keras would have inputs called as their keys are, which a slash in a feature's name does not allow.
    filterwarnings("ignore", message="When providing `inputs` as a dict", module="keras")
    outside = keras.config.dtype_policy()
    keras.config.set_dtype_policy(description.precision)
    try:
        model: keras.Model = network.build(schema, description.level, description.momentum, args)
    finally:
        keras.config.set_dtype_policy(outside)
    model.name = family  # the automatic one counts models, and is stored with the weights
    return model


def count_parameters(description: Description) -> int:
    """All that is stored of a model, trainable weights and moving statistics, counted by building it without values."""
    with keras.StatelessScope(initialize_variables=False):
        count: int = build(description).count_params()
    keras.utils.clear_session()  # or the next such scope would give the variables values after all
    return count
