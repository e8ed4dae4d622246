"""What a video is made of: feature names and sizes, record keys, class count and frame limit; what may be missing.

Nothing else in the package says 1024, 128, 3862 or 300.
"""

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

Name = Annotated[str, Field(min_length=1)]
LENGTH = "num_frames"  # the model's input that says how many frames a video has


class Level(StrEnum):
    """How a shard describes a video."""

    FRAME = "frame"  # SequenceExample: bytes a frame
    VIDEO = "video"  # Example: floats a video, read as a sequence of one frame


class Schema(BaseModel):
    """The typed description of one data set (`data.schema` in params.yaml).

    Where videos have no ids (`id_key` null) they are called by their shard's name and record's number. Where a video's
    features differ in frames, these are cut to the shortest, or it is refused; a feature that it has not is taken as
    zeros, or it is refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id_key: Name | None
    labels_key: Name
    mean_prefix: str  # a video-level feature's key is this and the feature's name
    features: Annotated[dict[Name, PositiveInt], Field(min_length=1)]  # the first is the primary one
    classes: PositiveInt
    max_frames: PositiveInt
    uneven_frames: Literal["refuse", "cut"]
    missing_features: Literal["refuse", "zeros"]
    extractor: str | None  # digest of what `yt8m extract` made features with; null: others, which are not known

    @field_validator("features")
    @classmethod
    def _told_apart(cls, features: dict[str, int]) -> dict[str, int]:
        held: dict[str, str] = {plain(LENGTH): f"the number of frames, {LENGTH!r}"}
        for name in features:
            if (other := held.setdefault(plain(name), name)) != name:
                raise ValueError(f"expected names that differ in letters and digits, received {name!r} beside {other}")
        return features

    @property
    def width(self) -> int:
        """Size of all features of a frame side by side."""
        return sum(self.features.values())

    @property
    def primary(self) -> str:
        """Name of the first feature: the one by which neighbours are found and layers scaled."""
        return next(iter(self.features))

    def layer(self, feature: str) -> str:
        """A feature's name as a part of a layer's: Keras takes no slashes there."""
        return plain(feature)

    def mean_key(self, feature: str) -> str:
        """Key of a feature in a video-level record."""
        return self.mean_prefix + feature

    def frames(self, level: Level) -> int:
        """The most frames a video has at this level."""
        return self.max_frames if level is Level.FRAME else 1

    @staticmethod
    def dtype(level: Level) -> str:
        """Type of the features as stored: bytes a frame, floats a video."""
        return "uint8" if level is Level.FRAME else "float32"


def plain(name: str) -> str:
    """A name of letters, digits, dots, hyphens and underscores."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)
