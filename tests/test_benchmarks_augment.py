"""benchmarks.augment, without a look at the clock: its loop makes the same videos, and others are noticed."""

import subprocess
import sys

import numpy as np
import pytest
from joblib import parallel_config

from benchmarks import _augmenting, _loop, augment
from benchmarks._common import console
from tests.apart import here
from tests.records import made
from tests.records.made import SCHEMA
from yt8m.augmentation.neighbours import nearest
from yt8m.commands import manifest
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.records.manifest import Shard, write_manifest
from yt8m.records.videos import read_videos
from yt8m.settings import params
from yt8m.settings.params import Augment

PARAMS = params.load("params.yaml")
PARAMS = PARAMS.model_copy(update={"data": PARAMS.data.model_copy(update={"layout": SCHEMA})})
RARE = 16  # of the ten classes some have more videos, some fewer
NONE = dict.fromkeys(["id", "repeated", "labels", "features", "noise"], 0)
SETTINGS = Augment(threshold=RARE, neighbours=4, chunk_shards=9, step=0.5, noise=0.03, seed=0, scheduler=None)


@pytest.fixture(autouse=True)
def threads():
    """Threads start sooner than processes."""
    with parallel_config(backend="threading"):
        yield


@pytest.fixture
def folder(tmp_path):
    """Three shards of 30 videos."""
    for index in range(3):
        made.write_shard(tmp_path / "in" / f"train{index:04d}.tfrecord", Level.VIDEO, 30)
    return tmp_path / "in"


@pytest.fixture
def work(folder):
    found = augment.survey(augment.find_shards(folder, PARAMS), PARAMS, None)
    return found.model_copy(update={"augment": SETTINGS})


def changed(work, **changes):
    """Other work, as a process gets it."""
    other = work.model_copy(update={"augment": work.augment.model_copy(update=changes)})
    return other.model_dump(mode="json")


def test_the_input_is_counted(work, folder):
    videos = [video for path in sorted(folder.iterdir()) for video in read_videos(path, Level.VIDEO, SCHEMA)]
    assert work.videos == len(videos)
    assert work.counts == np.bincount(np.concatenate([video.labels for video in videos]), minlength=10).tolist()
    assert min(work.counts) <= RARE < max(work.counts)


@pytest.mark.parametrize("threshold", [RARE, None])
def test_the_loop_makes_what_augment_writes(work, tmp_path, threshold):
    given = {"work": changed(work, threshold=threshold), "folder": str(tmp_path / "out")}
    whole = here("_augmenting.augmented", given)
    some, everything = (here("_augmenting.looped", {**given, "sample": sample}) for sample in (5, 10**6))
    assert some["differing"] == everything["differing"] == NONE
    assert some["seeds"] == 5 < everything["seeds"]
    originals, *others = whole["kinds"]
    assert min(others) > 0
    assert everything["videos"] == everything["seeds"] + sum(others)
    assert everything["seeds"] == 90 if threshold is None else everything["seeds"] < originals


def test_the_loops_work_is_made_at_once(work, tmp_path):
    given = {"work": changed(work), "folder": str(tmp_path / "out")}
    kinds = here("_augmenting.augmented", given)["kinds"]
    once = here("_augmenting.at_once", {"work": given["work"], "sample": 9})
    assert once["videos"] == sum(kinds)
    assert once["videos_of_sample"] == here("_augmenting.looped", {**given, "sample": 9})["videos"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"step": 0.4}, "features"), ({"neighbours": 1}, "id"), ({"noise": 0.1}, "noise"), ({"threshold": 12}, "id")],
)
def test_other_videos_are_noticed(work, tmp_path, changes, what):
    out = str(tmp_path / "out")
    here("_augmenting.augmented", {"work": changed(work, **changes), "folder": out})
    differing = here("_augmenting.looped", {"work": changed(work), "folder": out, "sample": 10**6})["differing"]
    assert differing[what] > 0


def test_other_labels_are_noticed(work, tmp_path, monkeypatch):
    record = _loop.Loop.record
    monkeypatch.setattr(_loop.Loop, "record", lambda loop, train, id, seed, x: record(loop, train, id, seed - 1, x))
    given = {"work": changed(work), "folder": str(tmp_path / "out")}
    here("_augmenting.augmented", given)
    differing = here("_augmenting.looped", {**given, "sample": 10})["differing"]
    assert differing.pop("labels") > 0
    assert not any(differing.values())


def call(monkeypatch, *words):
    monkeypatch.setattr(augment, "apart", here)
    monkeypatch.setattr(augment, "load", lambda path: PARAMS)
    with pytest.raises(SystemExit) as end:
        augment.main(list(map(str, words)))
    return end.value.code


SMALL = ("--sample", 9, "--shards", 1, 2, "--videos-per-shard", 20, "--threshold", RARE)


def test_the_command_prints_all_tables(folder, monkeypatch, capsys):
    assert call(monkeypatch, folder, *SMALL) == 0
    printed = capsys.readouterr().out
    for words in (
        f"threshold {RARE}",
        "all of it",
        "without reading",
        "over the same neighbours",
        "rare classes",
        "256 shards of 20 videos",
    ):
        assert words in printed
    assert "failed" not in printed


def test_the_command_fails_where_the_loop_makes_other_videos(folder, monkeypatch, capsys):
    monkeypatch.setattr(_loop.Loop, "nearest", lambda loop, seed, members: [row for row in members if row != seed])
    assert call(monkeypatch, folder, *SMALL) == 1
    assert "failed: expected the loop's videos to be augment's, received others: {'id'" in capsys.readouterr().out


def test_the_first_seeds_of_each_class_are_taken_in_proportion():
    sizes = [40, 1, 7, 0, 12]
    found = [_loop.Search(np.arange(size), np.arange(size + 3), 2) for size in sizes]
    for sample in (0, 1, 6, 15, 60, 100):
        taken = _loop.first_seeds(found, sample)
        counts = [len(search.seeds) for search in taken]
        assert sum(counts) == min(sample, 60)
        assert all(abs(count - size * min(sample, 60) / 60) < 1 for count, size in zip(counts, sizes, strict=True))
        assert all(search.seeds.tolist() == list(range(count)) for search, count in zip(taken, counts, strict=True))
    assert _loop.mean_members(found) == np.average(np.array(sizes) + 2, weights=sizes)


def test_searches_by_hand():
    labels = [np.array(row, np.int32) for row in ([0, 1], [1], [], [0], [0, 2])]
    counts = np.array([3, 2, 1])
    rows = [
        (search.seeds.tolist(), search.members.tolist(), search.k)
        for search in _loop.searches(labels, counts, SETTINGS.model_copy(update={"threshold": None}))
    ]
    assert rows == [([3], [0, 3, 4], 4), ([0, 1], [0, 1], 4), ([4], [4], 4)]
    rare = _loop.searches(labels, counts, SETTINGS.model_copy(update={"threshold": 2}))
    assert [search.seeds.tolist() for search in rare] == [[0, 1], [4]]


def test_both_searches_find_the_same():
    x = np.random.default_rng(0).standard_normal((40, 6), np.float32)
    members = np.arange(0, 40, 2)
    for k in (1, 5, 19, 30):
        search = _loop.Search(members[3:9], members, k)
        np.testing.assert_array_equal(_loop.brute_force(x, search), nearest(x, search.seeds, members, k))
    alone = _loop.Search(members[:1], members[:1], 3)
    assert _loop.brute_force(x, alone).shape == (1, 0)
    assert _loop.compare_searches(x, [search, alone])["equal"] == 1


def test_scikit_learn_never_gives_the_seed_itself():
    """Where all are equal it may find others before the seed."""
    search = _loop.Search(np.arange(8), np.arange(8), 3)
    found = _loop.brute_force(np.ones((8, 4), np.float32), search)
    assert found.shape == (8, 3)
    assert not (found == search.seeds[:, None]).any()


def test_random_shards_have_the_labels_of_the_input(work, tmp_path):
    given = {"work": changed(work), "folder": str(tmp_path), "shards": 2, "videos": 500}
    other = _augmenting.Work.model_validate(here("_augmenting.write_random", given))
    assert other.videos == 1000
    assert (other.counts, other.augment.chunk_shards) == (work.counts, 2)
    chunk = other.read()
    assert len(set(chunk.ids)) == 1000
    shares = np.bincount(np.concatenate(chunk.labels), minlength=10) / 1000
    np.testing.assert_allclose(shares, np.array(work.counts) / work.videos, atol=0.08)


def test_the_memory_of_full_size_is_extrapolated(capsys):
    augment.show_memory(console(), [augment.Memory(1, 100, 300, 10**6), augment.Memory(2, 200, 600, 15 * 10**5)], 100)
    # 5000 bytes a video, 25,600 - 200 more videos
    assert "5,000 bytes a video; 256 shards of 100 videos: 0.002 GB + 5,000 x (25,600 - 200) = 0.13 GB" in (
        capsys.readouterr().out
    )


def test_the_memory_of_workers_is_counted():
    script = (
        "from joblib import Parallel, delayed; from benchmarks._augmenting import peak_memory_of_any as peak_memory\n"
        "Parallel(n_jobs=2)([delayed(eval)(\"len(b'x' * 4 * 10**8)\")] * 2); print(peak_memory())"
    )
    # A shell between: the memory of these tests would be counted into the peak of a process that they start.
    shell = ["sh", "-c", '"$0" -c "$1"; true', sys.executable, script]
    done = subprocess.run(shell, capture_output=True, text=True, check=True)
    assert 4e8 < int(done.stdout) < 7e8


def test_shards_are_those_of_a_folder_or_a_manifest(folder, tmp_path):
    paths = sorted(folder.iterdir())
    assert augment.find_shards(folder, PARAMS) == paths
    made.write_shard(tmp_path / "frame.tfrecord", Level.FRAME, 2)
    manifest.run(tmp_path, None)
    assert augment.find_shards(tmp_path / "manifest.tsv", PARAMS) == paths
    write_manifest(
        tmp_path / "split.tsv",
        [Shard(Level.VIDEO, f"{{source}}/{path.name}", path.stat().st_size, 30, "") for path in paths],
    )
    data = PARAMS.data.model_copy(update={"source": str(folder)})
    assert augment.find_shards(tmp_path / "split.tsv", PARAMS.model_copy(update={"data": data})) == paths


def test_inputs_without_shards_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        augment.find_shards(tmp_path / "nothing", PARAMS)
    with pytest.raises(InputError, match="expected video-level shards, found none"):
        augment.find_shards(tmp_path, PARAMS)


def test_a_threshold_that_no_class_is_below_is_refused(folder):
    with pytest.raises(InputError, match="expected a class of 1 to 2 videos"):
        augment.survey(augment.find_shards(folder, PARAMS), PARAMS, 2)


@pytest.mark.parametrize("words", [["--shards", 4, 4], ["--shards", 4], ["--sample", 0], ["--threshold", "x"], []])
def test_arguments_are_refused(tmp_path, monkeypatch, capsys, words):
    code = call(monkeypatch, *([tmp_path, *words] if words else []))
    assert code == 2
    assert "usage" in capsys.readouterr().err


def test_a_wrong_input_is_one_line(tmp_path, monkeypatch):
    assert call(monkeypatch, tmp_path / "nothing").startswith("augment: expected a folder of shards or a manifest file")
