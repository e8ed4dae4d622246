"""List the shards of a folder with sizes, counts and checksums."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from yt8m.core.cluster import processes_for, workers
from yt8m.core.files import total_size
from yt8m.records.manifest import Shard, describe, write_manifest
from yt8m.records.shards import in_folder, level_of
from yt8m.records.tfrecord import read_records


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, help="default: FOLDER/manifest.tsv")


def run(folder: Path, output: Path | None) -> None:
    """Write a manifest of all shards below a folder, for `data.source`; paths are relative to the manifest.

    Raises:
        InputError: where there is no shard, or one is damaged.
    """
    output = output or folder / "manifest.tsv"
    paths = in_folder(folder)
    with workers(None, processes_for(total_size(paths))) as spread:
        shards = spread(describe_file, ((path, output.parent) for path in paths))
        listed = list(tqdm(shards, "reading", len(paths), unit="shard", disable=None))
    write_manifest(output, listed)
    print(f"{output}: {len(listed)} shards, {sum(shard.videos for shard in listed)} videos")


def describe_file(path: Path, root: Path) -> Shard:
    """What a manifest records of a shard; its level is that of its first record."""
    level = level_of(path)
    # Links stay as they are: where they lead to may be another place on another machine.
    path, root = path.absolute(), root.absolute()
    name = path.relative_to(root) if path.is_relative_to(root) else path
    return replace(describe(path, level, sum(1 for _ in read_records(path))), path=str(name))
