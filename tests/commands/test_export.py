"""`yt8m export`: TensorFlow alone, or onnxruntime alone, gives what `yt8m predict` gives, and what is refused."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest

from tests.layers.reference import randomize
from tests.models import tiny
from tests.records import made
from tests.records.made import SCHEMA, bytes_feature, feature_list, float_feature, list_of, sequence_example
from yt8m.cli import main
from yt8m.core.schema import Level, Schema
from yt8m.ensembling.ensemble import Ensemble
from yt8m.models import storage
from yt8m.models.building import build
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import encode
from yt8m.scoring.submission import read_predictions
from yt8m.settings import registry

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
onnxruntime = pytest.importorskip("onnxruntime")

FORMATS = ("savedmodel", "onnx")
LOOSE = SCHEMA.model_copy(
    update={
        "id_key": None,
        "features": {"a/rgb": 8, "audio": 4},
        "uneven_frames": "cut",
        "missing_features": "zeros",
    }
)
TOP_K = 4
# The code of each card runs in the exported folder, as the card says, in a process that knows nothing else.
SAVEDMODEL = """
import os, sys
sys.modules["keras"] = sys.modules["yt8m"] = None  # importing either would be an error
import numpy as np
for folder in sys.argv[1:]:
    os.chdir(folder + "/savedmodel")
    known = {}
    exec(open("README.md").read().split("```python")[1].split("```")[0], known)
    found, serve, records = known["found"], known["serve"], known["records"]
    alone = serve(records=known["tf"].constant(records[:1]))["scores"].numpy()
    np.savez("../savedmodel.npz", **(found | {"ids": found["ids"].astype(str), "alone": alone}))
"""
ONNX = """
import os, sys
sys.modules["tensorflow"] = sys.modules["keras"] = sys.modules["onnx"] = sys.modules["yt8m"] = None
import numpy as np
for folder in sys.argv[1:]:
    os.chdir(folder + "/onnx")
    known = {}
    exec(open("README.md").read().split("```python")[1].split("```")[0], known)
    videos, run = list(np.load("../videos.npy", allow_pickle=True)), known["session"].run
    found = dict(zip(["indices", "scores"], run(["indices", "scores"], known["batch"](videos))))
    (alone,) = run(["scores"], known["batch"](videos[:1]))
    np.savez("../onnx.npz", alone=alone, **found)
"""


def videos(level):
    """Some shorter and some longer than the schema's frames."""
    random = np.random.default_rng(0)
    if level is Level.VIDEO:
        return [made.video_video(random, f"v{index}") for index in range(9)]
    return [made.frame_video(random, f"v{index}", frames) for index, frames in enumerate([1, 4, 6, 7, 9, 2])]


def strict(level):
    """Videos that lack nothing: their records, and their features as whoever calls an ONNX file has them."""
    found = videos(level)
    return [encode(video, level, SCHEMA) for video in found], [video.features for video in found]


def loose_frames():
    """Frames of bytes and of floats, some beyond the code's range; features that end early, or are not there."""
    random = np.random.default_rng(0)
    shapes = {"a/rgb": [3, 7, 4, 0, 2, 5], "audio": [3, 2, 9, 2, 0, 4]}
    found, records = [], []
    for index, lengths in enumerate(zip(*shapes.values(), strict=True)):
        video, lists = {}, {}
        for (name, size), frames in zip(LOOSE.features.items(), lengths, strict=True):
            if index % 2 and frames:
                video[name] = random.normal(0, 1.2, (frames, size)).astype(np.float32)
                lists[name] = list_of(*(float_feature(*row) for row in video[name]))
            elif frames:
                video[name] = random.integers(0, 256, (frames, size), np.uint8)
                lists[name] = feature_list(*map(bytes, video[name]))
            else:
                video[name] = np.zeros((max(lengths), size), np.float32)
                lists |= {name: b""} if index == 3 else {}  # an empty list is as none
        found.append(video)
        records.append(sequence_example({}, lists))
    return records, found


def loose_means():
    """Each feature is missing once."""
    found = [dict(zip(LOOSE.features, video.features.values(), strict=True)) for video in videos(Level.VIDEO)]
    for video, name in zip(found, LOOSE.features, strict=False):
        video[name] = np.zeros((1, LOOSE.features[name]), np.float32)
    means = ({LOOSE.mean_key(name): rows[0] for name, rows in video.items() if rows.any()} for video in found)
    return [made.example({key: float_feature(*row) for key, row in each.items()}) for each in means], found


CASES: dict[str, tuple[str, Schema, Callable[[], tuple[list[bytes], list[dict[str, np.ndarray]]]]]] = {
    **{family: (family, SCHEMA, partial(strict, Level.FRAME)) for family in registry.families() if family in tiny.ARGS},
    "moe of means": ("moe", SCHEMA, partial(strict, Level.VIDEO)),
    "netvlad of means": ("netvlad", SCHEMA, partial(strict, Level.VIDEO)),
    "gru of loose records": ("gru", LOOSE, loose_frames),
    "moe of loose means": ("moe", LOOSE, loose_means),
    "ensemble of sums": ("equal", SCHEMA, partial(strict, Level.FRAME)),
    "ensemble of roots": ("gap", SCHEMA, partial(strict, Level.FRAME)),
}


def save(folder, family, schema=SCHEMA, level=Level.FRAME, **more):
    """A trained model in a folder."""
    description = tiny.describe(family, schema, level, **more)
    storage.save(randomize(build(description)), description, folder)
    return folder


def save_ensemble(folder, scheme="gap", top_k=5, **weights):
    """An ensemble of two families, one of them twice, beside its members."""
    families = {"netvlad-a": "netvlad", "netvlad-b": "netvlad", "gru-a": "gru"}
    for seed, (name, family) in enumerate(families.items()):
        save(folder.parent / "finetune" / name, family, seed=seed)
    weights = weights or {scheme: np.random.default_rng(0).uniform(-0.3, 1, (len(families), SCHEMA.classes))}
    folder.mkdir(parents=True)
    members = {name: f"../finetune/{name}" for name in families}
    Ensemble(members=members, scheme=scheme, top_k=top_k).write(folder, weights)
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """By case and format: what was given in a process that knows one runtime alone, and what `yt8m predict` wrote."""
    root, found = tmp_path_factory.mktemp("exported"), {}
    for case, (family, schema, make) in CASES.items():
        folder, (records, features) = root / case.replace(" ", "-"), make()
        level = Level.VIDEO if "means" in case else Level.FRAME
        if case.startswith("ensemble"):
            model = save_ensemble(folder / "data" / "ensemble", family)
        else:
            model = save(folder / "model", family, schema, level)
        write_records(folder / "s.tfrecord", records)
        np.save(folder / "videos.npy", np.array(features, object), allow_pickle=True)
        words = ["--model", str(model), "--top-k", str(TOP_K), "--output"]
        main(["predict", *words, str(folder / "p.csv"), "--input", str(folder / "s.tfrecord")])
        for format in FORMATS:
            main(["export", *words, str(folder / format), "--format", format])
        shutil.copy(folder / "s.tfrecord", folder / "savedmodel" / "videos.tfrecord")
        found[case] = folder
    for program in (SAVEDMODEL, ONNX):
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, found.values())],
            cwd=root,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    return {
        (case, format): (np.load(folder / f"{format}.npz"), read_predictions(folder / "p.csv"))
        for case, folder in found.items()
        for format in FORMATS
    }


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_one_runtime_alone_gives_what_predict_gives(exported, case, format):
    given, expected = exported[case, format]
    assert given["scores"].dtype == np.float32
    assert given["indices"].dtype == np.int32
    assert given["scores"].shape == (len(expected.ids), TOP_K)
    np.testing.assert_allclose(given["scores"], expected.scores, atol=1e-5)
    np.testing.assert_array_equal(given["indices"], expected.indices)
    np.testing.assert_allclose(given["alone"][0], expected.scores[0], atol=1e-5)
    assert np.ptp(given["scores"][:, 0]) > 1e-4  # videos are told apart


@pytest.mark.parametrize("case", CASES)
def test_a_savedmodel_gives_the_records_ids(exported, case):
    given, expected = exported[case, "savedmodel"]
    assert given["ids"].tolist() == ([""] * len(expected.ids) if "loose" in case else expected.ids.tolist())


# The SavedModel.


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


def test_loose_records_that_hold_nothing_are_refused(tmp_path):
    """Neither frames nor means, frames of another size, other numbers than bytes and floats, values without end."""
    wrong = {
        Level.FRAME: [
            sequence_example({}, {}),
            sequence_example({}, {"a/rgb": b"", "audio": b""}),
            sequence_example({}, {"audio": list_of(float_feature(*[0.0] * 5))}),
            sequence_example({}, {"audio": list_of(made.int_feature(1, 2, 3, 4))}),
            sequence_example({}, {"audio": list_of(float_feature(0, 0, 0, float("nan")))}),
        ],
        Level.VIDEO: [
            made.example({}),
            made.example({"mean_audio": bytes_feature(b"1234")}),
            made.example({"mean_audio": float_feature(0, 0, 0, float("inf"))}),
        ],
    }
    for level, records in wrong.items():
        model = save(tmp_path / level / "model", "moe", LOOSE, level)
        main(["export", "--model", str(model), "--output", str(tmp_path / level / "out")])
        serve = tf.saved_model.load(str(tmp_path / level / "out")).signatures["serving_default"]
        for record in records:
            with pytest.raises(tf.errors.InvalidArgumentError):
                serve(records=tf.constant([record]))


def test_bytes_that_are_no_record_are_refused(signature):
    _, serve = signature
    with pytest.raises(tf.errors.DataLossError):
        serve(b"\xff\xff\xff")


# ONNX.


def run_onnx(folder, inputs):
    return onnxruntime.InferenceSession(folder / "model.onnx").run(["indices", "scores"], inputs)


def test_weights_beyond_the_limit_lie_beside_the_file(tmp_path, monkeypatch):
    model = save(tmp_path / "model", "mlp", hidden=[64])
    words = ["export", "--format", "onnx", "--model", str(model), "--output"]
    main([*words, str(tmp_path / "one")])
    monkeypatch.setattr("yt8m.commands._onnx.LARGEST", 1000)
    main([*words, str(tmp_path / "two")])
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["README.md", "model.onnx"]
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["README.md", "model.onnx", "model.onnx.data"]
    file, beside = (tmp_path / "two" / name for name in ("model.onnx", "model.onnx.data"))
    assert file.stat().st_mode == beside.stat().st_mode
    assert "`model.onnx` with `model.onnx.data`" in (tmp_path / "two" / "README.md").read_text()
    batch = tiny.batch(schema=SCHEMA)
    for one, two in zip(run_onnx(tmp_path / "one", batch), run_onnx(tmp_path / "two", batch), strict=True):
        np.testing.assert_array_equal(one, two)


def test_models_of_half_precision_compute_in_float32(tmp_path):
    folder = save(tmp_path / "model", "netvlad", precision="mixed_bfloat16")
    main(["export", "--format", "onnx", "--model", str(folder), "--output", str(tmp_path / "out")])
    model, batch = build(tiny.describe("netvlad", SCHEMA)), tiny.batch(schema=SCHEMA)
    model.set_weights(storage.load(folder)[0].get_weights())
    _, scores = run_onnx(tmp_path / "out", batch)
    np.testing.assert_allclose(scores, -np.sort(-tiny.score(model, batch), axis=1), atol=1e-5)
    assert "float32; `yt8m predict` computes in mixed_bfloat16" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("name", ["my feature", "ü:0", "a/b", "weight_0"])
def test_inputs_are_called_as_features_are(tmp_path, name):
    schema = SCHEMA.model_copy(update={"features": {"rgb": 8, name: 4}})
    model = save(tmp_path / "model", "mlp", schema)
    main(["export", "--format", "onnx", "--model", str(model), "--output", str(tmp_path / "out")])
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    assert {each.name: each.shape[1:] for each in session.get_inputs()} == {
        "rgb": [6, 8],
        name: [6, 4],
        "num_frames": [],
    }


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


@pytest.mark.parametrize(("format", "what"), [("savedmodel", "a SavedModel"), ("onnx", "an ONNX file")])
def test_another_backend(trained, fails, tmp_path, monkeypatch, format, what):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    line = fails("export", "--model", trained(Level.FRAME), "--output", tmp_path / "out", "--format", format)
    assert line == f"yt8m: KERAS_BACKEND: expected tensorflow, which alone writes {what}, received jax"
    assert not list(tmp_path.iterdir())


def test_a_format_that_there_is_not(trained, tmp_path, capsys):
    words = ["export", "--model", str(trained(Level.FRAME)), "--output", str(tmp_path / "out"), "--format", "tflite"]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code
    assert "invalid choice: 'tflite'" in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["onnx", "tf2onnx"])
def test_packages_that_are_not_installed(trained, fails, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    line = fails("export", "--format", "onnx", "--model", trained(Level.FRAME), "--output", tmp_path / "out")
    assert line.startswith('yt8m: --format onnx: expected what `pip install "yt8m[onnx]"` installs: ')
    assert not list(tmp_path.iterdir())


def test_a_feature_called_as_an_output_is(fails, tmp_path):
    schema = SCHEMA.model_copy(update={"features": {"rgb": 8, "scores": 4}})
    model = save(tmp_path / "model", "mlp", schema)
    line = fails("export", "--format", "onnx", "--model", model, "--output", tmp_path / "out")
    assert line.endswith("expected features with other names than the file's outputs, received ['scores']")
    assert not (tmp_path / "out").exists()


def member_of_another_schema(folder):
    save(folder.parent / "finetune" / "gru-a", "gru", SCHEMA.model_copy(update={"max_frames": 7}))


def member_of_the_other_level(folder):
    save(folder.parent / "finetune" / "gru-a", "gru", level=Level.VIDEO)


def member_damaged(folder):
    path = folder.parent / "finetune" / "gru-a" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:50])


def weights_of_two(folder):
    np.savez(folder / "weights.npz", gap=np.ones((2, SCHEMA.classes)))


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (member_of_another_schema, "gru-a: expected max_frames 6, as netvlad-a has it, received 7"),
        (member_of_the_other_level, "gru-a: expected level frame, as netvlad-a has it, received video"),
        (member_damaged, "gru-a: expected a trained model, received a damaged one"),
        (lambda folder: shutil.rmtree(folder.parent / "finetune"), "expected the folder of a trained model"),
        (weights_of_two, "expected weights of (3, 10) members and classes, received (2, 10)"),
        (
            lambda folder: np.savez(folder / "weights.npz", equal=1),
            "expected one of the schemes ['equal'], received 'gap'",
        ),
        (lambda folder: (folder / "ensemble.json").write_text("{"), "ensemble.json: expected the description"),
    ],
    ids=["another schema", "the other level", "a damaged member", "no members", "weights", "scheme", "no JSON"],
)
@pytest.mark.parametrize("format", FORMATS)
def test_a_damaged_ensemble(damaged, fails, tmp_path, damage, part, format):
    folder = shutil.copytree(damaged.parent, tmp_path / "data") / "ensemble"
    damage(folder)
    assert part in fails("export", "--model", folder, "--output", tmp_path / "out" / "x", "--format", format)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """An ensemble that is copied before it is damaged."""
    return save_ensemble(tmp_path_factory.mktemp("whole") / "data" / "ensemble")


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
