"""What the MLP on moments takes as `args:` in params.yaml; `network.py` builds it."""

from yt8m.models.mlp import Arguments

__all__ = ["Arguments"]
