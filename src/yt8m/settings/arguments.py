"""What families take from `args:` in params.yaml, typed: what several share stands here, the rest in a family's folder.

Keras is not imported here, so that parameters are checked within a moment. No field has a default: this decides no
result, and stages need not depend on it.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt

from yt8m.core.schema import Schema

Fraction = Annotated[float, Field(ge=0, lt=1)]


class Arguments(BaseModel):
    """A family's own keyword arguments."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @property
    def parts(self) -> frozenset[str]:
        """The other families that a model is made of: their code decides its result, too."""
        return frozenset()

    def check(self, schema: Schema) -> None:
        """Refuse what does not go with the data; what is given as a mapping must name exactly the schema's features.

        Raises:
            ValueError: naming the argument, what was expected and what was received.
        """
        for key, value in self:
            if isinstance(value, dict) and set(value) != set(schema.features):
                raise ValueError(f"{key}: expected the features {list(schema.features)}, received {list(value)}")


class Experts(Arguments):
    """The mixture of experts that every family ends in, and what is dropped in training.

    `input_dropout` is the share of a video's features that are 0 in all its frames, `dropout` that of what the experts
    see.
    """

    mixtures: PositiveInt
    l2: NonNegativeFloat
    input_dropout: Fraction
    dropout: Fraction


class Pooled(Experts):
    """Clusters for each feature by name, frames sampled in training, and a hidden layer behind."""

    frames: PositiveInt
    clusters: dict[str, PositiveInt]
    hidden: PositiveInt


class Recurrent(Experts):
    """Layers of so many units, over frames in order."""

    layers: PositiveInt
    units: PositiveInt
