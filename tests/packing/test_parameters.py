"""Parameters for packed videos are complete, and have their sizes."""

from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from tests.pipeline import ROOT, load_yaml
from yt8m.core.errors import InputError
from yt8m.core.schema import Level, Schema
from yt8m.packing.parameters import TEMPLATES, Facts, fill, read_template
from yt8m.settings.loading import parse


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def filled(level: Level, videos: int, *, classes: int = 30, frames: int = 50, **features: int) -> tuple[str, dict]:
    """The text of a parameter file and what it says, for as many training videos."""
    schema = Schema(
        id_key="id",
        labels_key="labels",
        mean_prefix="mean_",
        features=features or {"audio_embedding": 128},
        classes=classes,
        max_frames=frames if level is Level.FRAME else 1,
        uneven_frames="refuse",
        missing_features="refuse",
        extractor=None,
    )
    held = max(2, videos // 8)
    facts = Facts("data/own", level, schema, {"train": videos, "validate": held, "test": held}, np.arange(classes))
    text = fill(read_template(level), facts)
    return text, YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("videos", [1, 16, 100, 5000, 10**6])
@pytest.mark.parametrize("classes", [2, 40, 4000])
def test_they_pass_the_check_and_name_the_data(level, videos, classes):
    _, params = filled(level, videos, classes=classes, rgb=1024, audio=16)
    checked = parse(params)
    assert checked.data.level is level
    assert checked.data.layout.features == {"rgb": 1024, "audio": 16}
    assert (checked.data.source, checked.data.class_names) == ("data/own", "data/own/classes.csv")
    assert checked.data.globs == {other: f"{level}/*.tfrecord" if other is level else None for other in Level}
    assert checked.split.patterns.model_dump() == {
        "train": ["train*"],
        "holdout": ["validate*"],
        "test": ["test*"],
        "extra": [],
    }
    assert checked.simulate == {}
    assert checked.infer.top_k >= 20
    assert checked.ensemble.folds <= max(2, videos // 8)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("videos", [2, 45, 700, 5000])
def test_every_training_has_some_hundreds_of_steps(level, videos):
    params = parse(filled(level, videos)[1])
    models = [*params.models.values(), params.train_moe]
    for model in models:
        assert model.epochs * videos >= 200 * model.batch_size
        assert model.batch_size == 8 or model.batch_size <= videos / 16
    batch = max(model.batch_size for model in models)
    assert params.finetune.epochs is not None
    assert params.finetune.epochs * videos / batch >= 100
    assert 5 * params.finetune.period <= params.finetune.epochs * videos / batch
    assert params.distill.epochs * videos >= 400 * batch
    assert params.train.eval_examples >= 30 * batch
    assert 0 < params.train_moe.original_epochs < params.train_moe.epochs


def test_a_student_of_a_family_of_its_own_follows_the_data_as_models_do():
    args = {"frames": 300, "clusters": {"rgb": 64, "audio": 32}, "hidden": 128, "mixtures": 2, "l2": 0.0}
    own = {"family": "dbow", "batch_size": 256, "learning_rate": 0.003}
    template = read_template(Level.FRAME)
    template["distill"].update(own, args=args | {"input_dropout": 0.0, "dropout": 0.0})
    schema = parse(filled(Level.FRAME, 45)[1]).data.layout
    videos = {"train": 45, "validate": 5, "test": 5}
    text = fill(template, Facts("data/own", Level.FRAME, schema, videos, np.arange(30)))
    student = parse(YAML(typ="safe", pure=True).load(text)).distill
    assert student.batch_size == 8
    assert student.epochs * 45 >= 200 * 8
    assert student.args is not None
    assert student.args["clusters"].keys() == schema.features.keys()


@pytest.mark.parametrize("level", Level)
def test_data_like_the_templates_get_the_templates_values(level):
    template = load_yaml(str(TEMPLATES[level]))
    template["evaluate"]["paper"] = False  # whatever the data are
    schema = template["data"]["schema"]
    params = filled(
        level,
        template["train"]["eval_examples"],
        classes=schema["classes"],
        frames=schema["max_frames"],
        **schema["features"],
    )[1]
    for section in ("models", "train", "train_moe", "sets", "distill", "evaluate", "ensemble"):
        if (level, section) == (Level.VIDEO, "models"):  # clusters are for each feature by its own size
            for model in (params, template):
                del model["models"]["netvlad"]["args"]["clusters"]
        assert params[section] == template[section]


def test_comments_stay_and_those_of_the_templates_data_do_not():
    text, _ = filled(Level.FRAME, 100)
    assert "AudioSet's" not in text
    assert "videos: null                 # averaged from the frames\n" in text
    assert "ema: 0.99                    # momentum of a moving average" in text
    assert "\n\naugment:\n" in text
    assert max(map(len, text.splitlines())) <= 130


def test_clusters_follow_the_width_of_a_feature():
    params = filled(Level.FRAME, 5000, narrow=16, wide=1024, wider=4096)[1]
    assert params["models"]["netvlad"]["args"]["clusters"] == {"narrow": 32, "wide": 8, "wider": 2}
    assert params["models"]["gated_dbow"]["args"]["rank"] == 128


@pytest.mark.parametrize(("frames", "drawn"), [(3, 3), (300, 30)])
def test_no_more_frames_than_there_are(frames, drawn):
    params = filled(Level.FRAME, 100, frames=frames)[1]
    assert {model["args"].get("frames", drawn) for model in params["models"].values()} == {drawn}


def test_the_threshold_is_what_nearly_all_classes_are_below():
    assert filled(Level.FRAME, 100, classes=41)[1]["augment"]["threshold"] == 38  # of 1 to 40


def test_elsewhere_there_is_nothing_to_start_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^params/audioset.yaml: expected the project's parameters"):
        read_template(Level.FRAME)
    assert not list(Path().iterdir())
