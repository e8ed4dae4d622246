"""Table 3 at the real data's scale: `python -m benchmarks.table3 LABEL_SETS [--project P]`.

LABEL_SETS (text, gzip) has the classes of a video on each line, a sample of YouTube-8M's. From them follows how many
videos the paper's regimes ask for, but not how many pairs of neighbours are asked for twice, once by each of the two:
that share is measured on a project's training videos.
"""

import argparse
import gzip
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages._places import SPLIT
from yt8m.augmentation.recipes import Kind, recipes
from yt8m.augmentation.regimes import neighbours, rarest_labels, target
from yt8m.augmentation.synthesis import read_chunk
from yt8m.records.dataset import Dataset
from yt8m.report.tables import markdown
from yt8m.settings.loading import load

BEFORE, AFTER = 5_001_275, 23_590_464  # the paper's Table 3
THRESHOLD, MOST = 10_000, 8  # the paper's
SCALES = (1, 4, 20)  # of the threshold that goes with a project's videos: the larger, the larger the classes


class Asked(NamedTuple):
    """What the regimes ask for.

    Attributes:
        stay: videos of the augmented set that are original ones.
        pairs: of a seed and a neighbour, those asked for twice counted twice; each makes two videos.
    """

    stay: float
    pairs: float


def asked(labels: Sequence[np.ndarray], counts: np.ndarray, threshold: int, most: int) -> Asked:
    """What the regimes make of videos, as expected over their ids.

    Args:
        labels: of each video.
        counts: videos by class, by which the regimes go, and among which neighbours are looked for, (classes,).
    """
    rarest = rarest_labels(labels, counts)
    each = counts[rarest]
    rare, frequent = (rarest >= 0) & (each <= threshold), (rarest >= 0) & (each > threshold)
    wanted = np.array([neighbours(int(count), threshold, most) for count in counts])
    one_in = np.maximum(each[frequent] / target(each[frequent], threshold), 1).astype(int)
    return Asked(
        float(np.sum(rarest < 0) + rare.sum() + np.sum(1 / one_in)),
        float(np.minimum(wanted, counts - 1)[rarest[rare]].sum()),
    )


def read_sets(path: Path) -> list[np.ndarray]:
    """The label sets of a file."""
    with gzip.open(path, "rt") as file:
        return [np.array(line.split(), np.int64) for line in file]


def asked_twice(videos: Dataset, threshold: int, most: int) -> float:
    """The share of pairs that are other pairs turned round, by the neighbours of a project's videos."""
    chunk = read_chunk(list(zip(videos.paths, videos.counts, strict=True)), videos.schema)
    counts = np.bincount(np.concatenate(chunk.labels), minlength=videos.schema.classes)
    primary = chunk.features[:, : videos.schema.features[videos.schema.primary]]
    made = recipes(chunk.ids, chunk.labels, primary, counts, threshold=threshold, most=most, partners="class")
    pairs = np.sum(made.kind == Kind.INTERPOLATED)
    all_of_them = asked(chunk.labels, counts, threshold, most).pairs
    return float(1 - pairs / all_of_them) if all_of_them else 0.0


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table3", description=__doc__)
    parser.add_argument("label_sets", type=Path)
    parser.add_argument("--project", type=Path, default=Path(), help="where `split` has run; default: here")
    args = parser.parse_args(argv)
    sets = read_sets(args.label_sets)
    scale = BEFORE / len(sets)
    counts = np.round(np.bincount(np.concatenate(sets)) * scale).astype(int)
    stay, pairs = (scale * value for value in asked(sets, counts, THRESHOLD, MOST))
    rows = [("before pairs are told apart", "", f"{stay + 2 * pairs:,.0f}")]
    with chdir(args.project):
        videos = Dataset(SPLIT / "videos" / "train.tsv", load().data.source)
        for factor in SCALES:
            threshold = max(1, round(factor * THRESHOLD * videos.size / BEFORE))
            share = asked_twice(videos, threshold, MOST)
            rows.append((f"at a threshold of {threshold}", f"{share:.3f}", f"{stay + 2 * pairs * (1 - share):,.0f}"))
    rows.append(("the paper's Table 3", "", f"{AFTER:,}"))
    print(markdown((f"{BEFORE:,} videos become", "pairs asked for twice", "videos"), rows))


if __name__ == "__main__":
    main()
