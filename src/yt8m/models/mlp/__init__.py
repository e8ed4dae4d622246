"""What the MLP takes as `args:` in params.yaml; `network.py` builds it."""

from pydantic import NonNegativeFloat, PositiveInt

from yt8m.settings import arguments


class Arguments(arguments.Arguments):
    """Units of the hidden layers (none: logistic regression), the share of each that is dropped, and the penalty."""

    hidden: list[PositiveInt]
    dropout: arguments.Fraction
    l2: NonNegativeFloat
