"""What is said of one video: plain values, from which text, JSON and page are made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from yt8m.explaining.neighbours import Near
from yt8m.explaining.variants import by_segment, changes, segments
from yt8m.records.videos import Video
from yt8m.scoring.predictions import Predictions

TOP = 5  # classes shown of each score
FRAMES = 3  # named for each class


@dataclass(frozen=True)
class Class:
    """A class by number and name."""

    index: int
    name: str


@dataclass(frozen=True)
class Scored(Class):
    """A class and its score."""

    score: float


@dataclass(frozen=True)
class Driven(Scored):
    """A class, and which frames it comes from.

    Attributes:
        frames: those without which its score falls most, most first; none where it falls without no frame.
        changes: its score less that without each frame.
        segments: its score in each segment alone.
    """

    frames: list[int]
    changes: list[float]
    segments: list[float]


@dataclass(frozen=True)
class Segment:
    """Frames from `first` to `last`, and what they are alone."""

    first: int
    last: int
    top: list[Scored]


@dataclass(frozen=True)
class Neighbour:
    """A training video: 1 less the cosine of both's mean features, and its labels."""

    id: str
    distance: float
    labels: list[Class]


@dataclass(frozen=True)
class Explanation:
    """All that is said of a video.

    Attributes:
        place: where it was found, a split or a pattern.
        frames: how many it has.
        top: the highest classes of each system, by its name.
        by: the system that `driven` and `segments` are about; these are empty for a video of one frame.
        nearest: training videos.
    """

    id: str
    place: str
    frames: int
    labels: list[Class]
    top: dict[str, list[Scored]]
    by: str
    driven: list[Driven]
    segments: list[Segment]
    nearest: list[Neighbour]


def explanation(
    video: Video, place: str, found: Mapping[str, Predictions], by: str, near: Iterable[Near], names: Sequence[str]
) -> Explanation:
    """What is said of a video.

    Args:
        found: predictions, by system; the first is that of the whole video.
        by: the system whose predictions are those of its `variants`, of all classes.
        names: of all classes.
    """

    def classes(numbers: Iterable[int]) -> list[Class]:
        return [Class(number, names[number]) for number in numbers]

    top = {system: _top(predicted, 0, names) for system, predicted in found.items()}
    driven, parts = [], []
    if video.frames > 1:
        scores, start = found[by].dense(len(names)), video.frames + 1
        changed, alone = changes(scores, video.frames), by_segment(scores, video.frames)
        driven = [_driven(each, changed[:, each.index], alone[:, each.index]) for each in top[by]]
        parts = [
            Segment(part[0], part[-1], _top(found[by], row, names))
            for row, part in enumerate(segments(video.frames), start)
        ]
    nearest = [Neighbour(each.id, each.distance, classes(each.labels)) for each in near]
    return Explanation(video.id, place, video.frames, classes(video.labels.tolist()), top, by, driven, parts, nearest)


def strongest(changed: np.ndarray, count: int) -> list[int]:
    """The frames, at most `count`, without which a class's score falls most, most first; of equals the first.

    Args:
        changed: of the class, (frames,); see `variants.changes`.
    """
    order = np.argsort(-changed, kind="stable")[:count]
    return [frame for frame in order.tolist() if changed[frame] > 0]


def _driven(scored: Scored, changed: np.ndarray, alone: np.ndarray) -> Driven:
    frames = strongest(changed, FRAMES)
    return Driven(scored.index, scored.name, scored.score, frames, changed.tolist(), alone.tolist())


def _top(predicted: Predictions, row: int, names: Sequence[str]) -> list[Scored]:
    pairs = zip(predicted.indices[row, :TOP].tolist(), predicted.scores[row, :TOP].tolist(), strict=True)
    return [Scored(index, names[index], score) for index, score in pairs]
