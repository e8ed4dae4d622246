"""From video files to predictions of other video files: extract, the pipeline, predict, in a project of its own."""

import json

import pytest

from tests.extraction import clips, made
from tests.project import Project, make_project, tiny_params
from yt8m.core.files import read_json

CLIPS = clips.drawn(84)
TRAINED = dict(list(CLIPS.items())[:64])  # the others are new
CLASSES = sorted([*clips.COLOURS, *clips.BACKGROUNDS])


def smaller(params: dict) -> None:
    """One model in place of 14, and a student of one network; all else as `extract` wrote it."""
    params["models"] = {"netvlad": params["models"]["netvlad"]}
    params["sets"] = {"a": params["sets"]["a"]}
    params["evaluate"]["related"] = []
    params["distill"] |= {"members": 1, "epochs": 30}


def write_videos(root) -> None:
    """Clips to train on, with a table of labels, a broken one and an empty one; and others in a folder of their own."""
    for id, clip in CLIPS.items():
        clips.render(root / ("videos" if id in TRAINED else "new") / f"{id}{clip.ending}", clip)
    clips.empty(root / "videos" / "empty.mp4")
    (root / "videos" / "broken.mp4").write_bytes(b"no video")
    rows = [f"{id},{clip.colour};{clip.background}" for id, clip in TRAINED.items()]
    (root / "labels.csv").write_text("\n".join(["id,labels", *rows, "empty,dark", "broken,dark"]) + "\n")
    new = {id: clip for id, clip in CLIPS.items() if id not in TRAINED}
    rows = [f"{id},{CLASSES.index(clip.colour)} {CLASSES.index(clip.background)}" for id, clip in new.items()]
    (root / "new.csv").write_text("\n".join(["VideoId,Labels", *rows]) + "\n")  # as `score` takes them


@pytest.fixture(params=["small", pytest.param("inception", marks=pytest.mark.slow)])
def project(request, tmp_path) -> Project:
    project = make_project(tmp_path, tiny_params())
    data = tmp_path / "data" / "mine"
    write_videos(data)
    made.networks(data, pictures=request.param)
    return project


def test_from_video_files_to_classes_of_others(project):
    said = project.run(
        *("yt8m", "extract", "--network", "data/mine/pictures.keras", "--sound", "data/mine/sound.keras"),
        *("--videos", "data/mine/videos", "--labels", "data/mine/labels.csv", "--output", "data/mine/packed"),
        *("--split", "0.6", "0.2", "0.2", "--params-out", "params.yaml"),
    )
    assert "2 (broken, empty)" in said
    assert "1 videos without sound" in said
    project.edit_params(smaller)
    project.run("yt8m", "repro")
    assert read_json(project.root / "metrics/evaluate/metrics.json")["test_gap"]["student"] > 0.9

    predict = ["yt8m", "predict", "--video", "data/mine/new"]
    assert (project.root / "data/split/classes.txt").read_text().split() == CLASSES
    for model in ("data/distill", "data/ensemble"):
        project.run(*predict, "--model", model, "--output", "data/new.csv")
        assert json.loads(project.run("yt8m", "score", "data/new.csv", "data/mine/new.csv"))["gap"] > 0.9

    one = next(id for id in CLIPS if id not in TRAINED)
    lines = project.run(
        "yt8m", "predict", "--video", f"data/mine/new/{one}{CLIPS[one].ending}", "--model", "data/distill"
    )
    assert lines.splitlines()[0] == one
    named = [line.split()[1] for line in lines.splitlines()[1:]]
    assert set(named) <= set(CLASSES)
