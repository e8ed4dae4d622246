"""`yt8m predict --video`: what the shards of the same videos give, by the extractor that the model is for."""

import shutil

import keras
import pytest

from tests.extraction import clips, made
from tests.extraction.clips import Clip
from tests.models import tiny
from yt8m.cli import main
from yt8m.core.schema import Level, Schema
from yt8m.models import storage
from yt8m.records.extractors import digest

CLIPS = {"a": Clip("red", "dark", 4), "b": Clip("blue", "light", 6), "c": Clip("green", "light", 3)}
MINE = "data/mine"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project: parameters, extracted videos, and a model of them."""
    folder = tmp_path_factory.mktemp("project")
    pictures, _ = made.networks(folder)
    for id, clip in CLIPS.items():
        clips.render(folder / "videos" / f"{id}.mp4", clip)
    (folder / "labels.csv").write_text("id,labels\na,red one;dark\nb,blue;light\nc,green;light\n")
    words = ["extract", "--videos", folder / "videos", "--labels", folder / "labels.csv", "--network", pictures]
    main([str(word) for word in (*words, "--output", folder / MINE, "--split", 1, 0, 0)])
    shutil.copy("tests/params.yaml", folder / "params.yaml")
    text = (folder / "params.yaml").read_text()
    text = text.replace("extractor: null", f"extractor: {digest(folder / MINE / 'extractor')}")
    (folder / "params.yaml").write_text(text.replace("data/simulated/demo", MINE).replace("classes: 6", "classes: 5"))
    schema = Schema(
        id_key="id",
        labels_key="labels",
        mean_prefix="mean_",
        features={"rgb": 3},
        classes=5,
        max_frames=6,
        uneven_frames="refuse",
        missing_features="refuse",
        extractor=digest(folder / MINE / "extractor"),
    )
    write_model(folder / "model", schema)
    write_model(folder / "other", schema.model_copy(update={"extractor": None}))
    return folder


def write_model(folder, schema):
    keras.utils.set_random_seed(0)
    storage.save(tiny.randomized("netvlad", schema, Level.FRAME), tiny.describe("netvlad", schema, Level.FRAME), folder)


@pytest.fixture
def project(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_videos_get_the_scores_of_their_shards(project, tmp_path):
    words = ["predict", "--model", "model", "--output"]
    main([*words, str(tmp_path / "shards.csv"), "--input", f"{MINE}/frame/*"])
    main([*words, str(tmp_path / "videos.csv"), "--video", "videos"])
    shards = sorted((tmp_path / "shards.csv").read_text().splitlines())
    assert sorted((tmp_path / "videos.csv").read_text().splitlines()) == shards
    main([*words, str(tmp_path / "names.csv"), "--video", "videos", "--names", f"{MINE}/classes.csv"])
    assert "red_one" in (tmp_path / "names.csv").read_text()
    assert not list(project.glob("**/raw"))


def test_without_an_output_there_are_lines_to_read(project, capsys):
    main(["predict", "--model", "model", "--video", "videos/a.mp4", "videos/c.mp4", "--top-k", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["a", "c"]
    names, scores = {line.split()[1] for line in lines[1:3]}, [float(line.split()[0]) for line in lines[1:3]]
    assert names <= {"red_one", "dark", "blue", "light", "green"}
    assert scores == sorted(scores, reverse=True)


def test_outside_of_a_project_the_extractor_is_given(project, tmp_path, monkeypatch, capsys, fails):
    monkeypatch.chdir(tmp_path)
    words = ["predict", "--model", project / "model", "--video", project / "videos" / "a.mp4"]
    assert "--with: expected the folder of the extractor" in fails(*words)
    main([str(word) for word in (*words, "--with", project / MINE / "extractor")])
    assert capsys.readouterr().out.splitlines()[0] == "a"


def test_another_extractor_is_refused(project, tmp_path, fails):
    other = tmp_path / "other" / "extractor"
    shutil.copytree(project / MINE / "extractor", other)
    description = other / "extractor.json"
    description.write_text(description.read_text().replace("300", "299"))
    words = ["predict", "--model", "model", "--video", "videos/a.mp4", "--with"]
    line = fails(*words, other)
    assert "expected features of the extractor" in line
    assert str(digest(other)) in line
    assert "expected the folder of an extractor" in fails(*words, tmp_path)
    shutil.copytree(project / MINE / "frame", tmp_path / "other" / "frame")
    line = fails("predict", "--model", "model", "--input", tmp_path / "other" / "frame", "--output", tmp_path / "p.csv")
    assert "expected features of the extractor" in line
    assert not (tmp_path / "p.csv").exists()


def test_a_model_of_other_features_takes_no_videos(project, fails):
    line = fails("predict", "--model", "other", "--video", "videos/a.mp4")
    assert "other: expected a model of features made by yt8m extract" in line


def test_wrong_videos_and_options(project, tmp_path, fails):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    words = ["predict", "--model", "model"]
    assert "bad.mp4: expected a video" in fails(*words, "--video", tmp_path / "bad.mp4")
    assert "none.mp4: expected videos, found none" in fails(*words, "--video", tmp_path / "none.mp4")
    assert "--with: expected it with --video" in fails(*words, "--input", f"{MINE}/frame/*", "--with", MINE)
    assert "--labels: expected it with --output" in fails(*words, "--video", "videos", "--labels", tmp_path / "l.csv")
