"""Members' scores side by side, in blocks of videos: nothing of the size (videos, classes) is made."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from yt8m.core.ragged import Ragged
from yt8m.scoring.metrics import top_k
from yt8m.scoring.predictions import Aligned, Predictions

BLOCK = 2048  # videos looked at together


class Block(NamedTuple):
    """The scores of M models for the classes that any of them kept of n videos; of all other classes they are 0.

    Attributes:
        ids: n of them.
        labels: of each video.
        classes: (n, W) int32, ascending; a video with fewer is filled up with class 0, scored 0.
        scores: (n, W, M) float32; 0 where a model did not keep the class.
        correct: which of the classes are labels, (n, W) bool.
    """

    ids: pa.StringArray
    labels: Ragged
    classes: np.ndarray
    scores: np.ndarray
    correct: np.ndarray

    @property
    def positives(self) -> int:
        """All labels, whether a model kept them or not."""
        return len(self.labels.values)

    def take(self, rows: np.ndarray) -> "Block":
        """Some of the videos.

        Args:
            rows: ascending.
        """
        return Block(
            self.ids.take(rows), self.labels.take(rows), self.classes[rows], self.scores[rows], self.correct[rows]
        )


def blocks(members: Aligned, classes: int) -> Iterator[Block]:
    """The scores of aligned members, block by block."""
    for parts in members.blocks(BLOCK):
        yield block_of(parts, classes)


def block_of(members: Sequence[Predictions], classes: int) -> Block:
    """The scores of members for the same videos."""
    first, labels = members[0], Ragged.of(members[0].labels)
    videos = len(first.ids)
    kept, hot = np.zeros((videos, classes), bool), np.zeros((videos, classes), bool)
    for member in members:
        np.put_along_axis(kept, member.indices, True, axis=1)
    hot[labels.rows(), labels.values] = True
    rows, columns = np.divmod(np.flatnonzero(kept), classes)
    places = np.cumsum(kept, axis=1, dtype=np.int32) - 1  # of a class among those kept of the video
    width = places.max(initial=0) + 1
    found, correct = np.zeros((videos, width), np.int32), np.zeros((videos, width), bool)
    at = rows, places[rows, columns]
    found[at], correct[at] = columns, hot[rows, columns]
    scores = np.zeros((videos, width, len(members)), np.float32)
    for index, member in enumerate(members):
        places_of = np.take_along_axis(places, member.indices, axis=1)
        np.put_along_axis(scores[..., index], places_of, member.scores, axis=1)
    return Block(first.ids, labels, found, scores, correct)


def combine(block: Block, weights: np.ndarray, power: float = 1) -> np.ndarray:
    """The ensemble's scores for a block's classes, (n, W) float32; what fills a video up is below them all.

    They are for ranking: weights that add up to more than 1, or are negative, give scores outside [0, 1]. Cut off
    there, the surest predictions of all videos would be one tie at the top.

    Args:
        weights: (M, C).
        power: see `fitting.power`.
    """
    scores = block.scores if power == 1 else block.scores**power
    total = np.einsum("nwm,nwm->nw", scores, weights.T[block.classes], dtype=np.float64)
    total = np.sign(total) * np.abs(total) ** (1 / power)
    total[:, 1:][block.classes[:, 1:] == 0] = -np.inf  # classes ascend, so that no video has class 0 there
    return total.astype(np.float32)


def highest(block: Block, combined: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes, scores, and whether they are labels, of the k highest of each video; ties rank by class."""
    places, scores = top_k(combined, k)
    return (
        np.take_along_axis(block.classes, places, axis=1),
        scores,
        np.take_along_axis(block.correct, places, axis=1),
    )


def joined(parts: Sequence[Block]) -> Block:
    """Blocks as one, filled up to the widest."""
    width = max(part.classes.shape[1] for part in parts)

    def joined(values: Iterable[np.ndarray]) -> np.ndarray:
        fill = [np.pad(x, [(0, 0), (0, width - x.shape[1]), *[(0, 0)] * (x.ndim - 2)]) for x in values]
        return np.concatenate(fill)

    return Block(
        pa.concat_arrays([part.ids for part in parts]),
        Ragged.joined([part.labels for part in parts]),
        joined(part.classes for part in parts),
        joined(part.scores for part in parts),
        joined(part.correct for part in parts),
    )
