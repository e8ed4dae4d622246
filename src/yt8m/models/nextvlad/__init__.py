"""What NeXtVLAD takes as `args:` in params.yaml; `network.py` builds it."""

from pydantic import PositiveInt

from yt8m.core.schema import Schema
from yt8m.settings.arguments import Fraction, Pooled


class Arguments(Pooled):
    """Groups for each feature by name, the factors of expansion and of the gate's reduction.

    `pooled_dropout` is the share of the pooled vector that is dropped.
    """

    groups: dict[str, PositiveInt]
    expansion: PositiveInt
    reduction: PositiveInt
    pooled_dropout: Fraction

    def check(self, schema: Schema) -> None:
        super().check(schema)
        for name, size in schema.features.items():
            if size * self.expansion % self.groups[name]:
                expected = f"a divisor of the expanded size of {name}, {size * self.expansion}"
                raise ValueError(f"groups: expected {expected}, received {self.groups[name]}")
        if self.hidden % self.reduction:
            raise ValueError(f"reduction: expected a divisor of hidden, {self.hidden}, received {self.reduction}")
