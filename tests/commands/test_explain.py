"""`yt8m explain`: what it says of a video at both levels, and what it refuses."""

import html
import json
import shutil
from contextlib import chdir
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.explaining import made
from tests.models import tiny
from yt8m.cli import main
from yt8m.core.schema import Level, Schema

AUDIOSET = tiny.ONE_FEATURE.model_copy(update={"id_key": "video_id", "classes": 12})
KINDS: dict[str, tuple[Schema, Level, tuple[str, str]]] = {
    "YouTube-8M's frames": (tiny.SCHEMA, Level.FRAME, ("netvlad", "dbow")),
    "AudioSet": (AUDIOSET, Level.FRAME, ("dbow", "netvlad")),
    "video level": (tiny.SCHEMA, Level.VIDEO, ("moe", "mlp")),
}
FRAMES = "YouTube-8M's frames"


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A function from a kind of data to a finished project and its videos by split."""

    @cache
    def build(kind: str):
        root = tmp_path_factory.mktemp("finished")
        return root, made.project(root, *KINDS[kind])

    return build


@pytest.fixture
def explain(finished, capsys):
    """A function that explains a video in a project, and returns what is printed."""

    def run(kind, *words):
        with chdir(finished(kind)[0]):
            main(["explain", *map(str, words)])
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_known(explain, finished, tmp_path, kind):
    schema, level, families = KINDS[kind]
    _, videos = finished(kind)
    video = videos["test"][1]
    found = json.loads(explain(kind, video.id, "--json", "--page", tmp_path / "p.html"))
    assert html.escape(f"{video.id}: ") in (tmp_path / "p.html").read_text(encoding="utf-8")
    assert (found["id"], found["place"], found["frames"]) == (video.id, "test", schema.frames(level))
    assert found["labels"] == [{"index": index, "name": f"Class <{index}>"} for index in video.labels]
    assert list(found["top"]) == ["ensemble", "student", *families]
    for own, other in zip(found["top"]["student"], found["top"][families[0]], strict=True):  # one model here
        assert own == pytest.approx(other, abs=1e-6)
    for top in found["top"].values():
        scores = [each["score"] for each in top]
        assert len(scores) == 5
        assert scores == sorted(scores, reverse=True)
    assert found["by"] == "student"
    if level is Level.VIDEO:
        assert (found["driven"], found["segments"]) == ([], [])
    else:
        named = [{key: each[key] for key in ("index", "name", "score")} for each in found["driven"]]
        assert named == found["top"]["student"]
        assert [len(each["changes"]) for each in found["driven"]] == [video.frames] * 5
        for each in found["driven"]:
            assert each["frames"] == [f for f in np.argsort(-np.array(each["changes"]))[:3] if each["changes"][f] > 0]
        assert [(part["first"], part["last"]) for part in found["segments"]][::5] == [(0, 0), (5, 6)]
        alone = {each["index"]: each["score"] for each in found["segments"][5]["top"]}
        for each in found["driven"]:
            assert alone.get(each["index"], each["segments"][5]) == each["segments"][5]
    assert len(found["nearest"]) == 5
    training = {each.id: each.labels.tolist() for each in videos["train"]}
    for each in found["nearest"]:
        assert [label["index"] for label in each["labels"]] == training[each["id"]]


def test_shards_that_are_given(explain, tmp_path):
    """By an id that looks like an option, as one of YouTube's in 64 does; of a video of one frame."""
    made.write(tmp_path / "-new.tfrecord", tiny.SCHEMA, Level.FRAME)
    pattern = str(tmp_path / "*.tfrecord")
    text = explain(FRAMES, "--data", pattern, "--", "-new_0")
    assert f"-new_0: 1 frame, found in {pattern}; labels: Class <" in text
    assert "there is nothing to leave out" in text


# What is refused, in one line.


@pytest.fixture
def refused(finished, fails):
    def run(*words, kind=FRAMES):
        with chdir(finished(kind)[0]):
            return fails("explain", *words)

    return run


def test_an_unknown_id(refused):
    assert refused("none") == "yt8m: none: expected the id of a video in test, holdout, train, found none there"


def test_an_unknown_id_of_shards(refused, tmp_path):
    made.write(tmp_path / "new0.tfrecord", tiny.SCHEMA, Level.FRAME)
    pattern = tmp_path / "*.tfrecord"
    assert refused("a", "--data", pattern) == f"yt8m: a: expected the id of a video in {pattern}, found none there"


def test_the_other_level(refused, tmp_path):
    made.write(tmp_path / "new0.tfrecord", tiny.SCHEMA, Level.VIDEO)
    line = refused("new0_1", "--data", tmp_path / "new0.tfrecord")
    assert "new0.tfrecord: record 0: expected a frame-level record, as the model takes, received video-level" in line


def test_other_features(refused, tmp_path):
    made.write(tmp_path / "new0.tfrecord", AUDIOSET, Level.FRAME)
    assert "new0.tfrecord: record 0: expected 'rgb'" in refused("new0_1", "--data", tmp_path / "new0.tfrecord")


def test_no_shards(refused, tmp_path):
    assert "expected shards" in refused("a", "--data", tmp_path / "*.tfrecord")


def test_a_damaged_shard(refused, tmp_path):
    path = tmp_path / "new0.tfrecord"
    made.write(path, tiny.SCHEMA, Level.FRAME)
    path.write_bytes(path.read_bytes()[:-9])
    assert f"{path}: record 5" in refused("new0_5", "--data", path)


def test_a_page_over_a_folder(refused, tmp_path):
    assert "expected the path of a file to write" in refused("test0_1", "--page", tmp_path)


@pytest.mark.parametrize("name", ["split", "distill", "ensemble"])
def test_what_has_not_been_made(finished, fails, tmp_path, monkeypatch, name):
    shutil.copytree(finished(FRAMES)[0], tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    shutil.rmtree(Path("data") / name)
    assert fails("explain", "test0_1") == f"yt8m: data/{name}: expected a folder that yt8m repro makes, found none"


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("data/distill/model.safetensors", "data/distill: expected a trained model"),
        ("data/ensemble/ensemble.json", "data/ensemble/ensemble.json: expected the description of an ensemble"),
        ("data/split/classes.txt", "data/split/classes.txt: expected 5 class names, as the models have, received"),
        ("data/split/frames/test.tsv", "data/split/frames/test.tsv: expected the columns"),
        ("params.yaml", "params.yaml: expected sections data and split"),
    ],
)
def test_what_is_damaged(finished, fails, tmp_path, monkeypatch, name, part):
    shutil.copytree(finished(FRAMES)[0], tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    Path(name).write_text("damaged: x\n")
    assert part in fails("explain", "test0_1")
