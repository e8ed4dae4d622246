"""What an average of networks takes as `args:` in params.yaml; `network.py` builds it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from yt8m.core.schema import Schema
from yt8m.settings import arguments, registry


class Member(BaseModel):
    """One of the networks: its family and what that takes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    family: str
    args: dict[str, Any]


class Arguments(arguments.Arguments):
    """The networks, of one family or of several."""

    members: Annotated[list[Member], Field(min_length=1)]

    @property
    def parts(self) -> frozenset[str]:
        own = (registry.arguments(member.family).model_validate(member.args).parts for member in self.members)
        return frozenset(member.family for member in self.members).union(*own)

    def check(self, schema: Schema) -> None:
        for index, member in enumerate(self.members):
            try:
                registry.check_arguments(member.family, schema, member.args)
            except ValueError as error:
                raise ValueError(f"members.{index}: {error}") from None
