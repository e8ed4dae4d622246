"""What attention by class takes as `args:` in params.yaml; `network.py` builds it."""

from pydantic import NonNegativeFloat, PositiveInt

from yt8m.settings import arguments


class Arguments(arguments.Arguments):
    """Frames sampled in training, units of the layer that sees each, the shares of features and units dropped."""

    frames: PositiveInt
    hidden: PositiveInt
    input_dropout: arguments.Fraction
    dropout: arguments.Fraction
    l2: NonNegativeFloat
