import subprocess
import sys
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.records import made
from tests.records.made import SCHEMA
from yt8m.core.schema import Level
from yt8m.records.dataset import Dataset, Shards, shuffled_order
from yt8m.records.manifest import DataError, Shard, checksum, read_manifest, write_manifest
from yt8m.records.tfrecord import RecordError, write_records
from yt8m.records.videos import Video, encode

SIZES = [5, 1, 7]
TOTAL = sum(SIZES)


def write(folder: Path, level: Level) -> list[Video]:
    """Three shards and a manifest of them; returns all videos in order."""
    shards, videos = [], []
    for index, size in enumerate(SIZES):
        path = folder / "source" / f"{level}{index}.tfrecord"
        videos += made.write_shard(path, level, size)
        shards.append(Shard(level, f"{{source}}/{path.name}", path.stat().st_size, size, checksum(path)))
    write_manifest(folder / f"{level}.tsv", shards, SCHEMA)
    return videos


def damage(path: Path) -> None:
    """Change a byte of the first record's content."""
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)


def open_dataset(folder: Path, level: Level = Level.FRAME) -> Dataset:
    return Dataset(folder / f"{level}.tsv", folder / "source")


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("size", [1, 4, TOTAL, 100])
def test_batches(tmp_path, level, size):
    videos = write(tmp_path, level)
    dataset = open_dataset(tmp_path, level)
    assert (dataset.size, dataset.level) == (TOTAL, level)
    batches = list(dataset.batches(size))
    assert [len(batch.ids) for batch in batches] == [size] * (TOTAL // size) + [TOTAL % size] * (TOTAL % size > 0)
    assert [id for batch in batches for id in batch.ids] == [video.id for video in videos]
    waiting = iter(videos)
    for batch in batches:
        assert set(batch.inputs) == {"rgb", "audio", "num_frames"}
        assert batch.labels.dtype == np.float32
        assert batch.labels.shape == (len(batch.ids), SCHEMA.classes)
        for row, video in enumerate(islice(waiting, len(batch.ids))):
            length = batch.inputs["num_frames"][row]
            assert length == len(video.features["rgb"])
            assert np.flatnonzero(batch.labels[row]).tolist() == video.labels.tolist()
            assert set(batch.labels[row]) <= {0, 1}
            for name, width in SCHEMA.features.items():
                values = batch.inputs[name][row]
                assert values.shape == (6 if level is Level.FRAME else 1, width)
                assert values.dtype == (np.uint8 if level is Level.FRAME else np.float32)
                np.testing.assert_array_equal(values[:length], video.features[name])
                assert not values[length:].any()


@pytest.mark.parametrize("buffer", [1, 3, TOTAL, 1000])
def test_each_epoch_holds_every_video_once(tmp_path, buffer):
    ids = {video.id for video in write(tmp_path, Level.FRAME)}
    seen = shuffled_ids(open_dataset(tmp_path), seed=0, buffer=buffer, epochs=4)
    epochs = [seen[start : start + TOTAL] for start in range(0, len(seen), TOTAL)]
    assert all(set(epoch) == ids for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def shuffled_ids(dataset: Dataset, seed: int, buffer: int = 3, epochs: int = 1, size: int = 1) -> list[str]:
    batches = islice(dataset.shuffled(size, seed, buffer), epochs * TOTAL // size)
    return [id for batch in batches for id in batch.ids]


def test_order_depends_on_the_seed_alone(tmp_path):
    write(tmp_path, Level.FRAME)
    first, again, other = (shuffled_ids(open_dataset(tmp_path), seed, epochs=2) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert shuffled_ids(open_dataset(tmp_path), seed=0, epochs=4, size=4) == shuffled_ids(
        open_dataset(tmp_path), seed=0, epochs=4
    )


def test_a_buffer_of_all_mixes_shards(tmp_path):
    """With one big buffer a shard's videos do not stay together."""
    write(tmp_path, Level.FRAME)
    ids = shuffled_ids(open_dataset(tmp_path), seed=0, buffer=1000)
    shards = [id.split("_")[0] for id in ids]
    changes = sum(one != other for one, other in pairwise(shards))
    assert changes > len(SIZES) - 1


def test_shuffled_contents_stay_with_their_ids(tmp_path):
    videos = {video.id: video for video in write(tmp_path, Level.FRAME)}
    for batch in islice(open_dataset(tmp_path).shuffled(4, 0, 3), 5):
        for row, id in enumerate(batch.ids):
            length = batch.inputs["num_frames"][row]
            np.testing.assert_array_equal(batch.inputs["rgb"][row, :length], videos[id].features["rgb"])
            assert np.flatnonzero(batch.labels[row]).tolist() == videos[id].labels.tolist()


@pytest.mark.parametrize("start", [1, 3, 9, 20])
@pytest.mark.parametrize("buffer", [1, 3, 1000])
def test_a_later_start_gives_the_same_batches(tmp_path, start, buffer):
    """Whatever the epoch, and whichever videos a batch takes of two epochs."""
    write(tmp_path, Level.FRAME)
    dataset = open_dataset(tmp_path)
    whole = [batch.ids for batch in islice(dataset.shuffled(4, 0, buffer), start + 5)]
    late = islice(dataset.shuffled(4, 0, buffer, start=start), 5)
    assert [batch.ids for batch in late] == whole[start:]


def test_rows_of_a_batch_go_to_the_process_they_are_of(tmp_path):
    write(tmp_path, Level.FRAME)
    dataset = open_dataset(tmp_path)
    whole = list(islice(dataset.shuffled(4, 0, 3), 9))
    parts = [islice(dataset.shuffled(4, 0, 3, rows=slice(at, at + 2)), 9) for at in (0, 2)]
    for batch, first, second in zip(whole, *parts, strict=True):
        assert first.ids + second.ids == batch.ids
        np.testing.assert_array_equal(np.concatenate([first.labels, second.labels]), batch.labels)


def test_what_is_passed_over_is_not_looked_at(tmp_path):
    """A damaged record stops the process whose row it is, and no other."""
    write(tmp_path, Level.FRAME)
    dataset = open_dataset(tmp_path)
    damage(Path(str(dataset.paths[0])))
    damaged = []
    for at in range(4):
        try:
            list(islice(dataset.shuffled(4, 0, 3, rows=slice(at, at + 1)), TOTAL // 4))
        except RecordError:
            damaged.append(at)
    assert len(damaged) == 1


def test_a_shuffle_buffer_draws_each_place_once():
    shards, order = shuffled_order([5, 0, 7], np.random.default_rng(0), 4)
    assert sorted(shards) == [0, 1, 2]
    assert sorted(order) == list(range(12))
    assert all(place < rank + 4 for rank, place in enumerate(order))  # nothing is read before it must be


def test_mixed_levels_are_refused(tmp_path):
    write_manifest(tmp_path / "m.tsv", [Shard(level, "x", 1, 1, "") for level in Level], SCHEMA)
    with pytest.raises(DataError, match=r"m\.tsv: expected shards of one level, received \[.*frame.*video"):
        Dataset(tmp_path / "m.tsv", tmp_path)


def test_a_manifest_without_a_schema_is_refused(tmp_path):
    """As `yt8m manifest` writes one: `split` alone reads it."""
    write(tmp_path, Level.FRAME)
    write_manifest(tmp_path / "frame.tsv", read_manifest(tmp_path / "frame.tsv").shards)
    with pytest.raises(
        DataError, match=r"frame\.tsv: expected a manifest that a stage has written, .* without a schema"
    ):
        open_dataset(tmp_path)


@pytest.mark.parametrize("change", [{"max_frames": 9}, {"classes": 12}, {"features": {"audio": 4, "rgb": 8}}])
def test_the_manifest_says_what_records_hold(tmp_path, change):
    videos = write(tmp_path, Level.FRAME)
    schema = SCHEMA.model_copy(update=change)
    write_manifest(tmp_path / "frame.tsv", read_manifest(tmp_path / "frame.tsv").shards, schema)
    dataset = open_dataset(tmp_path)
    assert dataset.schema == schema
    assert dataset.schema.primary == schema.primary
    (batch,) = dataset.batches(TOTAL)
    assert batch.labels.shape == (TOTAL, schema.classes)
    assert list(batch.inputs) == [*schema.features, "num_frames"]
    for row, video in enumerate(videos):
        rows = video.features["rgb"]
        assert batch.inputs["rgb"][row].shape == (schema.max_frames, 8)
        np.testing.assert_array_equal(batch.inputs["rgb"][row, : len(rows)], rows)


def test_empty_manifest_is_refused(tmp_path):
    write_manifest(tmp_path / "m.tsv", [], SCHEMA)
    with pytest.raises(DataError, match=r"m\.tsv: expected shards of one level, received \[\]"):
        Dataset(tmp_path / "m.tsv", tmp_path)


def test_changed_and_missing_shards_are_refused_at_once(tmp_path):
    write(tmp_path, Level.FRAME)
    path = tmp_path / "source" / "frame2.tfrecord"
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(DataError, match=f"{path}: expected .* bytes as recorded"):
        open_dataset(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=f"{path}: the shard is missing"):
        open_dataset(tmp_path)


def test_shards_without_videos_are_refused(tmp_path):
    path = tmp_path / "source" / "empty.tfrecord"
    path.parent.mkdir()
    path.touch()
    shard = Shard(Level.FRAME, f"{{source}}/{path.name}", 0, 0, checksum(path))
    write_manifest(tmp_path / "m.tsv", [shard], SCHEMA)
    with pytest.raises(DataError, match=r"m\.tsv: expected videos, received shards without any"):
        Dataset(tmp_path / "m.tsv", path.parent)


@pytest.mark.parametrize(("start", "stop"), [(0, 2), (1, 3), (2, None), (3, 9), (4, 5), (7, None)])
def test_a_range_of_batches_in_order(tmp_path, start, stop):
    write(tmp_path, Level.FRAME)
    whole = list(open_dataset(tmp_path).batches(4))
    part = list(open_dataset(tmp_path).batches(4, start, stop))
    assert [batch.ids for batch in part] == [batch.ids for batch in whole][start:stop]
    for batch, expected in zip(part, whole[start:stop], strict=True):
        np.testing.assert_array_equal(batch.inputs["rgb"], expected.inputs["rgb"])


def test_what_is_before_a_range_is_not_read(tmp_path):
    write(tmp_path, Level.FRAME)
    dataset = open_dataset(tmp_path)
    damage(Path(str(dataset.paths[0])))
    assert len(list(dataset.batches(5, 1))) == 2
    with pytest.raises(RecordError, match=r"frame0\.tfrecord: record 0 at byte 0: the checksum of the content"):
        list(dataset.batches(5))


def test_shards_that_no_manifest_lists_are_counted_as_they_are_read(tmp_path):
    videos = write(tmp_path, Level.FRAME)
    paths = open_dataset(tmp_path).paths
    batches = Shards(paths, Level.FRAME, SCHEMA).batches(4)
    assert [id for batch in batches for id in batch.ids] == [video.id for video in videos]


def test_fewer_records_than_recorded_are_an_error(tmp_path):
    """Of the same size in bytes, so that it shows when they are read."""
    write(tmp_path, Level.FRAME)
    shards, schema = read_manifest(tmp_path / "frame.tsv")
    write_manifest(tmp_path / "frame.tsv", [replace(shards[0], videos=9), *shards[1:]], schema)
    with pytest.raises(DataError, match=r"frame0\.tfrecord: expected 9 records .* as recorded, received 5"):
        list(open_dataset(tmp_path).batches(100))


def test_the_order_of_an_epoch_is_that_of_a_buffer():
    """Drawn one by one, as a list would be."""
    counts, buffer = [7, 0, 30, 4, 9], 6
    shards, order = shuffled_order(counts, np.random.default_rng(5), buffer)
    random = np.random.default_rng(5)
    np.testing.assert_array_equal(shards, random.permutation(5))
    waiting, expected = list(range(buffer)), []
    for place, index in enumerate(random.integers(buffer, size=50 - buffer), start=buffer):
        expected.append(waiting[index])
        waiting[index] = place
    expected += [waiting[index] for index in random.permutation(buffer)]
    assert order.tolist() == expected


@pytest.mark.parametrize("readers", [1, 2])
def test_readers_change_neither_order_nor_content(tmp_path, readers):
    write(tmp_path, Level.FRAME)
    first = list(islice(open_dataset(tmp_path).shuffled(4, 0, 3), 9))
    dataset = Dataset(tmp_path / "frame.tsv", tmp_path / "source", readers)
    for _ in range(2):
        for batch, expected in zip(islice(dataset.shuffled(4, 0, 3), 9), first, strict=True):
            assert batch.ids == expected.ids
            np.testing.assert_array_equal(batch.labels, expected.labels)
            for name, values in expected.inputs.items():
                np.testing.assert_array_equal(batch.inputs[name], values)


FEW_FILES = """
import resource, sys
from itertools import islice
from pathlib import Path
from yt8m.records.dataset import Dataset
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
dataset = Dataset(Path(sys.argv[1]) / "m.tsv", sys.argv[1])
ids = [id for batch in islice(dataset.shuffled(10, 0, 100), 20) for id in batch.ids]
assert len(set(ids)) == 200, len(set(ids))
"""


def test_a_buffer_may_hold_records_of_more_shards_than_files_may_be_open(tmp_path):
    shards = []
    for index in range(100):
        path = tmp_path / f"{index:03d}.tfrecord"
        random = np.random.default_rng(index)
        videos = [made.frame_video(random, f"{index}_{row}") for row in range(2)]
        write_records(path, [encode(video, Level.FRAME, SCHEMA) for video in videos])
        shards.append(Shard(Level.FRAME, f"{{source}}/{path.name}", path.stat().st_size, 2, checksum(path)))
    write_manifest(tmp_path / "m.tsv", shards, SCHEMA)
    done = subprocess.run([sys.executable, "-c", FEW_FILES, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
