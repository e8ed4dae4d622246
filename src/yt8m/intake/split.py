"""Train, holdout and test: which shard belongs where, and whether every record is what it should be."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from tqdm import tqdm

from yt8m.core.cluster import Spread
from yt8m.core.errors import DataError
from yt8m.core.files import link, write_text
from yt8m.core.schema import Level, Schema
from yt8m.intake.scans import MEANS, Scan, forget, scan
from yt8m.records.buckets import TAG, is_url
from yt8m.records.cache import Cache
from yt8m.records.manifest import SOURCE, Shard, assign, place, read_manifest, root, write_manifest
from yt8m.records.names import below, inside, matches
from yt8m.records.remote import Place, total_size

FOLDERS = {Level.FRAME: "frames", Level.VIDEO: "videos"}  # of manifests, one for each split
NO_IDS = np.empty(0, np.uint64)
EXTRA, TAUGHT = "extra", "taught"  # the split without labels, and with it the training videos


@dataclass(frozen=True)
class Source:
    """A data set.

    Attributes:
        path: a folder or a manifest (`data.source`).
        globs: for each level the pattern of its shards below it, or None.
        schema: of their records.
        cache: of shards behind URLs; None: this process's own.
    """

    path: str | Path
    globs: Mapping[Level, str | None]
    schema: Schema
    cache: Cache | None = None

    @cached_property
    def shards(self) -> dict[Level, tuple[list[str], dict[str, Shard]]]:
        """What `list_shards` gives for each level that has a pattern; looked for once."""
        return {level: list_shards(self.path, glob) for level, glob in self.globs.items() if glob is not None}

    @property
    def size(self) -> int:
        """Bytes of all shards."""
        return total_size(place for level in self.shards for place in self.places(level).values())

    def places(self, level: Level) -> dict[str, Place]:
        """Where each shard of a level lies, by its path in the data set."""
        (paths, recorded), start = self.shards[level], root(self.path)
        start = start.resolve() if isinstance(start, Path) else start  # a cluster's workers need not run in this folder
        return {path: place(path, start, recorded.get(path), self.cache) for path in paths}


def list_shards(source: str | Path, pattern: str) -> tuple[list[str], dict[str, Shard]]:
    """The shards of a folder or a manifest that `pattern` matches, relative to the data set's root.

    Returns:
        Their paths, and what a manifest records of each (nothing for a folder).

    Raises:
        DataError: where `source` does not exist, or is a URL.
    """
    if is_url(source):
        raise DataError(
            f"data.source: expected a folder of shards or a manifest file, which DVC depends on, received {source}: "
            f"list its shards (yt8m manifest {source} --output shards.tsv) and name the list"
        )
    source = Path(source)
    if source.is_dir():
        return sorted(str(path.relative_to(source)) for path in below(source, pattern)), {}
    if not source.is_file():
        raise DataError(
            f"data.source: expected a folder of shards or a manifest file, received {source}, which does not exist"
        )
    recorded = {shard.path: shard for shard in read_manifest(source).shards if matches(shard.path, pattern)}
    return sorted(recorded), recorded


def patterns_of(
    level: Level, globs: Mapping[Level, str | None], patterns: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    """Those of a level's shards: of extra videos, those alone that frame-level models see are wanted."""
    seen = level is Level.FRAME or globs.get(Level.FRAME) is None
    return {name: [] if name == EXTRA and not seen else list(each) for name, each in patterns.items()}


def split(
    source: Source, patterns: dict[str, list[str]], out: Path, home: Path, kept: Path, spread: Spread
) -> dict[str, dict[str, int]]:
    """Check all shards and write, for each split, its manifests and label counts below `out`.

    Of the extra videos there are no label counts, and no video-level manifest; that of `taught` has the training videos
    before them.

    Where the data set has no video-level shards they are derived by averaging frames (into `out/means`);
    where it has no frame-level shards each video is one frame, and the frame manifest lists the former.

    Args:
        patterns: for each split, `extra` among them, the name patterns of its shards.
        home: where `out` will lie in the end; shards derived are recorded there.
        kept: folder of what was learnt of each shard, from call to call; what is not needed any more is removed.
        spread: divides the shards among workers.

    Returns:
        Counts of shards, videos and labels by split; of `extra` if it has any.

    Raises:
        DataError, RecordError: naming the parameter, or the file and the record, that is wrong.
    """
    (out / MEANS).mkdir(parents=True, exist_ok=True)
    kept = kept.resolve()  # a cluster's workers need not run in this folder
    found: dict[Level, dict[str, list[Scan]]] = {}
    derive = source.globs.get(Level.VIDEO) is None
    for level, (paths, recorded) in source.shards.items():
        places = source.places(level)
        assigned = assign(paths, patterns_of(level, source.globs, patterns))
        work = [(name, path) for name, members in assigned.items() for path in members]
        scans = spread(
            scan, ((places[path], path, level, source.schema, kept, derive and name != EXTRA) for name, path in work)
        )
        progress = tqdm(scans, f"{level} shards", len(work), unit="shard", disable=None)
        for (name, path), result in zip(work, progress, strict=True):
            _check_recorded(result.shard, recorded.get(path))
            found.setdefault(level, {}).setdefault(name, []).append(_relocated(result, path, out, home))
        forget(kept, level, (path for _, path in work))
    splits = {name: {level: scans.get(name, []) for level, scans in found.items()} for name in patterns}
    _check_ids(splits)
    extra = splits.pop(EXTRA)
    counts = {name: _write(name, scans, source.schema, out) for name, scans in splits.items()}
    return counts | _write_extra(extra, splits["train"], source.schema, out)


def _relocated(result: Scan, path: str, out: Path, home: Path) -> Scan:
    """A scan whose shards are recorded where they will be found: below the source, or in `means`."""
    derived = result.derived
    if derived:
        name = Path(MEANS, inside(path))
        (out / name.parent).mkdir(parents=True, exist_ok=True)
        link(Path(derived.path), out / name)
        derived = replace(derived, path=str(home / name))
    return replace(result, shard=replace(result.shard, path=f"{SOURCE}/{path}"), derived=derived)


def _check_ids(splits: dict[str, dict[Level, list[Scan]]]) -> None:
    """Refuse ids that repeat, in a split or across splits, and levels that are not of the same videos.

    Only what is learnt from may have more videos at one level than at the other: of the others predictions of both are
    compared.
    """
    ids = {
        name: {level: np.concatenate([NO_IDS, *(scan.ids for scan in scans)]) for level, scans in levels.items()}
        for name, levels in splits.items()
    }
    for level in next(iter(ids.values())):
        everything = np.concatenate([by_level[level] for by_level in ids.values()])
        repeated = len(everything) - len(np.unique(everything))
        if repeated:
            held = {name: len(by_level[level]) for name, by_level in ids.items()}
            raise DataError(f"split: expected each {level}-level video once, received {repeated} again among {held}")
    for name, by_level in ids.items():
        if name not in ("train", EXTRA) and len(by_level) == 2:
            differing = np.setxor1d(by_level[Level.FRAME], by_level[Level.VIDEO])
            if len(differing):
                raise DataError(
                    f"split {name!r}: expected the same videos at both levels, received {len(differing)} at one only"
                )


def _write(name: str, scans: dict[Level, list[Scan]], schema: Schema, out: Path) -> dict[str, int]:
    """Write the manifests and label counts of one split."""
    primary = _primary(scans)
    labels, size = np.sum([scan.labels for scan in primary], 0), sum(scan.shard.videos for scan in primary)
    if not labels.sum():
        raise DataError(
            f"split {name!r}: expected labelled videos, received {size} videos without a label; "
            "the published test shards have none, so take a part of validate for test"
        )
    videos = [scan.shard for scan in scans.get(Level.VIDEO, [])] or [scan.derived for scan in primary if scan.derived]
    write_manifest(out / FOLDERS[Level.FRAME] / f"{name}.tsv", [scan.shard for scan in primary], schema)
    write_manifest(out / FOLDERS[Level.VIDEO] / f"{name}.tsv", videos, schema)
    lines = [f"{index},{count}" for index, count in enumerate(labels)]
    write_text(out / "label_counts" / f"{name}.csv", "\n".join(["index,videos", *lines]) + "\n")
    return {
        "shards": len(primary),
        "videos": size,
        "unlabelled": sum(scan.unlabelled for scan in primary),
        "labels": int(labels.sum()),
        "classes": int((labels > 0).sum()),
        **_lost(primary),
    }


def _write_extra(
    extra: dict[Level, list[Scan]], train: dict[Level, list[Scan]], schema: Schema, out: Path
) -> dict[str, dict[str, int]]:
    """Write the manifests of the videos whose labels are not looked at, and of all that the student is taught."""
    scans, folder = _primary(extra), out / FOLDERS[Level.FRAME]
    shards = [scan.shard for scan in scans]
    write_manifest(folder / f"{EXTRA}.tsv", shards, schema)
    write_manifest(folder / f"{TAUGHT}.tsv", [*(scan.shard for scan in _primary(train)), *shards], schema)
    size = sum(shard.videos for shard in shards)
    return {EXTRA: {"shards": len(shards), "videos": size, **_lost(scans)}} if scans else {}


def _primary(scans: dict[Level, list[Scan]]) -> list[Scan]:
    """Those of the level that frame-level models see."""
    return scans[Level.FRAME] if Level.FRAME in scans else scans[Level.VIDEO]


def _lost(scans: list[Scan]) -> dict[str, int]:
    """What the records have that is not read."""
    frames, values, features = map(sum, zip(*(scan.losses for scan in scans), strict=True))
    return {"frames_cut": frames, "values_clipped": values, "features_missing": features}


def _check_recorded(shard: Shard, recorded: Shard | None) -> None:
    """Refuse a shard that is not as its manifest says; an ETag was compared when the shard was fetched."""
    if recorded and recorded.checksum.startswith(TAG):
        shard = replace(shard, checksum=recorded.checksum)
    if recorded and (recorded.bytes, recorded.videos, recorded.checksum) != (shard.bytes, shard.videos, shard.checksum):
        raise DataError(
            f"{shard.path}: expected {recorded.bytes} bytes, {recorded.videos} videos, checksum {recorded.checksum} "
            f"as the manifest records, received {shard.bytes}, {shard.videos}, {shard.checksum}"
        )
