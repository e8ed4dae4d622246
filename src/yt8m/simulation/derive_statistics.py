"""Derive the simulator's statistics from real YouTube-8M data (run once; the result is in the package).

    python -m yt8m.simulation.derive_statistics FOLDER [--classes 100]

FOLDER holds `youtube8m-video/*.tfrecord` (video level), `youtube8m-labels/label_sets.txt.gz`,
`vocabulary.csv` and `frame_counts.txt`. Kept are videos' means in their leading principal directions, coarsely, with
their labels and without their ids, and statistics of many videos.
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
VIDEOS, DIRECTIONS, RIDGE = 12_000, 600, 10.0
STEP = 0.5  # of the codes of a mean, in standard deviations of its direction


def most_frequent(path: Path, classes: int) -> np.ndarray:
    """The most frequent classes of a file of label sets, by falling frequency."""
    with gzip.open(path, "rt") as file:
        frequency = Counter(int(label) for line in file for label in line.split())
    return np.array([label for label, _ in frequency.most_common(classes)])


def means_and_labels(folder: Path, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The features (V, width) float64 of the videos that have any of the classes, and which of them, (V, kept) bool."""
    values, hot = [], []
    for path in sorted(folder.glob("*.tfrecord")):
        for video in read_videos(path, Level.VIDEO, REAL):
            if (labels := np.isin(kept, video.labels)).any():
                values.append(np.concatenate([video.features[name][0] for name in REAL.features]))
                hot.append(labels)
    return np.array(values, np.float64), np.array(hot)


def class_effects(means: np.ndarray, hot: np.ndarray) -> np.ndarray:
    """What each class adds to the features, by ridge regression on labels, (C, width)."""
    centred = hot - hot.mean(0)
    return np.linalg.solve(centred.T @ centred + RIDGE * np.eye(hot.shape[1]), centred.T @ (means - means.mean(0)))


def coded(means: np.ndarray, videos: int, directions: int) -> dict[str, np.ndarray]:
    """Every n-th video in the leading principal directions of all, and what the others hold.

    Returns:
        centre: (width,), the mean of all videos.
        directions: (D, width), each as long as a step of the codes.
        codes: (V, D) int8.
        rest: (width,), the standard deviation of what the directions leave.
        strays: (V,), how long that is of each video.
    """
    centre = means.mean(0)
    values, vectors = np.linalg.eigh(np.cov(means, rowvar=False))
    values, vectors = values[::-1][:directions], vectors.T[::-1][:directions]
    steps = STEP * np.sqrt(values)[:, None] * vectors
    along = (means - centre) @ vectors.T
    rest = means - centre - along @ vectors
    chosen = slice(None, None, max(1, len(means) // videos))
    return {
        "centre": centre,
        "directions": steps,
        "codes": np.clip(np.round(along[chosen] / (STEP * np.sqrt(values))), -127, 127).astype(np.int8),
        "rest": rest.std(0),
        "strays": np.linalg.norm(rest[chosen], axis=1),
    }


def main() -> None:
    """Write the statistics beside this module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--classes", type=int, default=100)
    args = parser.parse_args()
    of_labels = args.folder / "youtube8m-labels"
    kept = most_frequent(of_labels / "label_sets.txt.gz", args.classes)
    names = read_class_names(of_labels / "vocabulary.csv", REAL.classes)
    means, hot = means_and_labels(args.folder / "youtube8m-video", kept)
    statistics = coded(means, VIDEOS, DIRECTIONS)
    statistics |= {"effects": class_effects(means, hot), "deviation": means.std(0)}
    with whole(STATISTICS) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            **{name: of if of.dtype == np.int8 else of.astype(np.float16) for name, of in statistics.items()},
            hot=np.packbits(hot[:: max(1, len(hot) // VIDEOS)], axis=1),
            frame_counts=np.bincount(np.loadtxt(of_labels / "frame_counts.txt", dtype=np.int64)).astype(np.uint16),
            sizes=np.array(list(REAL.features.values())),
            class_index=kept.astype(np.uint16),
            class_names=np.array([names[index] for index in kept]),
        )
    print(f"{STATISTICS}: {STATISTICS.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
