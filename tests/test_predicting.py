"""yt8m predict: the model's scores for any shards, and what is refused."""

import csv
import errno
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.data.made import SCHEMA, write_shard
from tests.models.tiny import ARGS, CLUSTERS
from yt8m import metrics, models, predicting
from yt8m.cli import main
from yt8m.data.dataset import collate
from yt8m.data.tfrecord import write_records
from yt8m.schema import Level

ARGUMENTS = {Level.FRAME: ARGS["netvlad"], Level.VIDEO: ARGS["moe"]}
FAMILIES = {Level.FRAME: "netvlad", Level.VIDEO: "moe"}


def save(folder, level):
    """Save a new model of a level."""
    args = dict(ARGUMENTS[level])
    if "clusters" in args:
        args["clusters"] = {name: CLUSTERS[name] for name in SCHEMA.features}
    description = models.describe(FAMILIES[level], SCHEMA, level, seed=1, momentum=0.9, precision="float32", args=args)
    model = models.build(description)
    models.save(model, description, folder)
    return model


@pytest.fixture(params=list(Level))
def level(request):
    return request.param


@pytest.fixture
def project(tmp_path, level, monkeypatch):
    """A folder with a model and two shards of 7 and 3 videos; the model's batches have 4."""
    monkeypatch.setattr(predicting, "BATCH", 4)
    model = save(tmp_path / "model", level)
    videos = [
        video
        for name, size in (("a", 7), ("b", 3))
        for video in write_shard(tmp_path / f"{name}.tfrecord", level, size)
    ]
    return tmp_path, model, videos


def predict(folder, *more, pattern="*.tfrecord"):
    words = ["--model", folder / "model", "--input", folder / pattern, "--output", folder / "out.csv", *more]
    main(["predict", *map(str, words)])


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def scores_of(model, videos, level):
    inputs = collate(videos, level, SCHEMA).inputs
    return keras.ops.convert_to_numpy(model(inputs, training=False))


def test_predictions_are_the_models(project, level):
    folder, model, videos = project
    predict(folder, "--top-k", "3")
    header, *rows = read(folder / "out.csv")
    assert header == ["VideoId", "LabelConfidencePairs"]
    assert [id for id, _ in rows] == [video.id for video in videos]
    indices, scores = metrics.top_k(scores_of(model, videos, level), 3)
    for (_, found), classes, values in zip(rows, indices, scores, strict=True):
        words = found.split()
        assert [int(word) for word in words[::2]] == classes.tolist()
        np.testing.assert_allclose([float(word) for word in words[1::2]], values, atol=1e-6)


def test_predict_then_score(project, level, capsys):
    folder, model, videos = project
    predict(folder, "--labels", folder / "labels.csv")
    capsys.readouterr()
    main(["score", str(folder / "out.csv"), str(folder / "labels.csv")])
    found = json.loads(capsys.readouterr().out)
    top = metrics.top_k(scores_of(model, videos, level), 20)
    assert found == pytest.approx(metrics.all_metrics(*top, [video.labels for video in videos]), abs=1e-6)


def test_names(project):
    folder, *_ = project
    (folder / "names.txt").write_text("".join(f"class {index}\n" for index in range(SCHEMA.classes)))
    predict(folder, "--names", folder / "names.txt", "--top-k", "2")
    predict(folder, "--names", folder / "names.txt", "--top-k", "2")  # an older file is replaced
    _, (_, first), *_ = read(folder / "out.csv")
    assert [pair.rsplit(" ", 1)[0].split()[0] for pair in first.split("; ")] == ["class", "class"]


def refuse(folder, match, *more, pattern="*.tfrecord"):
    """One line, a failure, and nothing written."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(SystemExit) as end:
        predict(folder, *more, pattern=pattern)
    message = str(end.value.code)
    assert message.startswith("yt8m: ")
    assert match in message
    assert "\n" not in message
    assert sorted(folder.rglob("*")) == before


def test_no_match(project):
    refuse(project[0], "none*: expected shards, found no file", pattern="none*")


def test_no_tfrecord(project):
    (project[0] / "c.tfrecord").write_text("not what it should be, and long enough")
    refuse(project[0], "c.tfrecord: record 0 at byte 0: the checksum of the length does not hold")


def test_truncated(project):
    path = project[0] / "b.tfrecord"
    path.write_bytes(path.read_bytes()[:-9])
    refuse(project[0], "b.tfrecord: record 2 at byte")


def test_wrong_keys_and_sizes(project, level):
    folder, *_ = project
    other = Level.VIDEO if level is Level.FRAME else Level.FRAME
    write_shard(folder / "c.tfrecord", other, 2)
    refuse(folder, "c.tfrecord: record 0: expected")


def test_an_unreadable_shard(project):
    (project[0] / "c.tfrecord").mkdir()
    refuse(project[0], "c.tfrecord")


def test_a_full_disk(project, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(predicting, "pairs", full)
    refuse(project[0], "No space left on device")


@pytest.mark.parametrize("option", ["--output", "--labels"])
def test_a_folder_where_a_file_should_be_written(project, option):
    folder, *_ = project
    (folder / "there").mkdir()
    refuse(folder, "there: expected a file to write, received a folder", option, folder / "there")


def test_no_model(project):
    (project[0] / "model" / "model.json").unlink()
    refuse(project[0], "model.json")


def test_names_of_other_classes(project):
    (project[0] / "names.txt").write_text("one\ntwo\n")
    refuse(project[0], f"names.txt: expected {SCHEMA.classes} names", "--names", project[0] / "names.txt")


def test_no_classes(project):
    refuse(project[0], "--top-k: expected at least 1, received 0", "--top-k", 0)


SERVE = """
import csv, sys
import numpy as np
import tensorflow as tf
folder = sys.argv[1]
serve = tf.saved_model.load(folder + "/saved").signatures["serving_default"]
files = [folder + "/a.tfrecord", folder + "/b.tfrecord"]
found = [serve(records) for records in tf.data.TFRecordDataset(files).batch(4)]
ids, classes, scores = (np.concatenate([part[key].numpy() for part in found]) for key in ("id", "classes", "scores"))
with open(folder + "/out.csv", newline="") as file:
    rows = list(csv.reader(file))[1:]
assert [id.decode() for id in ids] == [row[0] for row in rows]
words = [row[1].split() for row in rows]
assert classes.tolist() == [[int(word) for word in line[::2]] for line in words]
assert not any(name.startswith("yt8m") for name in sys.modules)
print(np.abs(scores - np.array([line[1::2] for line in words], float)).max())
"""


def test_a_saved_model_scores_the_same_with_tensorflow_alone(project):
    folder, *_ = project
    predict(folder, "--top-k", 3)
    main(["export", "--model", str(folder / "model"), "--output", str(folder / "saved"), "--top-k", "3"])
    command = [sys.executable, "-c", SERVE, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1e-5


def test_nothing_is_exported_over_a_folder(project):
    folder, *_ = project
    with pytest.raises(SystemExit, match="expected a folder that does not exist yet"):
        main(["export", "--model", str(folder / "model"), "--output", str(folder)])
    with pytest.raises(SystemExit, match=r"model\.json"):
        main(["export", "--model", str(folder / "none"), "--output", str(folder / "saved")])
    assert not list(folder.glob("saved*"))


def test_shards_without_videos(project):
    folder, *_ = project
    write_records(folder / "empty.tfrecord", [])
    predict(folder, pattern="empty.tfrecord")
    assert read(folder / "out.csv") == [["VideoId", "LabelConfidencePairs"]]
