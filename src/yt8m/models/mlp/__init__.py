"""What the MLP takes as `args:` in params.yaml; `network.py` builds it."""

from pydantic import NonNegativeFloat, PositiveInt

from yt8m.settings import arguments


class Arguments(arguments.Arguments):
    """Units of the hidden layers (none: logistic regression), the shares of features and units dropped, the penalty."""

    hidden: list[PositiveInt]
    input_dropout: arguments.Fraction
    dropout: arguments.Fraction
    l2: NonNegativeFloat
