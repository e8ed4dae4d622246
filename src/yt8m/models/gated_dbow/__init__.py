"""What gated soft-DBoW takes as `args:` in params.yaml; `network.py` builds it."""

from pydantic import PositiveInt

from yt8m.settings.arguments import Pooled


class Arguments(Pooled):
    """The rank of the product that gates the primary feature's clusters."""

    rank: PositiveInt
