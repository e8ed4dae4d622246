"""What the mixture of experts takes as `args:` in params.yaml; `network.py` builds it."""

from yt8m.settings.arguments import Experts as Arguments

__all__ = ["Arguments"]
