"""The studies on a few random videos: which models they train, from what and on what, and the table they keep."""

from itertools import islice

import numpy as np
import pytest

from benchmarks import _study, study_augmentation, study_baselines, study_relations
from benchmarks._study import Row, Split, Table
from tests.data import made
from yt8m import metrics
from yt8m.params import Model, Params, VideoModel, load
from yt8m.schema import Level
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
