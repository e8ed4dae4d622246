"""What the transformer takes as `args:` in params.yaml; `network.py` builds it."""

from pydantic import PositiveInt

from yt8m.core.schema import Schema
from yt8m.settings.arguments import Experts


class Arguments(Experts):
    """Frames sampled in training, layers, the width of a frame in them, and heads that attend."""

    frames: PositiveInt
    layers: PositiveInt
    width: PositiveInt
    heads: PositiveInt

    def check(self, schema: Schema) -> None:
        super().check(schema)
        if self.width % self.heads:
            raise ValueError(f"heads: expected a divisor of width, {self.width}, received {self.heads}")
