"""What a chain of experts takes as `args:` in params.yaml; `network.py` builds it."""

from typing import Annotated

from pydantic import Field, PositiveInt

from yt8m.settings.arguments import Experts


class Arguments(Experts):
    """Stages, and the units that what one has found is brought to for the next."""

    stages: Annotated[int, Field(ge=2)]
    hidden: PositiveInt
