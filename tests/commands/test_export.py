"""`yt8m export`: TensorFlow alone gives what `yt8m predict` gives, and what is refused."""

import os
import resource
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.models import tiny
from tests.records import made
from tests.records.made import SCHEMA, bytes_feature, feature_list, float_feature, sequence_example
from yt8m.cli import main
from yt8m.core.schema import Level
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import encode
from yt8m.scoring.submission import read_predictions
from yt8m.settings import registry

tf = pytest.importorskip("tensorflow")

CASES = [
    *((family, Level.FRAME) for family in registry.families() if family in tiny.ARGS),
    ("moe", Level.VIDEO),
    ("netvlad", Level.VIDEO),
]
TOP_K = 4
SERVE = """
import sys
sys.modules["keras"] = sys.modules["yt8m"] = None  # importing either would be an error
from pathlib import Path
import numpy as np, tensorflow as tf
for folder in Path(sys.argv[1]).iterdir():
    serve = tf.saved_model.load(str(folder / "model")).signatures["serving_default"]
    records = list(tf.data.TFRecordDataset(str(folder / "s.tfrecord")).as_numpy_iterator())
    given = {name: x.numpy() for name, x in serve(records=tf.constant(records)).items()}
    alone = serve(records=tf.constant(records[:1]))["scores"].numpy()
    np.savez(folder / "served.npz", **(given | {"ids": given["ids"].astype(str), "alone": alone}))
"""


def videos(level):
    """Some shorter and some longer than the schema's frames."""
    random = np.random.default_rng(0)
    if level is Level.VIDEO:
        return [made.video_video(random, f"v{index}") for index in range(9)]
    return [made.frame_video(random, f"v{index}", frames) for index, frames in enumerate([1, 4, 6, 7, 9, 2])]


@pytest.fixture(scope="module")
def served(trained, tmp_path_factory):
    """By case: what the SavedModel gave in a process that knows TensorFlow alone, and what `yt8m predict` wrote."""
    root = tmp_path_factory.mktemp("exported")
    for family, level in CASES:
        folder, model = root / f"{family}-{level}", str(trained(level, family))
        write_records(folder / "s.tfrecord", [encode(video, level, SCHEMA) for video in videos(level)])
        main(["export", "--model", model, "--output", str(folder / "model"), "--top-k", str(TOP_K)])
        words = ["--input", str(folder / "s.tfrecord"), "--output", str(folder / "p.csv"), "--top-k", str(TOP_K)]
        main(["predict", "--model", model, *words])
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(root)],
        cwd=root,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {
        (family, level): (
            np.load(root / f"{family}-{level}" / "served.npz"),
            read_predictions(root / f"{family}-{level}" / "p.csv"),
        )
        for family, level in CASES
    }


@pytest.mark.parametrize(("family", "level"), CASES)
def test_tensorflow_alone_gives_what_predict_gives(served, family, level):
    given, expected = served[family, level]
    assert given["ids"].tolist() == expected.ids.tolist()
    assert given["scores"].dtype == np.float32
    assert given["indices"].dtype == np.int32
    assert given["scores"].shape == (len(expected.ids), TOP_K)
    np.testing.assert_allclose(given["scores"], expected.scores, atol=1e-5)
    np.testing.assert_array_equal(given["indices"], expected.indices)
    np.testing.assert_allclose(given["alone"][0], expected.scores[0], atol=1e-5)
    assert np.ptp(given["scores"][:, 0]) > 1e-4  # videos are told apart


@pytest.fixture(scope="module", params=list(Level))
def signature(request, trained, tmp_path_factory):
    """The level and its signature."""
    folder = tmp_path_factory.mktemp("served") / "new" / "model"
    main(["export", "--model", str(trained(request.param)), "--output", str(folder)])
    loaded = tf.saved_model.load(str(folder))
    return request.param, lambda *records: loaded.signatures["serving_default"](records=tf.constant(records))


def record(level, **changes):
    return encode(replace(made.make(level, np.random.default_rng(0), "v"), **changes), level, SCHEMA)


def test_the_classes_are_no_more_than_there_are(signature):
    level, serve = signature
    assert serve(record(level))["scores"].shape == (1, SCHEMA.classes)


def test_records_of_another_size_are_refused(signature):
    level, serve = signature
    features = {name: np.ones((2, size + 1), SCHEMA.dtype(level)) for name, size in SCHEMA.features.items()}
    with pytest.raises(tf.errors.InvalidArgumentError):
        serve(record(level), record(level, features=features))


def test_records_of_the_other_level_are_refused(signature):
    level, serve = signature
    (other,) = set(Level) - {level}
    with pytest.raises(tf.errors.InvalidArgumentError):
        serve(record(other))


def test_what_no_reader_takes_is_refused(signature):
    """As the pipeline refuses it: no frames, other numbers of frames, floats that are not finite, no id."""
    level, serve = signature
    id, lists = {"id": bytes_feature(b"v")}, {"rgb": feature_list(bytes(8)), "audio": feature_list(bytes(4))}
    wrong = [
        sequence_example(id, {"rgb": b"", "audio": b""}),
        sequence_example(id, lists | {"audio": feature_list(bytes(4), bytes(4))}),
        sequence_example(id, lists | {"rgb": feature_list(b"")}),
        sequence_example({}, lists),
    ]
    if level is Level.VIDEO:
        means = {"mean_rgb": float_feature(*[0.0] * 8), "mean_audio": float_feature(*[0.0] * 4)}
        infinite = float_feature(*[0.0] * 3, float("inf"))
        wrong = [made.example(id | means | {"mean_audio": infinite}), made.example(means)]
    for each in wrong:
        with pytest.raises(tf.errors.InvalidArgumentError):
            serve(each)


def test_published_means_with_empty_feature_lists_are_read(signature):
    level, serve = signature
    if level is Level.VIDEO:
        published = record(level) + made.field(2)
        np.testing.assert_array_equal(serve(published)["scores"], serve(record(level))["scores"])


# What is refused: one line, nothing written.


def test_an_output_that_exists(trained, fails, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    line = fails("export", "--model", trained(Level.FRAME), "--output", tmp_path)
    assert line == f"yt8m: {tmp_path}: expected the path of a new folder, received one that exists"
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_without_a_model(fails, tmp_path):
    line = fails("export", "--model", tmp_path, "--output", tmp_path / "out")
    assert "expected the folder of a trained model, found no model.json" in line
    assert not list(tmp_path.iterdir())


def test_another_backend(trained, fails, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    line = fails("export", "--model", trained(Level.FRAME), "--output", tmp_path / "out")
    assert line == "yt8m: KERAS_BACKEND: expected tensorflow, which alone writes a SavedModel, received jax"
    assert not list(tmp_path.iterdir())


def test_a_full_disk(trained, fails, tmp_path):
    """As near as a process gets to it: no file may grow past 1000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    model = trained(Level.FRAME)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        line = fails("export", "--model", model, "--output", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(tmp_path / "out") in line
    assert "File too large" in line
    assert not list(tmp_path.iterdir())
