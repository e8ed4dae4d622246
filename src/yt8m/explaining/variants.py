"""What a video is scored as, to see what its frames bring: whole, without each frame, and by segments.

Leaving frames out asks the model itself and works for every family, an ensemble and a student. Assignments to clusters
exist in some families alone, and say where a frame goes rather than what it does to a class.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from yt8m.records.videos import Video

SEGMENTS = 6  # at most


def segments(frames: int) -> list[range]:
    """The frames of a video in consecutive parts that differ in length by one at most."""
    ends = np.linspace(0, frames, min(frames, SEGMENTS) + 1).astype(int).tolist()
    return [range(start, end) for start, end in pairwise(ends)]


def variants(video: Video) -> Iterator[Video]:
    """The whole video, it without each frame, and each segment alone; of one frame there is nothing to leave out.

    They are called by their numbers.
    """
    frames = np.arange(video.frames)
    kept = [frames]
    if video.frames > 1:
        kept += [np.delete(frames, frame) for frame in frames]
        kept += [np.array(part) for part in segments(video.frames)]
    for number, rows in enumerate(kept):
        yield of_frames(video, rows, str(number))


def of_frames(video: Video, frames: np.ndarray, id: str) -> Video:
    """Some frames of a video, as a video of its own."""
    return replace(video, id=id, features={name: rows[frames] for name, rows in video.features.items()})


def changes(scores: np.ndarray, frames: int) -> np.ndarray:
    """How much higher each class's score is with each frame than without it, (frames, C).

    Args:
        scores: of the `variants` of a video of `frames`, more than one, (V, C).
    """
    return scores[0] - scores[1 : frames + 1]


def by_segment(scores: np.ndarray, frames: int) -> np.ndarray:
    """The scores of each segment alone, (segments, C); see `changes`."""
    return scores[frames + 1 :]
