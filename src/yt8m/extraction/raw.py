"""What networks say of videos, a file each, kept so that a video that was done is not done again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from tqdm import tqdm

from yt8m.core.cluster import cores
from yt8m.core.errors import InputError
from yt8m.core.files import read_json, whole, write_json
from yt8m.extraction import sound
from yt8m.extraction.decoding import BrokenVideo, pictures, waveform
from yt8m.extraction.networks import Network
from yt8m.records.readers import ahead

PICTURES, SOUND = "rgb", "audio"  # features, as YouTube-8M calls them
NETWORKS = "networks.json"
SILENT = "silent"


@dataclass(frozen=True)
class Frames:
    """The vectors of videos as networks gave them.

    Attributes:
        folder: of a file for each video, with an array for each network.
        ids: of the videos.
        feature: which of the arrays.
    """

    folder: Path
    ids: Sequence[str]
    feature: str

    def __iter__(self) -> Iterator[np.ndarray]:
        """Those of each video, (T, size) float32."""
        for id in self.ids:
            with np.load(file_of(self.folder, id)) as arrays:
                yield arrays[self.feature]


def file_of(folder: Path, id: str) -> Path:
    """Where a video's vectors are."""
    return folder / f"{id}.npz"


def look(videos: Mapping[str, Path], networks: Mapping[str, Network], limit: int, folder: Path) -> dict[str, str]:
    """Have networks look at all videos at which they have not looked yet.

    Args:
        videos: the file of each by its id.
        networks: by feature, that for `PICTURES` among them.
        limit: frames of a video.
        folder: see `file_of`.

    Returns:
        What is wrong with each file that cannot be decoded, by its id.

    Raises:
        InputError: where the folder holds what others have said, or what a network says is no number.
    """
    _require_same(folder, networks, limit)
    todo = {id: path for id, path in videos.items() if _kept_of(file_of(folder, id)) != _state(path)}
    broken = {}
    with ThreadPoolExecutor(cores()) as pool:
        decoded = ahead(lambda path: pool.submit(_decode, path, networks, limit), todo.values(), cores())
        progress = tqdm(decoded, "extracting", len(videos), initial=len(videos) - len(todo), unit="video", disable=None)
        for (id, path), found in zip(todo.items(), progress, strict=True):
            if isinstance(found, BrokenVideo):
                broken[id] = str(found)
            else:
                _write(file_of(folder, id), path, found, networks)
    return broken


def silent(folder: Path, ids: Iterable[str]) -> int:
    """How many of the videos have no sound."""
    return sum(int(np.load(file_of(folder, id))[SILENT]) for id in ids)


def _decode(path: Path, networks: Mapping[str, Network], limit: int) -> dict[str, np.ndarray] | BrokenVideo:
    """What each network is to see of a video, (T, …), and whether there is no sound where there should be."""
    height, width, _ = networks[PICTURES].shape
    try:
        found = {PICTURES: pictures(path, height, width, limit)}
        found[SILENT] = np.array(False)
        if SOUND in networks:
            seconds = len(found[PICTURES])
            heard = waveform(path, seconds)
            found[SILENT] = np.array(heard is None)
            found[SOUND] = sound.patches(np.zeros(0, np.float32) if heard is None else heard, seconds)
    except BrokenVideo as error:
        return error
    return found


def _write(file: Path, path: Path, found: Mapping[str, np.ndarray], networks: Mapping[str, Network]) -> None:
    vectors = {name: network(found[name].reshape(-1, *network.shape)) for name, network in networks.items()}
    for name, values in vectors.items():
        if not np.isfinite(values).all():
            raise InputError(f"{path}: expected finite numbers of the network for {name}, received others")
    with whole(file) as partial, partial.open("wb") as out:
        np.savez(out, allow_pickle=False, state=_state(path), **{SILENT: found[SILENT]}, **vectors)


def _state(path: Path) -> tuple[int, int]:
    """What changes with a file's content, as a rule."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _kept_of(file: Path) -> tuple[int, ...] | None:
    """The state of the video that vectors are of; None where there are none, or cut off with their disk."""
    try:
        with np.load(file) as arrays:
            return tuple(arrays["state"].tolist())
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return None


def _require_same(folder: Path, networks: Mapping[str, Network], limit: int) -> None:
    """Note whose vectors a folder holds, or refuse to mix them with others'."""
    asked = {"max_frames": limit, **{name: network.digest for name, network in networks.items()}}
    path = folder / NETWORKS
    if not path.is_file():
        write_json(path, asked)
    elif (held := read_json(path)) != asked:
        raise InputError(
            f"{folder}: expected what these networks have said of videos ({asked}), received what others have said "
            f"({held}): remove the folder, or give another --output"
        )
