"""What a video is made of: feature names and sizes, record keys, class count and frame limit.

Nothing else in the package says 1024, 128, 3862 or 300.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt


class Level(StrEnum):
    """How a shard describes a video."""

    FRAME = "frame"  # SequenceExample: bytes a frame
    VIDEO = "video"  # Example: floats a video, read as a sequence of one frame


class Schema(BaseModel):
    """The typed description of one data set (`data.schema` in params.yaml)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id_key: Annotated[str, Field(min_length=1)]
    labels_key: Annotated[str, Field(min_length=1)]
    mean_prefix: str  # a video-level feature's key is this and the feature's name
    features: Annotated[dict[str, PositiveInt], Field(min_length=1)]  # the first is the primary one
    classes: PositiveInt
    max_frames: PositiveInt

    @property
    def width(self) -> int:
        """Size of all features of a frame side by side."""
        return sum(self.features.values())

    @property
    def primary(self) -> str:
        """Name of the first feature: the one by which neighbours are found and layers scaled."""
        return next(iter(self.features))

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
