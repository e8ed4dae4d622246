"""Features and labels as somebody might have them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SIZES = {"audio": 3, "rgb": 5}  # sorted, as the arrays of an .npz are


def arrays(count: int, frames: int | None = None, seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    """Videos by id, each with an array for each feature: (1 to 6 frames, size) float32 in [-1.9, 1.9].

    Args:
        frames: 0 for the video level, (size,); None draws them.
    """
    random = np.random.default_rng(seed)
    made = {}
    for index in range(count):
        number = random.integers(1, 7) if frames is None else frames
        made[f"v{index:03d}"] = {
            name: random.uniform(-1.9, 1.9, (number, size) if number else size).astype(np.float32)
            for name, size in SIZES.items()
        }
    return made


def write_npy(folder: Path, videos: dict[str, dict[str, np.ndarray]], name: str) -> Path:
    """A folder with a file of one feature for each video, in two sub-folders."""
    for index, (id, values) in enumerate(videos.items()):
        path = folder / str(index % 2) / f"{id}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, values[name])
    return folder


def write_npz(folder: Path, videos: dict[str, dict[str, np.ndarray]]) -> Path:
    """A folder with a file for each video."""
    folder.mkdir(parents=True, exist_ok=True)
    for id, values in videos.items():
        np.savez(folder / f"{id}.npz", allow_pickle=False, **values)
    return folder


def write_parquet(path: Path, videos: dict[str, dict[str, np.ndarray]], kind: pa.DataType | None = None) -> Path:
    """A table with a row for each video.

    Args:
        kind: of a feature's values; by default lists of lists of float32.
    """
    kind = kind or pa.list_(pa.list_(pa.float32()))
    columns = {name: pa.array([v[name].tolist() for v in videos.values()], kind) for name in SIZES}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": list(videos), **columns}), path, row_group_size=7)
    return path
