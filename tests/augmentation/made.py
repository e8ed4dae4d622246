"""A chunk of videos and what it is made into, by loops over all there is."""

import numpy as np

from tests.records import made
from yt8m.augmentation.recipes import Kind, Recipes, recipes
from yt8m.augmentation.regimes import kept, neighbours
from yt8m.augmentation.synthesis import Chunk
from yt8m.settings.params import Partners

SCHEMA = made.SCHEMA
THRESHOLD, MOST = 60, 8
COUNTS = np.array([900, 500, 200, 80, 60, 40, 20, 10, 5, 1])  # over a data set of which tests see a chunk
ONLY = 9  # a class that one video carries


def chunk(*labels: list[int], seed: int = 0) -> Chunk:
    """Videos with these labels, called v0, v1, …"""
    features = np.random.default_rng(seed).normal(size=(len(labels), SCHEMA.width)).astype(np.float32)
    return Chunk([f"v{row}" for row in range(len(labels))], [np.array(row, np.int32) for row in labels], features)


def random_chunk(seed: int, size: int = 60) -> Chunk:
    """Videos with one to three labels; one alone carries `ONLY`, and one has no label."""
    random = np.random.default_rng(seed)
    labels = [sorted(random.choice(ONLY, random.integers(1, 4), replace=False).tolist()) for _ in range(size)]
    labels[7], labels[8] = [ONLY], []
    return chunk(*labels, seed=seed)


def recipes_of(
    videos: Chunk, threshold: int | None = THRESHOLD, most: int = MOST, counts=COUNTS, partners: Partners = "class"
) -> Recipes:
    primary = videos.features[:, : SCHEMA.features["rgb"]]
    return recipes(videos.ids, videos.labels, primary, counts, threshold=threshold, most=most, partners=partners)


def by_loops(
    videos: Chunk, threshold: int | None = THRESHOLD, most: int = MOST, partners: Partners = "class"
) -> list[tuple[Kind, int, int]]:
    """(kind, seed, neighbour) of all recipes, in no order."""
    found = []
    pairs: list[tuple[int, int]] = []
    rarest = [min(row, key=lambda label: (COUNTS[label], label), default=None) for row in videos.labels]
    for scarce in range(SCHEMA.classes):
        members = [row for row, labels in enumerate(videos.labels) if scarce in labels]
        for row in (row for row in members if rarest[row] == scarce):
            if threshold is not None and COUNTS[scarce] > threshold:
                continue
            distances = {
                other: np.linalg.norm(videos.features[row, :8] - videos.features[other, :8])
                for other in members
                if other != row and (partners == "class" or set(videos.labels[other]) == set(videos.labels[row]))
            }
            near = sorted(distances, key=lambda other: distances[other])
            near = near[: neighbours(int(COUNTS[scarce]), threshold, most)]
            fresh = [other for other in near if (row, other) not in pairs and (other, row) not in pairs]
            pairs += [(row, other) for other in fresh]
            found += [(kind, row, other) for other in fresh for kind in (Kind.INTERPOLATED, Kind.EXTRAPOLATED)]
            found += [] if fresh else [(Kind.NOISE, row, row)]
    for row, label in enumerate(rarest):
        count = 0 if label is None else int(COUNTS[label])
        if threshold is None or count <= threshold or kept(videos.ids[row], count, threshold):
            found.append((Kind.ORIGINAL, row, row))
    return found
