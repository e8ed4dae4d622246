"""The studies on a few random videos: which models they train, from what and on what, and the table they keep."""

import csv
import json
from collections.abc import Callable
from itertools import islice

import numpy as np
import pytest
from ruamel.yaml import YAML

from benchmarks import _study, study_augmentation, study_baselines, study_distillation, study_relations
from benchmarks._study import Row, Split, Table
from benchmarks.study_distillation import Project, Variant
from tests.pipeline import load_yaml
from tests.records import made
from yt8m.core.schema import Level
from yt8m.intake.split import split as split_shards
from yt8m.records.dataset import Batch
from yt8m.scoring import metrics, predictions
from yt8m.settings.params import Model, Params, VideoModel, load
from yt8m.training.scores import predict

NAMES = ("validate0000", "validate0001", "validate0005", "validate0009")
VIDEOS = 40
TINY = Model(
    family="mlp", seed=1, batch_size=20, learning_rate=0.01, epochs=2, args={"hidden": [4], "dropout": 0.0, "l2": 0.0}
)


@pytest.fixture(scope="module")
def params(tmp_path_factory) -> Params:
    folder = tmp_path_factory.mktemp("shards")
    for name in NAMES:
        made.write_shard(folder / f"{name}.tfrecord", Level.VIDEO, VIDEOS)
    params = load("params/youtube8m_video.yaml")
    data = {"source": str(folder), "videos": "*.tfrecord", "class_names": None, "layout": made.SCHEMA}
    moe = params.train_moe.model_copy(update={"batch_size": 20, "epochs": 2})
    return params.model_copy(update={"data": params.data.model_copy(update=data), "train_moe": moe})


@pytest.fixture
def split(params, tmp_path) -> Split:
    return Split.of(params, tmp_path / "split")


def test_test_figures_are_those_of_all_classes_and_of_rare_ones(split):
    model = split.model(TINY)
    gap, rare = split.measure(model)
    found = [(batch.labels, scores) for batch, scores in predict(model, split.dataset("test"), 16)]
    labels, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    sets = [np.flatnonzero(row) for row in labels]
    assert gap == pytest.approx(metrics.gap(*metrics.top_k(scores, 20), sets))
    rare_classes = [c for c in range(10) if 0 < split.counts[c] < 20 and labels[:, c].any()]
    assert rare_classes
    precisions = [
        metrics.average_precision(scores[:, c], labels[:, c] > 0, int(labels[:, c].sum())) for c in rare_classes
    ]
    assert rare == pytest.approx(np.mean(precisions))


def test_a_split_is_made_once(split):
    stamp = (split.folder / "train" / "videos.tsv").stat().st_mtime_ns
    again = Split.of(split.params, split.folder)
    assert (again.folder / "train" / "videos.tsv").stat().st_mtime_ns == stamp
    assert again.dataset("train").size == 2 * VIDEOS


def test_what_the_table_holds_is_not_trained_again(split, tmp_path, capsys):
    path, model = tmp_path / "rows.csv", split.model(TINY)
    Table(path).add("one", 1, split, lambda: (model, 0.5))
    Table(path).add("one", 2, split, lambda: (model, 0.7))
    table = Table(path)
    table.add("one", 1, split, lambda: pytest.fail("trained again"))
    assert [(row.variant, row.seed, row.holdout_gap) for row in table.rows] == [("one", 1, 0.5), ("one", 2, 0.7)]
    assert "| one     | 2     | 0.6000 ± 0.1414 |" in table.summary()


def test_an_unfinished_row_is_not_kept(split, tmp_path):
    def killed():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Table(tmp_path / "rows.csv").add("one", 1, split, killed)
    assert Table(tmp_path / "rows.csv").rows == list[Row]()


@pytest.mark.parametrize(
    ("variant", "first"),
    [("original", None), ("2 neighbours of every video", ("split_2", 2)), ("original after paper's", ("split_0", 1))],
)
def test_augmented_sets_are_trained_on(split, variant, first, monkeypatch):
    made_first = []
    train = Split.train

    def record(self, model, settings, *, first, **kwargs):
        made_first.append(first and (first[0].manifest, first[1]))
        return train(self, model, settings, first=first, **kwargs)

    monkeypatch.setattr(Split, "train", record)
    _, gap = study_augmentation.trained(split, variant, VideoModel(**TINY.model_dump(), settle=1))
    assert 0 <= gap <= 1
    assert made_first == [first and (split.folder.parent / first[0] / "videos.tsv", first[1])]


def test_the_training_videos_follow_others(split, monkeypatch):
    """Two epochs of 80 videos: 4 steps of others', which are half as many, and the rest the training's own first."""
    taken: list[np.ndarray] = []

    def record(model, training, *args, **kwargs):
        taken.extend(labels for _, labels in islice(training(0), 8))
        return 0.5

    monkeypatch.setattr(_study, "fit", record)
    holdout, original = split.dataset("holdout"), split.dataset("train")
    split.train(split.model(TINY), TINY, first=(holdout, 1))
    others = holdout.shuffled(20, 1, split.params.train.shuffle_buffer)
    own = original.shuffled(20, 1, split.params.train.shuffle_buffer)
    expected = [next(others).labels for _ in range(4)] + [next(own).labels for _ in range(4)]
    assert all(np.array_equal(one, other) for one, other in zip(taken, expected, strict=True))


def test_relations_begin_with_the_trained_weights(split, tmp_path, monkeypatch):
    monkeypatch.setattr(
        study_relations,
        "MODELS",
        {"mlp": TINY, "moe": TINY.model_copy(update={"family": "moe", "args": {"mixtures": 2, "l2": 0.0}})},
    )
    monkeypatch.setattr(study_relations, "VARIANTS", {"relations": {}, "lambda2 x 10": {"lambda2": 10}})
    monkeypatch.setattr(study_relations, "start", lambda args: (split, Table(args.table)))
    study_relations.main(["--seeds", "1", "--table", str(tmp_path / "rows.csv")])
    rows = Table(tmp_path / "rows.csv").rows
    shared = ["before", "continued", *study_relations.VARIANTS]
    gates = ["relations of the gates"]
    assert [row.variant for row in rows] == [f"mlp: {name}" for name in shared] + [
        f"moe: {name}" for name in shared + gates
    ]
    for family in ("mlp", "moe"):
        of_family = {row.variant.removeprefix(f"{family}: "): row for row in rows if row.variant.startswith(family)}
        # What is kept is never worse on the holdout than the start.
        assert all(row.holdout_gap >= of_family["before"].holdout_gap for row in of_family.values())


def test_baselines_keep_their_best_epoch(split, monkeypatch):
    monkeypatch.setattr(study_baselines, "BATCH_SIZE", 20)
    model, gap = study_baselines.trained(split, TINY, 0.01)
    scored = [study_baselines.dataset_gap(model, split.dataset("holdout"), 20)]
    assert scored == [pytest.approx(gap)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A finished project: shards, split, the teacher's and two members' scores."""
    root = tmp_path_factory.mktemp("project")
    content, random = load_yaml("params.yaml"), np.random.default_rng(0)
    content["split"] = load_yaml("params/youtube8m_video.yaml")["split"]
    videos = {name: made.write_shard(root / "shards" / f"{name}.tfrecord", Level.FRAME, VIDEOS) for name in NAMES}
    content["data"] |= {"source": "shards", "frames": "*.tfrecord", "videos": None, "class_names": None}
    content["data"]["schema"] |= made.SCHEMA.model_dump()
    small = {"frames": 3, "hidden": 4, "clusters": {"rgb": 3, "audio": 2}}
    content["distill"] |= {"batch_size": 20, "epochs": 1, "args": content["distill"]["args"] | small}
    YAML(pure=True).dump(content, root / "params.yaml")
    params = load(root / "params.yaml")
    folder = root / "data" / "split"
    folder.mkdir(parents=True)
    patterns = params.split.patterns.model_dump()
    split_shards(str(root / "shards"), params.data.globs, patterns, made.SCHEMA, folder, folder)

    def store(path, of):
        scores = random.random((len(of), 10), np.float32)
        with predictions.writer(root / "data" / path, 10, 10) as out:
            out.write([video.id for video in of], [video.labels for video in of], scores)

    store("ensemble/teacher.parquet", [video for name in ("validate0000", "validate0001") for video in videos[name]])
    for member in ("one", "two"):
        store(f"predictions/holdout/{member}.parquet", videos["validate0005"])
    (root / "data" / "members.json").write_text(json.dumps({"one": "netvlad", "two": "lstm"}))
    np.savez(root / "data" / "ensemble" / "weights.npz", per_class=np.full((2, 10), 0.5))
    (root / "metrics" / "fit_ensemble").mkdir(parents=True)
    (root / "metrics" / "fit_ensemble" / "metrics.json").write_text(json.dumps({"teacher": "per_class"}))
    return root


def test_students_are_trained_once_and_their_lambdas_drawn(project, tmp_path, monkeypatch, capsys):
    learnt: list[Callable[[Batch], np.ndarray]] = []
    train = Split.train

    def record(self, model, settings, *, targets):
        learnt.append(targets)
        return train(self, model, settings, targets=targets)

    monkeypatch.setattr(Split, "train", record)
    words = ["--project", str(project), "--table", str(tmp_path / "rows.csv"), "--variants", "lambda 0", "lambda 1"]
    study_distillation.main([*words, "--seeds", "1"])
    study_distillation.main([*words, "--seeds", "1", "2"])
    assert len(learnt) == 4  # the row of seed 1 is not trained again
    rows = Table(tmp_path / "rows.csv", study_distillation.Row).rows
    assert [(row.variant, row.seed) for row in rows] == [(name, seed) for seed in (1, 2) for name in words[5:]]
    weights = Project.at(project).model(Project.at(project).params.distill).count_params()
    assert {row.bytes for row in rows} == {4 * weights}
    assert (tmp_path / "distillation.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "rows_teacher.csv").open() as file:
        assert [(row["split"], row["videos"]) for row in csv.DictReader(file)] == [("train", "80"), ("holdout", "40")]
    batch = next(Project.at(project).dataset("train").shuffled(20, 1, 100))
    np.testing.assert_array_equal(learnt[0](batch), batch.labels)
    stored = predictions.Store(project / "data" / "ensemble" / "teacher.parquet").read()
    np.testing.assert_array_equal(learnt[1](batch), stored.at(batch.ids, 10))


def test_a_missing_project_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"study_distillation: .*nowhere.*params\.yaml: expected a parameter file"):
        study_distillation.main(["--project", str(tmp_path / "nowhere")])


def test_nextvlad_has_the_benchmarks_arguments(project):
    params = Project.at(project).params
    other = study_distillation.student(params, Variant(0.5, nextvlad=True), 3)
    assert (other.family, other.share, other.seed, other.epochs) == ("nextvlad", 0.5, 3, params.distill.epochs)
    assert study_distillation.student(params, Variant(), 3).args == params.distill.args
    assert study_distillation.student(params, Variant(epochs=6), 3).epochs == 6


def test_students_of_videos_without_frames_take_what_the_others_take(split):
    student, other = Project(split.params, split.folder, Level.FRAME).model(TINY), split.model(TINY)
    assert [(x.name, x.shape, x.dtype) for x in student.inputs] == [(x.name, x.shape, x.dtype) for x in other.inputs]


def test_softening_is_that_of_the_logits():
    scores = np.array([[0.001, 0.3, 0.5, 0.7, 0.999]])
    logits = np.log(scores / (1 - scores))
    for temperature in (1, 2, 4):
        expected = 1 / (1 + np.exp(-logits / temperature))
        np.testing.assert_allclose(study_distillation.soften(scores, temperature), expected)
    np.testing.assert_array_equal(study_distillation.soften(np.array([0.0, 1.0]), 4), [0, 1])


def test_classes_outside_the_top_k_count_as_the_smallest_score(tmp_path):
    scores = np.array([[0.1, 0.8, 0.3, 0.2], [0.6, 0.5, 0.4, 0.7]], np.float32)
    with predictions.writer(tmp_path / "p", 2, 4) as out:
        out.write(["a", "b"], [np.array([1]), np.array([0])], scores)
    stored = predictions.Store(tmp_path / "p").read()
    found = study_distillation.Teacher(stored, Variant(outside=True)).at(["b", "a"], 4)
    np.testing.assert_allclose(found, [[0.6, 0.6, 0.6, 0.7], [0.3, 0.8, 0.3, 0.3]])


def test_calibration_by_hand():
    """Two bins: scores 0.92 and 0.95 with one label, 0.12 and 0.15 with none; the 21st score of a video is left out."""
    indices, scores = np.array([[0, 1], [2, 3]]), np.array([[0.92, 0.15], [0.95, 0.12]], np.float32)
    found = study_distillation.trust("holdout", indices, scores, [np.array([0]), np.array([5])])
    assert (found.confidence, found.precision) == pytest.approx((2.14 / 4, 1 / 4))
    assert found.calibration_error == pytest.approx(((1.87 - 1) + (0.27 - 0)) / 4)
    assert found.gap == metrics.gap(indices, scores, [np.array([0]), np.array([5])])
    many = np.arange(21)[None]
    alone = study_distillation.trust("train", many, np.ones((1, 21), np.float32), [np.array([20])])
    assert (alone.precision, alone.calibration_error) == (0, 1)
