"""Features and labels made a data set: its shards, and its table of classes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from tqdm import tqdm

from yt8m.core.cluster import processes_for, workers
from yt8m.core.errors import InputError
from yt8m.core.files import write_csv
from yt8m.core.schema import Schema
from yt8m.packing.coding import Format
from yt8m.packing.features import Feature
from yt8m.packing.labels import Labels
from yt8m.packing.shards import Seen, write_shard
from yt8m.packing.splits import SPLITS, shards_of, split_of

TOLERATED = 0.001  # of a feature's values: so many may lie outside of what codes stand for, and are cut off


@dataclass(frozen=True)
class Chosen:
    """The videos that are packed.

    Attributes:
        splits: of each, by its id.
        labels: of each; empty where there is no table of labels.
        unnamed: videos with features that the table of labels does not have, which are left out.
        unseen: videos of the table that have no features.
    """

    splits: dict[str, str]
    labels: dict[str, np.ndarray]
    unnamed: int = 0
    unseen: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Videos of each split."""
        return {split: Counter(self.splits.values())[split] for split in SPLITS}

    def of(self, split: str) -> list[str]:
        """The ids of a split."""
        return [id for id, name in self.splits.items() if name == split]

    def without(self, broken: Mapping[str, str]) -> Self:
        """The others.

        Args:
            broken: what is wrong with each, by its id.

        Raises:
            InputError: where there are none.
        """
        splits = {id: split for id, split in self.splits.items() if id not in broken}
        if not splits:
            reason = next(iter(broken.values()))
            raise InputError(f"videos: expected one that can be read, received none of {len(self.splits)}: {reason}")
        return replace(self, splits=splits, labels={id: self.labels[id] for id in splits})

    def require_trainable(self) -> None:
        """Refuse what the pipeline cannot be run on.

        Raises:
            InputError: where a split has no video with a label, or the holdout has one video alone.
        """
        labelled = Counter(split for id, split in self.splits.items() if len(self.labels[id]))
        counts = {split: labelled[split] for split in SPLITS}
        if not all(counts.values()) or self.counts["validate"] < 2:
            received = ", ".join(f"{count} {split}" for split, count in counts.items())
            raise InputError(
                f"--params-out: expected labelled videos in all splits, 2 in validate, received {received}"
            )

    def label_counts(self, split: str, classes: int) -> np.ndarray:
        """The videos of a split by class, (classes,) int64."""
        rows = [self.labels[id] for id in self.of(split)]
        return np.bincount(np.concatenate([np.empty(0, np.int64), *rows]).astype(np.int64), minlength=classes)


def choose(ids: Sequence[str], labels: Labels | None, shares: Sequence[float]) -> Chosen:
    """Which videos are for what. Without labels all are for test, as YouTube-8M's videos without labels are.

    A video that the table of labels does not have is left out: a training would take it for one that shows no class.

    Args:
        ids: of the videos that have all features.
        shares: of the splits, where the table of labels does not say which.

    Raises:
        InputError: where no video is left.
    """
    if labels is None:
        return Chosen(dict.fromkeys(ids, SPLITS[-1]), dict.fromkeys(ids, np.empty(0, np.int32)))
    kept = [id for id in ids if id in labels.classes]
    if not kept:
        raise InputError(
            f"labels: expected ids as features have them ({', '.join(islice(ids, 3))}, …), "
            f"received others ({', '.join(islice(labels.classes, 3))}, …)"
        )
    splits = {id: labels.splits[id] if labels.splits else split_of(id, shares) for id in kept}
    return Chosen(
        splits, {id: labels.classes[id] for id in kept}, len(ids) - len(kept), len(labels.classes) - len(kept)
    )


def write_shards(features: Mapping[str, Feature], chosen: Chosen, format: Format, schema: Schema, out: Path) -> Seen:
    """Write `LEVEL/NAME.tfrecord` below `out` for each shard, and return what there was in the videos.

    Raises:
        InputError: naming a file that is not as expected.
    """
    seen, shards = Seen(), shards_of(chosen.splits)
    first = next(iter(chosen.splits))
    size = len(chosen.splits) * sum(feature.read(first).nbytes for feature in features.values())
    calls = (
        (
            out / format.level / f"{name}.tfrecord",
            {key: feature.of(ids) for key, feature in features.items()},
            {id: chosen.labels[id] for id in ids},
            format,
            schema,
        )
        for name, ids in shards.items()
    )
    with workers(None, min(len(shards), processes_for(size))) as spread:
        for found in tqdm(spread(write_shard, calls), "packing", len(shards), unit="shard", disable=None):
            seen.add(found)
    return seen


def require_in_range(seen: Seen, format: Format) -> None:
    """Refuse features of which the 8-bit code would cut off much.

    Raises:
        InputError: naming the feature, and a factor that brings its values into the code's range.
    """
    for name, tally in seen.tallies.items():
        if tally.share_outside > TOLERATED:
            raise InputError(
                f"{name}: expected values from -2 to 2, which 8-bit codes stand for, received {tally.low:.4g} to "
                f"{tally.high:.4g}, {tally.share_outside:.2%} of them outside: give {format.advice(name, tally)}, say"
            )


def write_classes(path: Path, names: Sequence[str]) -> None:
    """Write a table of classes."""
    write_csv(path, ("index", "name"), enumerate(names))
