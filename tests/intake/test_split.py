from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.records import made
from tests.records.made import SCHEMA
from yt8m.cli import main
from yt8m.core.cluster import workers
from yt8m.core.files import remove
from yt8m.core.schema import Level
from yt8m.intake.split import Source, list_shards, split
from yt8m.records.cache import Cache
from yt8m.records.classes import read_label_counts
from yt8m.records.manifest import DataError, Shard, checksum, locate, read_manifest, write_manifest
from yt8m.records.tfrecord import RecordError, write_records
from yt8m.records.videos import Video, encode, read_videos

PATTERNS = {"train": ["train*", "validate???[0-46-9]"], "holdout": ["validate???5"], "test": ["test*"], "extra": []}
WITH_EXTRA = PATTERNS | {"extra": ["extra*"]}
SHARDS = {"train": ["train0000", "validate0004"], "holdout": ["validate0005"], "test": ["test0000"]}
NAMES = [name for names in SHARDS.values() for name in names]
GLOBS: dict[Level, str | None] = {Level.FRAME: "frame/*.tfrecord", Level.VIDEO: "video/*.tfrecord"}


def only(level: Level) -> dict[Level, str | None]:
    return {each: GLOBS[each] if each is level else None for each in Level}


def make(source: Path, *levels: Level) -> dict[str, list[Video]]:
    """A data set of four shards; the videos of the first level by shard."""
    found = [
        {
            name: made.write_shard(source / level / f"{name}.tfrecord", level, 3 + index)
            for index, name in enumerate(NAMES)
        }
        for level in levels
    ]
    return found[0]


def run(source: Path, globs: dict[Level, str | None], home: Path | None = None) -> dict[str, dict[str, int]]:
    out = source.parent / "split"
    return split_into(out, Source(source, globs, SCHEMA), home or out)


def split_into(
    out: Path, source: Source, home: Path, jobs: int = 1, patterns: dict[str, list[str]] = PATTERNS
) -> dict[str, dict[str, int]]:
    """Split with nothing known of any shard."""
    remove(out.parent / "scans")
    with workers(None, jobs) as spread:
        return split(source, patterns, out, home, out.parent / "scans", spread)


def write_frames(path: Path, ids: list[str]) -> None:
    """Write a frame-level shard of random videos with given ids."""
    random = np.random.default_rng(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_records(path, [encode(made.frame_video(random, id), Level.FRAME, SCHEMA) for id in ids])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


@pytest.mark.parametrize("globs", [GLOBS, only(Level.FRAME), only(Level.VIDEO)], ids=["both", "frames", "videos"])
def test_counts_and_manifests(source, globs):
    levels = [level for level, glob in globs.items() if glob]
    videos = make(source, *levels)
    counts = run(source, globs)
    assert list(counts) == list(SHARDS)
    for name, shards in SHARDS.items():
        out = source.parent / "split"
        labels = [label for shard in shards for video in videos[shard] for label in video.labels]
        by_class = [labels.count(index) for index in range(SCHEMA.classes)]
        assert read_label_counts(out / "label_counts" / f"{name}.csv").tolist() == by_class
        assert counts[name] == {
            "shards": len(shards),
            "videos": sum(len(videos[shard]) for shard in shards),
            "unlabelled": 0,
            "labels": len(labels),
            "classes": len(set(labels)),
            "frames_cut": 0,
            "values_clipped": 0,
            "features_missing": 0,
        }
        primary, schema = read_manifest(out / "frames" / f"{name}.tsv")
        assert schema == SCHEMA
        assert [shard.path for shard in primary] == [f"{{source}}/{levels[0]}/{shard}.tfrecord" for shard in shards]
        assert {shard.level for shard in primary} == {levels[0]}
        means, schema = read_manifest(out / "videos" / f"{name}.tsv")
        assert schema == SCHEMA
        assert {shard.level for shard in means} == {Level.VIDEO}
        assert [shard.videos for shard in means] == [len(videos[shard]) for shard in shards]
        for shard in (*primary, *means):
            path = locate(shard, source)
            assert Path(str(path)).stem in shards
            assert shard.checksum == checksum(path)


def test_derived_shards_are_the_means_of_frames(source):
    videos = make(source, Level.FRAME)
    run(source, only(Level.FRAME))
    for name in NAMES:
        derived = list(
            read_videos(source.parent / "split" / "means" / "frame" / f"{name}.tfrecord", Level.VIDEO, SCHEMA)
        )
        assert [video.id for video in derived] == [video.id for video in videos[name]]
        for mean, video in zip(derived, videos[name], strict=True):
            assert mean.labels.tolist() == video.labels.tolist()
            for feature, rows in video.features.items():
                expected = (rows.astype(float) * 4 / 255 + 4 / 512 - 2).mean(0)
                np.testing.assert_allclose(mean.features[feature][0], expected, atol=1e-6)


def test_videos_without_ids_are_the_same_at_both_levels(source):
    """They are called by shard and number, and a derived shard is called as the one that it is derived from."""
    schema, random = SCHEMA.model_copy(update={"id_key": None}), np.random.default_rng(0)
    for name in NAMES:
        videos = [made.frame_video(random, "") for _ in range(3)]
        write_records(source / "frame" / f"{name}.tfrecord", [encode(video, Level.FRAME, schema) for video in videos])
    split_into(source.parent / "split", Source(source, only(Level.FRAME), schema), source.parent / "split")
    for name in NAMES:
        frames, means = (
            [video.id for video in read_videos(folder / "frame" / f"{name}.tfrecord", level, schema)]
            for folder, level in ((source, Level.FRAME), (source.parent / "split" / "means", Level.VIDEO))
        )
        assert frames == means == [f"{name}:{index}" for index in range(3)]


def test_shards_of_one_name_in_two_folders_are_derived_from_apart(source):
    for folder in ("bal_train", "eval"):
        for name in ("00", "01"):
            write_frames(source / folder / f"{name}.tfrecord", [f"{folder}-{name}-{index}" for index in range(3)])
    out = source.parent / "split"
    patterns: dict[str, list[str]] = {"train": ["00"], "holdout": ["bal_train/01"], "test": ["eval/*"], "extra": []}
    wanted = Source(source, {Level.FRAME: "*/*.tfrecord", Level.VIDEO: None}, SCHEMA)
    with workers(None, 1) as spread:
        split(wanted, patterns, out, out, out.parent / "scans", spread)
    found = {name: [shard.path for shard in read_manifest(out / "frames" / f"{name}.tsv").shards] for name in patterns}
    assert found == {
        "train": ["{source}/bal_train/00.tfrecord"],
        "holdout": ["{source}/bal_train/01.tfrecord"],
        "test": ["{source}/eval/00.tfrecord", "{source}/eval/01.tfrecord"],
        "extra": [],
    }
    for name in ("train", "holdout", "test"):
        for shard in read_manifest(out / "videos" / f"{name}.tsv").shards:
            folder = Path(shard.path).parent.name
            assert all(video.id.startswith(folder) for video in read_videos(shard.path, Level.VIDEO, SCHEMA))


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"uneven_frames": "cut"}, {"frames_cut": 1, "values_clipped": 0, "features_missing": 0}),
        (
            {"uneven_frames": "cut", "max_frames": 2},
            {"frames_cut": 2 + 1 + 1, "values_clipped": 0, "features_missing": 0},
        ),
    ],
)
def test_what_is_cut_is_counted(source, changes, counts):
    schema, random = SCHEMA.model_copy(update=changes), np.random.default_rng(0)
    for name in NAMES:
        write_frames(source / "frame" / f"{name}.tfrecord", [f"{name}-{index}" for index in range(2)])
    even, uneven = made.frame_video(random, "even", 3), made.frame_video(random, "uneven", 4)
    uneven = replace(uneven, features=uneven.features | {"audio": uneven.features["audio"][:3]})
    three = made.frame_video(random, "three", 3)
    records = [encode(video, Level.FRAME, SCHEMA) for video in (even, uneven, three)]
    write_records(source / "frame" / "test0000.tfrecord", records)
    found = split_into(source.parent / "split", Source(source, only(Level.FRAME), schema), source.parent / "split")
    assert {key: found["test"][key] for key in counts} == counts


def test_derived_shards_are_recorded_where_they_will_lie(source):
    make(source, Level.FRAME)
    run(source, only(Level.FRAME), home=Path("data/split"))
    (shard,) = read_manifest(source.parent / "split" / "videos" / "holdout.tsv").shards
    assert shard.path == "data/split/means/frame/validate0005.tfrecord"


def test_jobs_change_nothing(source, tmp_path):
    make(source, Level.FRAME)
    for jobs in (1, 2):
        split_into(tmp_path / str(jobs), Source(source, only(Level.FRAME), SCHEMA), Path("home"), jobs)
    one, two = (
        {
            path.relative_to(tmp_path / jobs): path.read_bytes()
            for path in (tmp_path / jobs).rglob("*")
            if path.is_file()
        }
        for jobs in "12"
    )
    assert len(one) == 3 * 3 + len(NAMES) + 2  # manifests of extra videos and of all that are taught
    assert one == two


def test_unlabelled_videos_are_counted(source):
    make(source, Level.FRAME)
    random = np.random.default_rng(0)
    videos = [made.frame_video(random, f"test_{index}") for index in range(4)]
    videos[1:3] = [replace(video, labels=np.empty(0, np.int32)) for video in videos[1:3]]
    write_records(source / "frame" / "test0000.tfrecord", [encode(v, Level.FRAME, SCHEMA) for v in videos])
    counts = run(source, only(Level.FRAME))
    assert counts["test"]["unlabelled"] == 2
    assert counts["test"]["videos"] == 4


def test_split_without_labels_is_refused(source):
    make(source, Level.FRAME)
    video = replace(made.frame_video(np.random.default_rng(0), "a"), labels=np.empty(0, np.int32))
    write_records(source / "frame" / "test0000.tfrecord", [encode(video, Level.FRAME, SCHEMA)])
    with pytest.raises(DataError, match="split 'test': expected labelled videos, received 1 videos without a label"):
        run(source, only(Level.FRAME))


@pytest.mark.parametrize("shard", ["train0001", "test0001"])
@pytest.mark.parametrize("level", Level)
def test_repeated_ids_are_refused(source, shard, level):
    """Within a split and across splits."""
    make(source, level)
    (source / level / f"{shard}.tfrecord").write_bytes((source / level / "train0000.tfrecord").read_bytes())
    with pytest.raises(DataError, match=f"expected each {level}-level video once, received 3 again"):
        run(source, only(level))


@pytest.mark.parametrize("shard", ["validate0005", "test0000"])
def test_levels_of_different_videos_are_refused(source, shard):
    make(source, *Level)
    write_frames(source / "frame" / f"{shard}.tfrecord", [f"{shard}_0", "other"])
    size = len(list(read_videos(source / "video" / f"{shard}.tfrecord", Level.VIDEO, SCHEMA)))
    with pytest.raises(DataError, match=f"same videos at both levels, received {size} at one only"):
        run(source, GLOBS)


def test_training_may_have_more_videos_at_one_level(source):
    make(source, *Level)
    write_frames(source / "frame" / "train0000.tfrecord", ["train0000_0"])
    run(source, GLOBS)
    frames, means = (read_manifest(source.parent / "split" / name / "train.tsv") for name in ("frames", "videos"))
    assert [shard.videos for shard in frames.shards] == [1, 4]
    assert [shard.videos for shard in means.shards] == [3, 4]


@pytest.mark.parametrize("globs", [GLOBS, only(Level.FRAME), only(Level.VIDEO)], ids=["both", "frames", "videos"])
def test_extra_videos_are_taught_behind_those_of_training(source, globs):
    """Whatever labels they have, and whether they are at the other level too."""
    levels = [level for level, glob in globs.items() if glob]
    make(source, *levels)
    random = np.random.default_rng(0)
    videos = [made.frame_video(random, "x0"), replace(made.frame_video(random, "x1"), labels=np.empty(0, np.int32))]
    if Level.FRAME not in levels:
        videos = [made.video_video(random, video.id) for video in videos]
    write_records(source / levels[0] / "extra0000.tfrecord", [encode(video, levels[0], SCHEMA) for video in videos])
    out = source.parent / "split"
    without = split_into(out, Source(source, globs, SCHEMA), out)
    assert read_manifest(out / "frames" / "extra.tsv") == ([], SCHEMA)
    assert (out / "frames" / "taught.tsv").read_bytes() == (out / "frames" / "train.tsv").read_bytes()
    remove(out)
    counts = split_into(out, Source(source, globs, SCHEMA), out, patterns=WITH_EXTRA)
    lost = {"frames_cut": 0, "values_clipped": 0, "features_missing": 0}
    assert counts == without | {"extra": {"shards": 1, "videos": 2} | lost}
    train, extra, taught = (read_manifest(out / "frames" / f"{name}.tsv") for name in ("train", "extra", "taught"))
    assert extra.videos == 2
    assert taught == (train.shards + extra.shards, SCHEMA)
    assert [path.parent.name for path in out.rglob("extra*")] == ["frames"]
    means = [path.stem for path in (out / "means").rglob("*.tfrecord")]
    assert sorted(means) == (sorted(NAMES) if levels == [Level.FRAME] else [])


def test_an_extra_video_of_another_split_is_refused(source):
    make(source, Level.FRAME)
    (source / "frame" / "extra0000.tfrecord").write_bytes((source / "frame" / "test0000.tfrecord").read_bytes())
    out = source.parent / "split"
    with pytest.raises(DataError, match="expected each frame-level video once, received"):
        split_into(out, Source(source, only(Level.FRAME), SCHEMA), out, patterns=WITH_EXTRA)


def test_extra_videos_of_the_wrong_level_are_none(source):
    make(source, *Level)
    made.write_shard(source / "video" / "extra0000.tfrecord", Level.VIDEO, 2)
    out = source.parent / "split"
    with pytest.raises(DataError, match=r"split.patterns.extra: expected shards that match .*, received none"):
        split_into(out, Source(source, GLOBS, SCHEMA), out, patterns=WITH_EXTRA)


def test_bad_record_is_named(source):
    make(source, Level.FRAME)
    path = source / "frame" / "validate0005.tfrecord"
    video = made.frame_video(np.random.default_rng(0), "bad")
    bad = replace(video, labels=np.array([SCHEMA.classes]))
    write_records(path, [encode(each, Level.FRAME, SCHEMA) for each in (video, bad)])
    with pytest.raises(RecordError, match=f"{path}: record 1: 'labels'"):
        run(source, only(Level.FRAME))


def write_source_manifest(source: Path, **changes) -> Path:
    """List all shards in a manifest in the data set's folder, with changes to the first."""
    paths = sorted((source / "frame").glob("*.tfrecord"))
    shards = [
        Shard(
            Level.FRAME,
            str(path.relative_to(source)),
            path.stat().st_size,
            len(list(read_videos(path, Level.FRAME, SCHEMA))),
            checksum(path),
        )
        for path in paths
    ]
    write_manifest(source / "all.tsv", [replace(shards[0], **changes), *shards[1:]])
    return source / "all.tsv"


def test_manifest_as_source(source):
    make(source, Level.FRAME)
    from_folder = run(source, only(Level.FRAME))
    manifest = write_source_manifest(source)
    listed = Source(manifest, only(Level.FRAME), SCHEMA)
    from_manifest = split_into(source.parent / "other", listed, source.parent / "split")
    assert from_manifest == from_folder
    for path in ("frames/train.tsv", "videos/holdout.tsv"):
        assert (source.parent / "other" / path).read_text() == (source.parent / "split" / path).read_text()


@pytest.mark.parametrize("change", [{"checksum": "00" * 16}, {"bytes": 1}, {"videos": 99}])
def test_changed_shard_of_a_manifest_is_refused(source, change):
    make(source, Level.FRAME)
    manifest = write_source_manifest(source, **change)
    (value,) = change.values()
    with pytest.raises(DataError, match=rf"test0000\.tfrecord: expected .*{value}.* as the manifest records, received"):
        split_into(source.parent / "out", Source(manifest, only(Level.FRAME), SCHEMA), Path("home"))


def test_list_shards(source):
    make(source, Level.FRAME, Level.VIDEO)
    (source / "frame" / "notes.txt").touch()
    expected = [f"frame/{name}.tfrecord" for name in sorted(NAMES)]
    assert list_shards(source, "frame/*.tfrecord") == (expected, {})
    paths, recorded = list_shards(write_source_manifest(source), "frame/*.tfrecord")
    assert paths == expected
    assert list(recorded) == expected
    assert list_shards(source / "all.tsv", "video/*.tfrecord") == ([], {})


def test_missing_source(tmp_path):
    with pytest.raises(DataError, match=r"data\.source: expected .*nowhere, which does not exist"):
        list_shards(tmp_path / "nowhere", "*.tfrecord")


# Of shards in a bucket.


@pytest.fixture
def in_bucket(source, bucket, capsys):
    """A function that puts the data set into the bucket; returns its manifest."""

    def put(*levels: Level) -> Path:
        make(source, *levels)
        list_ = source.parent / "source.tsv"
        main(["manifest", bucket.copy(source), "--output", str(list_)])
        bucket.server.requests.clear()
        return list_

    return put


def split_remote(manifest: Path, out: Path, globs: dict[Level, str | None]) -> dict[str, dict[str, int]]:
    remove(out)
    cache = Cache(out.parent / "cache", 10**6)
    with workers(None, 1) as spread:
        return split(Source(manifest, globs, SCHEMA, cache), PATTERNS, out, out, out.parent / "scans", spread)


@pytest.mark.parametrize("globs", [GLOBS, only(Level.FRAME), only(Level.VIDEO)], ids=["both", "frames", "videos"])
def test_a_bucket_gives_the_bytes_of_files(source, in_bucket, globs):
    """So that moving a data set there changes nothing that follows."""
    manifest = in_bucket(*(level for level, glob in globs.items() if glob))
    out = source.parent / "split"
    counts, files = [], []
    for run_it in (lambda: run(source, globs), lambda: split_remote(manifest, out, globs)):
        counts.append(run_it())
        files.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()})
    assert counts[0] == counts[1]
    assert files[0] == files[1]


def test_an_unchanged_shard_of_a_bucket_is_not_fetched_again(source, in_bucket, bucket):
    manifest = in_bucket(Level.FRAME)
    assert ".tfrecord\t" in manifest.read_text()
    assert "etag:" in manifest.read_text()
    for _ in range(2):
        split_remote(manifest, source.parent / "split", only(Level.FRAME))
    assert bucket.server.fetched() == sorted(NAMES)
    bucket.server.requests.clear()
    made.write_shard(source / "frame" / "train0000.tfrecord", Level.FRAME, 9)
    bucket.write("frame/train0000.tfrecord", (source / "frame" / "train0000.tfrecord").read_bytes())
    split_remote(manifest, source.parent / "split", only(Level.FRAME))  # as the manifest says that it is
    main(["manifest", bucket.url, "--output", str(manifest)])
    bucket.server.requests.clear()
    counts = split_remote(manifest, source.parent / "split", only(Level.FRAME))
    assert bucket.server.fetched() == ["train0000"]
    assert counts["train"]["videos"] == 9 + 4


def test_a_shard_of_a_bucket_that_is_not_as_listed(source, in_bucket, bucket):
    manifest = in_bucket(Level.FRAME)
    bucket.write("frame/test0000.tfrecord", b"x" * (source / "frame" / "test0000.tfrecord").stat().st_size)
    with pytest.raises(
        DataError, match=rf"^{bucket.url}/frame/test0000\.tfrecord: expected .* checksum etag:.*changed"
    ):
        split_remote(manifest, source.parent / "split", only(Level.FRAME))
    manifest.write_text(manifest.read_text().replace("\t3\tetag", "\t4\tetag"))
    with pytest.raises(DataError, match=r"frame/train0000\.tfrecord: expected \d+ bytes, 4 videos"):
        split_remote(manifest, source.parent / "split", only(Level.FRAME))


def test_a_url_as_source_says_what_to_do():
    hint = r"received s3://b/x: list its shards \(yt8m manifest s3://b/x --output shards\.tsv\) and name the list"
    with pytest.raises(DataError, match=hint):
        list_shards("s3://b/x", "*")
