"""How fast shards become batches: this reader against the file itself and TensorFlow's own ways.

    python -m benchmarks.reader [--megabytes 1000] [--rounds 3]

docs/benchmarks.md says what the lines mean.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from benchmarks import _processes
from benchmarks._processes import Failed, show
from yt8m.commands._trained import positive
from yt8m.core.cluster import cores
from yt8m.core.quantization import OFFSET, SCALE
from yt8m.core.schema import Level
from yt8m.records.dataset import Dataset
from yt8m.records.manifest import SOURCE, Shard, write_manifest
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode
from yt8m.simulation.derive_statistics import REAL as SCHEMA

VIDEOS = 100  # of a shard
BATCH = 128
Read = Callable[[], int]
BUFFER = 1024  # videos that wait to be drawn


def write(folder: Path, megabytes: int) -> None:
    """Shards of full-length videos, and their manifest."""
    random = np.random.default_rng(0)
    size = SCHEMA.max_frames * sum(SCHEMA.features.values())
    shards = []
    for index in range(max(1, megabytes * 10**6 // (size * VIDEOS))):
        path = folder / f"train{index:04d}.tfrecord"
        write_records(path, (encode(video(random, f"{index}_{row}"), Level.FRAME, SCHEMA) for row in range(VIDEOS)))
        shards.append(Shard(Level.FRAME, f"{SOURCE}/{path.name}", path.stat().st_size, VIDEOS, ""))
    write_manifest(folder / "train.tsv", shards, SCHEMA)


def video(random: np.random.Generator, id: str) -> Video:
    """A video of full length with three labels."""
    shapes = {name: (SCHEMA.max_frames, size) for name, size in SCHEMA.features.items()}
    features = {name: random.integers(0, 256, shape, np.uint8) for name, shape in shapes.items()}
    return Video(id, np.sort(random.choice(SCHEMA.classes, 3, replace=False)).astype(np.int32), features)


def paths_of(folder: Path) -> list[Path]:
    """The shards in a folder."""
    return sorted(folder.glob("*.tfrecord"))


# The ways. Each gives what reads everything once, as often as it is called, and returns the number of videos.


def raw(folder: Path) -> Read:
    """The files' bytes alone, into one buffer."""
    buffer = bytearray(1 << 20)

    def read() -> int:
        for path in paths_of(folder):
            with path.open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass
        return VIDEOS * len(paths_of(folder))

    return read


def records(folder: Path) -> Read:
    """`TFRecordDataset` alone: records, their checksums verified."""
    import tensorflow as tf

    files = tf.data.TFRecordDataset(list(map(str, paths_of(folder))))
    return lambda: sum(1 for _ in files)


def public(folder: Path) -> Read:
    """The public way: parsed, decoded, dequantised, padded and batched by tf.data, as parallel as it chooses."""
    import tensorflow as tf

    def parse(record):  # type: ignore[no-untyped-def]
        context, sequences = tf.io.parse_single_sequence_example(
            record,
            {"id": tf.io.FixedLenFeature([], tf.string), "labels": tf.io.VarLenFeature(tf.int64)},
            {name: tf.io.FixedLenSequenceFeature([], tf.string) for name in SCHEMA.features},
        )
        inputs = {}
        for name, size in SCHEMA.features.items():
            frames = tf.reshape(tf.io.decode_raw(sequences[name], tf.uint8), [-1, size])[: SCHEMA.max_frames]
            values = tf.cast(frames, tf.float32) * SCALE + OFFSET
            inputs[name] = tf.pad(values, [[0, SCHEMA.max_frames - tf.shape(values)[0]], [0, 0]])
        labels = tf.tensor_scatter_nd_update(
            tf.zeros(SCHEMA.classes),
            context["labels"].values[:, None],
            tf.ones_like(context["labels"].values, tf.float32),
        )
        return context["id"], inputs, labels

    files = tf.data.TFRecordDataset(list(map(str, paths_of(folder))), num_parallel_reads=tf.data.AUTOTUNE)
    batches = files.map(parse, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    return lambda: sum(len(ids) for ids, _, _ in batches)


def ours(folder: Path, readers: int) -> Read:
    """This reader, in order."""
    videos = opened(folder, readers)
    return lambda: sum(len(batch.ids) for batch in videos.batches(BATCH))


def shuffled(folder: Path, readers: int) -> Read:
    """This reader, shuffled: as many whole batches as an epoch has."""
    videos = opened(folder, readers)
    batches = videos.shuffled(BATCH, 0, BUFFER)
    return lambda: sum(len(next(batches).ids) for _ in range(videos.size // BATCH))


def opened(folder: Path, readers: int) -> Dataset:
    """The shards in a folder, to be read by so many readers."""
    return Dataset(folder / "train.tsv", folder, readers)


def ways() -> dict[str, tuple[Callable[..., Read], tuple[int, ...]]]:
    """Each way's function and its readers, by what it is called."""
    found: dict[str, tuple[Callable[..., Read], tuple[int, ...]]] = {
        "raw read": (raw, ()),
        "TFRecordDataset alone": (records, ()),
        "the public way": (public, ()),
    }
    readers = sorted({1, *(number for number in (2, 4, 8, 16) if number <= cores())})
    found |= {f"this reader, {number}": (ours, (number,)) for number in readers}
    return found | {f"shuffled, {number}": (shuffled, (number,)) for number in readers}


def best(function: Callable[..., Read], folder: Path, readers: tuple[int, ...], rounds: int) -> tuple[int, float]:
    """Videos, and the seconds of the fastest round; one more comes first, which fills caches."""
    seconds = []
    read = function(folder, *readers)
    videos = read()
    for _ in range(rounds):
        start = perf_counter()
        read()
        seconds.append(perf_counter() - start)
    return videos, min(seconds)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reader", description="Time the reader.")
    parser.add_argument("--megabytes", type=positive, default=1000, help="of shards, written to a temporary folder")
    parser.add_argument(
        "--rounds", type=positive, default=3, help="of each way, of which the fastest counts; default: 3"
    )
    args = parser.parse_args(argv)
    found = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, args.megabytes)
        size = sum(path.stat().st_size for path in paths_of(folder)) / (VIDEOS * len(paths_of(folder)))
        try:
            for way, (function, readers) in ways().items():
                videos, seconds = _processes.apart(best, function, folder, readers, args.rounds)
                found[way] = videos / seconds
        except Failed as error:
            sys.exit(f"reader: {error}")
    one, common = found["this reader, 1"], found["the public way"]
    rows = [
        (way, f"{speed:,.0f}", f"{speed * size / 1e9:.2f}", f"{speed / common:.1f}", f"{speed / one:.2f}")
        for way, speed in found.items()
    ]
    show("reader", ("", "videos/s", "GB/s", "/ the public way", "/ 1 reader"), rows)


if __name__ == "__main__":
    main()
