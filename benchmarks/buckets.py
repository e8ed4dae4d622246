"""How fast shards in a bucket become batches, against files: with an empty cache, a full one, one of half the shards.

    python -m benchmarks.buckets [--rounds 3]

The training shards of params.yaml, which `split` has listed, are served by moto, an S3 server in Python, on this
machine's loopback: it is slower than a bucket, and takes processor time from who reads. docs/buckets.md has figures.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import perf_counter
from unittest.mock import patch

from benchmarks import _processes
from benchmarks._processes import Failed, show
from stages._places import SPLIT
from yt8m.commands._trained import positive
from yt8m.core.errors import DataError, InputError
from yt8m.records import buckets
from yt8m.records.cache import Cache
from yt8m.records.dataset import Dataset
from yt8m.records.manifest import SOURCE, read_manifest, root, write_manifest
from yt8m.records.remote import Remote, total_size
from yt8m.settings.loading import load

URL = "s3://shards"
MANIFEST = SPLIT / "frames" / "train.tsv"
BATCH = 128
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")  # any will do


@contextmanager
def server() -> Iterator[dict[str, str]]:
    """A server in a process of its own; gives the environment that leads there."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        port = here.recv()
        yield {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", **dict.fromkeys(KEYS, "any")}
    finally:
        process.terminate()
        process.join()


def serve(port: Connection) -> None:
    """What the process does; it says at which port."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or each request is a line
    found = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    found.start()
    port.send(found.get_host_and_port()[1])
    Event().wait()


def upload(source: str) -> None:
    """Put the shards into the bucket, by their paths below `source`."""
    from fsspec import filesystem

    files = filesystem("s3")
    files.mkdir(URL)
    for shard in read_manifest(MANIFEST).shards:
        name = shard.path.removeprefix(f"{SOURCE}/")
        files.pipe_file(f"{URL}/{name}", Path(root(source), name).read_bytes())


def epoch(videos: Dataset) -> int:
    """Read all batches once; return how many videos they hold."""
    return sum(len(batch.ids) for batch in videos.batches(BATCH))


# The ways. Each reads everything once and gives the videos read in how many seconds. `folder` is empty at first.


def files(source: str, folder: Path) -> tuple[int, float]:
    """From files."""
    return timed(lambda: epoch(Dataset(MANIFEST, source)))


def cold(source: str, folder: Path, share: float = 1.5) -> tuple[int, float]:
    """From the bucket, with an empty cache of so much of the shards."""
    return timed(lambda: epoch(remote(source, folder, share)))


def warm(source: str, folder: Path) -> tuple[int, float]:
    """With a cache that holds all."""
    cold(source, folder)
    return cold(source, folder)


def half(source: str, folder: Path) -> tuple[int, float]:
    """With a cache of half the shards, a second time: in order, so that each shard has gone when it is needed again."""
    cold(source, folder, 0.5)
    return cold(source, folder, 0.5)


def alone(source: str, folder: Path) -> tuple[int, float]:
    """The shards' bytes alone, one after the other."""
    videos = remote(source, folder)

    def read() -> int:
        for path in videos.paths:
            buckets.fetch(str(path), folder / "shard", lambda _: None)
        return videos.size

    return timed(read)


WAYS: dict[str, Callable[[str, Path], tuple[int, float]]] = {
    "files": files,
    "bucket, fetched alone": alone,
    "bucket, empty cache": cold,
    "bucket, full cache": warm,
    "bucket, cache of half": half,
}


def remote(source: str, folder: Path, share: float = 1.5) -> Dataset:
    """The videos in the bucket, and a cache for so much of them."""
    write_manifest(folder / "source.tsv", [], root=URL)
    size = sum(shard.bytes for shard in read_manifest(MANIFEST).shards)
    return Dataset(MANIFEST, folder / "source.tsv", cache=Cache(folder / "cache", int(share * size)))


def timed(read: Callable[[], int]) -> tuple[int, float]:
    start = perf_counter()
    videos = read()
    return videos, perf_counter() - start


def best(way: str, source: str, rounds: int) -> float:
    """Videos a second of the fastest round."""
    found = []
    for _ in range(rounds):
        with TemporaryDirectory() as folder:
            videos, seconds = WAYS[way](source, Path(folder))
            found.append(videos / seconds)
    return max(found)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.buckets", description="Time shards in a bucket.")
    parser.add_argument(
        "--rounds", type=positive, default=3, help="of each way, of which the fastest counts; default: 3"
    )
    args = parser.parse_args(argv)
    try:
        source = load().data.source
        videos = Dataset(MANIFEST, source)
        if any(isinstance(path, Remote) for path in videos.paths):
            raise DataError(f"data.source: expected shards in files, received {source}, which lists URLs")
        megabytes = total_size(videos.paths) / videos.size / 1e6
        with server() as environment, patch.dict(os.environ, environment):
            _processes.apart(upload, source)
            found = {way: _processes.apart(best, way, source, args.rounds) for way in WAYS}
    except (InputError, OSError, Failed) as error:
        sys.exit(f"buckets: {error}")
    rows = [
        (way, f"{speed:,.0f}", f"{speed * megabytes:,.0f}", f"{speed / found['files']:.2f}")
        for way, speed in found.items()
    ]
    show("buckets", ("", "videos/s", "MB/s", "/ files"), rows)


if __name__ == "__main__":
    main()
