"""List the shards of a folder, or below a URL, with sizes, counts and checksums."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from yt8m.core.cluster import processes_for, workers
from yt8m.core.errors import InputError
from yt8m.records.buckets import folder_url, is_url, is_wild
from yt8m.records.manifest import Shard, describe, write_manifest
from yt8m.records.names import is_shard
from yt8m.records.remote import Place, Remote, total_size
from yt8m.records.shards import behind, in_folder, level_of
from yt8m.records.tfrecord import read_records


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("folder", metavar="FOLDER", help="or a URL: s3://bucket/folder")
    parser.add_argument("--output", metavar="FILE.tsv", help="default: FOLDER/manifest.tsv; needed for a URL")


def run(folder: str, output: str | None) -> None:
    """Write a manifest of all shards below a folder or a URL, for `data.source`.

    Paths are relative to the manifest, or to the URL, which it names.

    Raises:
        InputError: where there is no shard, one is damaged, or the URL cannot be read.
    """
    root = url_of(folder, output) if is_url(folder) else None
    file = Path(output or Path(folder, "manifest.tsv"))
    paths: Sequence[Place] = in_folder(Path(folder)) if root is None else behind(root)
    with workers(None, processes_for(total_size(paths))) as spread:
        shards = spread(describe_file, ((path, root or file.parent) for path in paths))
        listed = list(tqdm(shards, "reading", len(paths), unit="shard", disable=None))
    write_manifest(file, listed, root=root)
    print(f"{file}: {len(listed)} shards, {sum(shard.videos for shard in listed)} videos")


def url_of(folder: str, output: str | None) -> str:
    """The URL that paths are relative to.

    Raises:
        InputError: where it is none of a folder, or no file is given to write.
    """
    if is_wild(folder) or is_shard(folder):
        raise InputError(f"{folder}: expected the URL of a folder, received a shard's or a pattern")
    if output is None or is_url(output):
        raise InputError(f"{folder}: expected --output FILE.tsv here, where DVC can follow it, received {output}")
    return folder_url(folder)


def describe_file(path: Place, root: Path | str) -> Shard:
    """What a manifest records of a shard; its level is that of its first record."""
    level = level_of(path)
    if isinstance(path, Remote):
        shard = describe(path, level, sum(1 for _ in read_records(path)))
        return replace(shard, path=path.url.removeprefix(f"{root}/"), checksum=path.checksum or shard.checksum)
    root = Path(root)
    # Links stay as they are: where they lead to may be another place on another machine.
    path, root = path.absolute(), root.absolute()
    name = path.relative_to(root) if path.is_relative_to(root) else path
    return replace(describe(path, level, sum(1 for _ in read_records(path))), path=str(name))
