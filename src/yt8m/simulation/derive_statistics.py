"""Derive the simulator's statistics from real YouTube-8M data (run once; the result is in the package).

    python -m yt8m.simulation.derive_statistics FOLDER [--classes 100]

FOLDER holds `youtube8m-video/*.tfrecord` (video level), `youtube8m-labels/label_sets.txt.gz`,
`vocabulary.csv` and `frame_counts.txt`. Everything kept is a statistic of many videos, or a label set without its id.
"""

import argparse
import gzip
from collections import Counter
from pathlib import Path

import numpy as np

from yt8m.core.files import whole
from yt8m.core.schema import Level, Schema
from yt8m.records.classes import read_class_names
from yt8m.records.videos import read_videos

REAL = Schema(
    id_key="id",
    labels_key="labels",
    mean_prefix="mean_",
    features={"rgb": 1024, "audio": 128},
    classes=3862,
    uneven_frames="refuse",
    missing_features="refuse",
    extractor=None,
    max_frames=300,
)
STATISTICS = Path(__file__).parent / "statistics" / "youtube8m.npz"
SETS_KEPT, RANK, RIDGE = 40_000, 64, 10.0


def label_sets(path: Path, classes: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """The most frequent classes (by falling frequency) and an even sample of label sets restricted to them."""
    with gzip.open(path, "rt") as file:
        sets = [np.array(line.split(), np.int64) for line in file]
    frequency = Counter(int(label) for labels in sets for label in labels)
    kept = np.array([label for label, _ in frequency.most_common(classes)])
    position = np.full(REAL.classes, -1)
    position[kept] = np.arange(classes)
    restricted = [np.unique(position[labels][position[labels] >= 0]) for labels in sets]
    restricted = [labels for labels in restricted if len(labels)]
    return kept, restricted[:: max(1, len(restricted) // SETS_KEPT)]


def feature_statistics(folder: Path, kept: np.ndarray) -> dict[str, np.ndarray]:
    """Background, class effects (ridge regression on labels) and the residual's leading directions and rest."""
    values, hot = [], []
    for path in sorted(folder.glob("*.tfrecord")):
        for video in read_videos(path, Level.VIDEO, REAL):
            values.append(np.concatenate([video.features[name][0] for name in REAL.features]))
            hot.append(np.isin(kept, video.labels))
    x, y = np.array(values, np.float64), np.array(hot, np.float64)
    mean_x, mean_y = x.mean(0), y.mean(0)
    centred = y - mean_y
    effects = np.linalg.solve(centred.T @ centred + RIDGE * np.eye(len(kept)), centred.T @ (x - mean_x))
    background = mean_x - mean_y @ effects
    residual = x - background - y @ effects
    eigenvalues, directions = np.linalg.eigh(np.cov(residual, rowvar=False))
    leading = directions[:, -RANK:] * np.sqrt(eigenvalues[-RANK:])
    rest = np.sqrt(np.maximum(residual.var(0) - (leading**2).sum(1), 0))
    return {"background": background, "effects": effects, "style": leading.T, "rest": rest}


def main() -> None:
    """Write the statistics beside this module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--classes", type=int, default=100)
    args = parser.parse_args()
    labels = args.folder / "youtube8m-labels"
    kept, sets = label_sets(labels / "label_sets.txt.gz", args.classes)
    names = read_class_names(labels / "vocabulary.csv", REAL.classes)
    statistics = feature_statistics(args.folder / "youtube8m-video", kept)
    frames = np.bincount(np.loadtxt(labels / "frame_counts.txt", dtype=np.int64))
    with whole(STATISTICS) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            **{name: value.astype(np.float16) for name, value in statistics.items()},
            sets=np.concatenate(sets).astype(np.uint8),
            set_sizes=np.array([len(labels) for labels in sets], np.uint8),
            frame_counts=frames.astype(np.uint16),
            sizes=np.array(list(REAL.features.values())),
            class_index=kept.astype(np.uint16),
            class_names=np.array([names[index] for index in kept]),
        )
    print(f"{STATISTICS}: {STATISTICS.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
