"""What the GRU takes as `args:` in params.yaml; `network.py` builds it."""

from yt8m.settings.arguments import Recurrent as Arguments

__all__ = ["Arguments"]
