"""What is wrong with parameters for their data is said at once, what is too small is warned of."""

from pathlib import Path

import pytest

from tests.pipeline import load_yaml
from tests.records import made
from tests.records.made import SCHEMA
from yt8m.cli import main
from yt8m.core.schema import Level
from yt8m.intake.checks import problems, warnings
from yt8m.settings.loading import parse
from yt8m.settings.params import Data, Params, Split

NAMES = ("train0000", "validate0005", "test0000")


@pytest.fixture
def sections(tmp_path: Path):
    """A function from changes to the sections of a data set of three shards of each level, which are right without."""
    for level in Level:
        for name in NAMES:
            made.write_shard(tmp_path / level / f"{name}.tfrecord", level, 3)
    (tmp_path / "classes.csv").write_text("index,name\n")

    def change(patterns: dict | None = None, schema: dict | None = None, **data: object) -> tuple[Data, Split]:
        held = {
            "source": str(tmp_path),
            "frames": "frame/*.tfrecord",
            "videos": "video/*.tfrecord",
            "cache_gb": 1,
            "class_names": str(tmp_path / "classes.csv"),
            "schema": SCHEMA.model_dump() | (schema or {}),
        }
        wanted = {"train": ["train*"], "holdout": ["validate*"], "test": ["test*"], "extra": []} | (patterns or {})
        return Data.model_validate(held | data), Split.model_validate({"patterns": wanted})

    return change


def test_nothing_is_wrong(sections):
    assert problems(*sections()) == []


def test_shards_in_a_bucket(sections, tmp_path, bucket, monkeypatch):
    """One of each level is looked at; what is wrong is named by its URL."""
    monkeypatch.chdir(tmp_path)
    bucket.copy(tmp_path)
    main(["manifest", bucket.url, "--output", str(tmp_path / "list.tsv")])
    bucket.server.requests.clear()
    assert problems(*sections(source="list.tsv")) == []
    assert bucket.server.fetched() == ["train0000"] * 2
    found = problems(*sections(source="list.tsv", schema={"classes": 1}))
    assert [line.split(": ")[0] for line in found] == [f"{bucket.url}/{level}/train0000.tfrecord" for level in Level]


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"source": "nowhere"}, ["data.source: expected a folder of shards or a manifest file, received nowhere"]),
        (
            {"source": "s3://b/set"},
            ["list its shards (yt8m manifest s3://b/set --output shards.tsv) and name the list"],
        ),
        ({"frames": "frames/*"}, ["data.frames: expected shards that match 'frames/*' below"]),
        ({"videos": "video/x*"}, ["data.videos: expected shards that match 'video/x*' below"]),
        (
            {"patterns": {"test": ["eval*"]}},
            ["split.patterns.test: expected shards that match ['eval*'], received none"] * 2,
        ),
        ({"patterns": {"test": ["t*"]}}, ["matches more than one split"] * 2),
        ({"class_names": "none.csv"}, ["data.class_names: [Errno 2] No such file or directory: 'none.csv'"]),
        (
            {"schema": {"features": {"rgb": 9, "audio": 4}}},
            ["feature 'rgb': frame 0: expected one value of 9", "'mean_rgb': expected 9"],
        ),
        ({"schema": {"id_key": "video_id"}}, ["expected 'video_id' among its keys"] * 2),
        ({"schema": {"classes": 1}}, ["expected labels from 0 to 0"] * 2),
        (
            {"class_names": "none.csv", "frames": "x*", "schema": {"mean_prefix": ""}},
            ["data.class_names", "data.frames", "expected 'rgb' among its features"],
        ),
    ],
    ids=[
        "source",
        "a URL as source",
        "frames",
        "videos",
        "an empty split",
        "two splits",
        "names",
        "sizes",
        "id",
        "classes",
        "all at once",
    ],
)
def test_all_that_is_wrong_is_said(sections, changes, parts):
    found = problems(*sections(**changes))
    assert len(found) == len(parts)
    assert all(part in line for part, line in zip(parts, found, strict=True))


def counts(train: int = 100_000, holdout: int = 1000, test: int = 1000, **lost: int) -> dict[str, dict[str, int]]:
    nothing = dict.fromkeys(("frames_cut", "values_clipped", "features_missing"), 0)
    return {
        name: {"videos": videos} | nothing | (lost if name == "test" else {})
        for name, videos in {"train": train, "holdout": holdout, "test": test}.items()
    }


@pytest.fixture(scope="module")
def params() -> Params:
    return parse(load_yaml("params/audioset.yaml"))


def test_data_that_are_enough(params):
    assert list(warnings(params, counts())) == []


def test_too_few_steps_name_the_parameter(params):
    found = list(warnings(params, counts(train=20)))
    assert [line.partition(":")[0] for line in found] == [*(f"models.{name}" for name in params.models), "train_moe"]
    model = params.models["netvlad"]
    assert found[0].startswith(
        f"models.netvlad: {model.epochs} epochs of 20 videos are {model.epochs} steps of 80: too few"
    )


def test_too_few_videos_to_measure_by(params):
    found = list(warnings(params, counts(holdout=99, test=5)))
    assert found == [
        "split.patterns.holdout: 99 videos are few to measure a GAP by",
        "split.patterns.test: 5 videos are few to measure a GAP by",
    ]


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("frames_cut", "frames beyond max_frames, 10, or the shortest feature are left out"),
        ("values_clipped", "beyond the 8-bit code's range"),
        ("features_missing", "taken as zeros"),
    ],
)
def test_what_is_lost_is_counted(params, key, part):
    (line,) = warnings(params, counts(**{key: 1234}))
    assert line.startswith("data.schema: 1,234 (test) ")
    assert part in line
