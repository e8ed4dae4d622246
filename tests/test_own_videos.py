"""From video files to predictions of other video files: extract, the pipeline, predict, in a project of its own."""

import csv
import io

import pytest

from tests.extraction import clips, made
from tests.project import Project, make_project, tiny_params
from yt8m.core.files import read_json

CLIPS = clips.drawn(56)
TRAINED = dict(list(CLIPS.items())[:44])  # the others are new
MODELS = {"netvlad", "gated_dbow"}


def smaller(params: dict) -> None:
    """Two models of one set in place of 14, and shorter trainings."""
    params["models"] = {name: model for name, model in params["models"].items() if name in MODELS}
    params["sets"] = {"a": params["sets"]["a"]}
    for model in (*params["models"].values(), params["train_moe"]):
        model["epochs"] = 20
    params["train_moe"]["original_epochs"] = 10
    params["distill"]["epochs"] = 30


def write_videos(root) -> None:
    """Clips to train on, with a table of labels, a broken one and an empty one; and others in a folder of their own."""
    for id, clip in CLIPS.items():
        clips.render(root / ("videos" if id in TRAINED else "new") / f"{id}{clip.ending}", clip)
    clips.empty(root / "videos" / "empty.mp4")
    (root / "videos" / "broken.mp4").write_bytes(b"no video")
    rows = [f"{id},{clip.colour};{clip.background}" for id, clip in TRAINED.items()]
    (root / "labels.csv").write_text("\n".join(["id,labels", *rows, "empty,dark", "broken,dark"]) + "\n")
    rows = [f"{id},{clip.colour};{clip.background}" for id, clip in CLIPS.items() if id not in TRAINED]
    (root / "new.csv").write_text("\n".join(["id,labels", *rows]) + "\n")


@pytest.fixture(params=["small", pytest.param("inception", marks=pytest.mark.slow)])
def project(request, tmp_path) -> Project:
    project = make_project(tmp_path, tiny_params())
    data = tmp_path / "data" / "mine"
    write_videos(data)
    made.networks(data, pictures=request.param)
    return project


def test_from_video_files_to_classes_of_others(project):
    extract = ["yt8m", "extract", "--network", "data/mine/pictures.keras", "--sound", "data/mine/sound.keras"]
    said = project.run(
        *extract,
        *("--videos", "data/mine/videos", "--labels", "data/mine/labels.csv", "--output", "data/mine/packed"),
        *("--split", "0.6", "0.2", "0.2", "--params-out", "params.yaml"),
    )
    assert "2 (broken, empty)" in said
    assert "1 videos without sound" in said
    project.edit_params(smaller)
    project.run("yt8m", "repro")
    assert read_json(project.root / "metrics/evaluate/metrics.json")["test_gap"]["student"] > 0.9

    predict = ["yt8m", "predict", "--video", "data/mine/new"]
    for model in ("data/distill", "data/ensemble"):
        project.run(*predict, "--model", model, "--output", "data/new.csv", "--names", "data/split/classes.txt")
        rows = list(csv.DictReader(io.StringIO((project.root / "data/new.csv").read_text())))
        pairs = {row["VideoId"]: row["LabelConfidencePairs"].split() for row in rows}
        assert pairs.keys() == CLIPS.keys() - TRAINED.keys()
        right = [set(found[:4:2]) == {CLIPS[id].colour, CLIPS[id].background} for id, found in pairs.items()]
        assert sum(right) >= 0.8 * len(right), pairs

    one = next(id for id in CLIPS if id not in TRAINED)
    lines = project.run(
        "yt8m", "predict", "--video", f"data/mine/new/{one}{CLIPS[one].ending}", "--model", "data/distill"
    )
    assert lines.splitlines()[0] == one
    assert {line.split()[1] for line in lines.splitlines()[1:3]} == {CLIPS[one].colour, CLIPS[one].background}

    other = [*extract, "--videos", "data/mine/new", "--labels", "data/mine/new.csv", "--output", "data/mine/other"]
    project.run(*other, "--split", "1", "0", "0")
    line = project.refused(*predict, "--model", "data/distill", "--with", "data/mine/other/extractor")
    assert "expected features of the extractor" in line
    line = project.refused(
        "yt8m", "predict", "--input", "data/mine/other/frame/*", "--model", "data/distill", "--output", "data/new.csv"
    )
    assert "expected features of the extractor" in line
