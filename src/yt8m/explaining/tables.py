"""An explanation as tables of words, which text and page show alike."""

from collections.abc import Sequence
from typing import NamedTuple

from yt8m.explaining.explanation import Class, Explanation, Scored, Segment

FRAMES, SEGMENTS = "Frames", "Segments"


class Table(NamedTuple):
    """A table, with a line that says what it holds."""

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def summary(explained: Explanation) -> str:
    """What the video is, in a line."""
    count = "1 frame" if explained.frames == 1 else f"{explained.frames} frames"
    return f"{explained.id}: {count}, found in {explained.place}; labels: {_names(explained.labels)}"


def tables(explained: Explanation) -> list[Table]:
    """All that is known of a video."""
    labels = {each.index for each in explained.labels}
    return [_top(explained, labels), _frames(explained, labels), _segments(explained, labels), _nearest(explained)]


def _top(explained: Explanation, labels: set[int]) -> Table:
    note = "Highest classes and scores; * is one of the video's labels. The ensemble's are sums, and may be beyond 1."
    rows = [(system, *_scored(top, labels)) for system, top in explained.top.items()]
    return Table("Classes", note, ("model", *_ranks(rows)), rows)


def _frames(explained: Explanation, labels: set[int]) -> Table:
    if not explained.driven:
        return Table(FRAMES, "The video has one frame: there is nothing to leave out.", (), [])
    note = f"Without which frames the score that the {explained.by} gives falls most, and by how much."
    rows = [
        (
            _scored([each], labels)[0],
            ", ".join(f"{frame} ({each.changes[frame]:.4f})" for frame in each.frames) or "none",
        )
        for each in explained.driven
    ]
    return Table(FRAMES, note, ("class", "frames"), rows)


def _segments(explained: Explanation, labels: set[int]) -> Table:
    if not explained.segments:
        return Table(SEGMENTS, "The video has one frame.", (), [])
    note = f"Highest classes that the {explained.by} sees in these frames alone."
    rows = [(_span(each), *_scored(each.top, labels)) for each in explained.segments]
    return Table(SEGMENTS, note, ("frames", *_ranks(rows)), rows)


def _nearest(explained: Explanation) -> Table:
    note = "By 1 less the cosine of mean features; and what they are labelled."
    rows = [(each.id, f"{each.distance:.3f}", _names(each.labels)) for each in explained.nearest]
    return Table("Nearest training videos", note, ("video", "distance", "labels"), rows)


def _ranks(rows: Sequence[Sequence[str]]) -> list[str]:
    return [str(rank) for rank in range(1, len(rows[0]))]


def _span(segment: Segment) -> str:
    return str(segment.first) if segment.first == segment.last else f"{segment.first}-{segment.last}"


def _names(classes: Sequence[Class]) -> str:
    return ", ".join(each.name for each in classes) or "none"


def _scored(classes: Sequence[Scored], labels: set[int]) -> list[str]:
    return [f"{each.name}{'*' * (each.index in labels)} {each.score:.3f}" for each in classes]
