"""What gated NetRVLAD takes as `args:` in params.yaml; `network.py` builds it."""

from yt8m.settings.arguments import Pooled as Arguments

__all__ = ["Arguments"]
