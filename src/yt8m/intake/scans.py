"""One pass over a shard, and what it found, kept so that a shard that has not changed is not read again."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from yt8m.core.files import whole
from yt8m.core.schema import Level, Schema
from yt8m.records.manifest import Shard, describe
from yt8m.records.names import inside
from yt8m.records.remote import Place, Remote
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import NONE, Losses, encode, read_videos

MEANS = "means"  # the folder of shards derived by averaging frames


@dataclass(frozen=True)
class Scan:
    """What one pass over a shard found: `labels` counts its videos by class, `ids` are 64-bit hashes.

    `losses` is what its videos have lost on the way.
    """

    shard: Shard
    labels: np.ndarray
    unlabelled: int
    ids: np.ndarray
    losses: Losses = NONE
    derived: Shard | None = None


def scan(path: Place, name: str, level: Level, schema: Schema, kept: Path, derive: bool) -> Scan:
    """What a shard holds: read now, or as it was found before where it has not changed since.

    Of a file size and time say whether it has, of a shard behind a URL what its manifest records.

    Args:
        name: its path in the data set, which is what it is known by.
        kept: folder of what was found in shards of this schema by this code.
        derive: whether to write the means of each video's frames to a video-level shard there.

    Raises:
        RecordError: for the first record that does not fit the schema.
    """
    file = kept / level / f"{inside(name)}.npz"
    stamp = [*_state(path), derive]
    if (found := _load(file, stamp)) is None:
        found = read(path, level, schema, kept / MEANS / inside(name) if derive else None)
        _save(file, stamp, found)
    return found


def read(path: Place, level: Level, schema: Schema, means: Path | None = None) -> Scan:
    """Read every record of a shard; with `means`, write its video-level shard there on the way.

    Raises:
        RecordError: for the first record that does not fit the schema.
    """
    labels, ids, unlabelled = np.zeros(schema.classes, np.int64), [], 0
    averaged, lost = [], []
    for video in read_videos(path, level, schema):
        labels[video.labels] += 1
        unlabelled += not len(video.labels)
        lost.append(video.losses)
        ids.append(int.from_bytes(hashlib.blake2b(video.id.encode(), digest_size=8).digest(), "little"))
        if means:
            mean = {name: value[None] for name, value in video.means().items()}
            averaged.append(encode(replace(video, features=mean), Level.VIDEO, schema))
    derived = None
    if means:
        write_records(means, averaged)
        derived = describe(means, Level.VIDEO, len(ids))
    losses = Losses(*map(sum, zip(*lost, strict=True))) if lost else NONE
    return Scan(describe(path, level, len(ids)), labels, unlabelled, np.array(ids, np.uint64), losses, derived)


def _state(path: Place) -> tuple[object, object]:
    if isinstance(path, Remote):
        return path.bytes, path.checksum
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def forget(kept: Path, level: Level, names: Iterable[str]) -> None:
    """Remove what is kept of other shards of a level than these."""
    known = {inside(name) for name in names}
    for folder, ending in ((kept / level, ".npz"), *([(kept / MEANS, "")] if level is Level.FRAME else [])):
        for file in folder.rglob("*"):
            if file.is_file() and str(file.relative_to(folder)).removesuffix(ending) not in known:
                file.unlink()


def _save(file: Path, stamp: list, found: Scan) -> None:
    about = {
        "stamp": stamp,
        "shard": asdict(found.shard),
        "unlabelled": found.unlabelled,
        "losses": found.losses,
        "derived": found.derived and asdict(found.derived),
    }
    with whole(file) as partial, partial.open("wb") as out:
        np.savez(out, about=json.dumps(about), labels=found.labels, ids=found.ids)


def _load(file: Path, stamp: list) -> Scan | None:
    """What was kept of a shard; None where nothing was, it is of another state, or a shard derived from it is gone."""
    try:
        with np.load(file) as content:
            about, labels, ids = json.loads(str(content["about"])), content["labels"], content["ids"]
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return None  # not there, or cut off with its disk
    derived = about["derived"] and _shard(about["derived"])
    if about["stamp"] != stamp or (derived and not Path(derived.path).is_file()):
        return None
    return Scan(_shard(about["shard"]), labels, about["unlabelled"], ids, Losses(*about["losses"]), derived)


def _shard(content: dict) -> Shard:
    return Shard(**content | {"level": Level(content["level"])})
