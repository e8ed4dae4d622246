"""The studies on a tiny project: which variants they train, what they leave of it, and the tables they keep."""

import re
from contextlib import chdir
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.studies import (
    _folds,
    _same_view,
    _study,
    augmentation,
    baselines,
    distillation,
    ensembling,
    explain,
    families,
    forms,
    recipes,
    relations,
    seeds,
    stacking,
)
from benchmarks.studies._mixed import Mixed
from benchmarks.studies._study import Table, changed
from benchmarks.studies._teachers import Calibration, filled_up, soften, softened, teacher_of
from tests.benchmarks.conftest import PARAMS
from tests.pipeline import ROOT
from yt8m.augmentation.recipes import Kind, Recipes
from yt8m.core.files import read_csv
from yt8m.core.ragged import Ragged
from yt8m.records.dataset import Dataset
from yt8m.records.manifest import read_manifest
from yt8m.relations.regularizer import RelatedModel
from yt8m.review.noise import Spread
from yt8m.scoring import metrics
from yt8m.scoring.predictions import Predictions, Store, writer
from yt8m.settings import registry
from yt8m.settings.loading import ParamsError, load
from yt8m.training.losses import cross_entropy
from yt8m.training.run import begun
from yt8m.training.training import Training

SCHEMES = "metrics/fit_ensemble/schemes.csv"
SIZES = {"netvlad": 1952, "lstm": 2096}  # bytes of the models, which the student has a network of each of


def study(main, project, table, *variants):
    """Run a study with one seed; its rows by variant."""
    main(["--project", str(project), "--table", str(table), "--seeds", "1", "--variants", *variants])
    found = {row["variant"]: row for row in read_csv(table)}
    assert all(0 <= float(row[key]) <= 1 for row in found.values() for key in ("holdout_gap", "test_gap"))
    assert not list((project / "data" / "study").glob("*"))
    return found


def test_changes_are_those_of_parameters():
    params = changed(load(PARAMS), {"distill.lambda": 0.5, "train_moe.args.mixtures": 7})
    assert (params.distill.share, params.train_moe.args["mixtures"]) == (0.5, 7)
    with pytest.raises(ParamsError, match=r"distill\.lamda: unknown key"):
        changed(params, {"distill.lamda": 0.5})


def test_augmentation(project, tmp_path):
    names = ["2 experts: original", "2 experts: original after 2 neighbours of every video"]
    found = study(augmentation.main, project, tmp_path / "rows.csv", *names)
    assert list(found) == names
    assert all(0 <= float(row["rare_map"]) <= 1 for row in found.values())


def test_forms_of_augmentation(project, tmp_path):
    names = ["each once, neighbours with the same labels", "each once, labels mixed"]
    found = study(forms.main, project, tmp_path / "rows.csv", *names)
    assert list(found) == names
    for row in found.values():
        thirds = [float(row[f"{part}_third"]) for part in ("rarest", "middle", "most_frequent")]
        assert min(thirds) <= float(row["test_map"]) <= max(thirds)


def test_families_beyond_the_project_beside_its_members(project, tmp_path):
    """Whose equal mean is the same in all rows; with a model beside them it is another."""
    found = study(families.main, project, tmp_path / "rows.csv", "chain", "netvlad", "dbow")
    assert list(found) == ["chain", "netvlad"]  # the project has no dbow
    paths = sorted((project / "data/predictions/test").iterdir())
    stored = [Store(path).read() for path in paths]
    mean = np.mean([each.dense(6) for each in stored], axis=0)
    equal = metrics.gap(*metrics.top_k(mean, 20), stored[0].labels)
    assert [float(row["members"]) for row in found.values()] == pytest.approx([equal] * 2, abs=1e-6)
    assert all(row["members_and_it"] != row["members"] for row in found.values())


@pytest.mark.parametrize("name", families.BEYOND)
@pytest.mark.parametrize("file", ["params.yaml", "params/audioset.yaml", "params/youtube8m_video.yaml"])
def test_families_beyond_take_the_arguments_that_they_are_given(name, file):
    params = load(ROOT / file)
    model = families.BEYOND[name](params)
    assert model.family == name
    assert families.of_seed(params, model, 3).sets["study"].seed == 3  # parameters are checked


def test_every_video_once():
    """And anew in each epoch: as it is where no other can be made of it."""
    kind = np.array([Kind.ORIGINAL] * 4 + [Kind.INTERPOLATED, Kind.EXTRAPOLATED] * 2 + [Kind.NOISE])
    made = Recipes(kind, np.array([0, 1, 2, 3, 0, 0, 0, 0, 2]), np.array([0, 1, 2, 3, 1, 1, 3, 3, 2]))
    drawn = [forms.one_of_each(made, np.random.default_rng(seed)) for seed in range(50)]
    assert all(sorted(made.seed[rows].tolist()) == [0, 1, 2, 3] for rows in drawn)
    of = [{int(row) for rows in drawn for row in rows if made.seed[row] == seed} for seed in range(4)]
    assert of == [{4, 5, 6, 7}, {1}, {8}, {3}]


def test_labels_between_those_of_two_videos(project):
    with _study.at(project) as params:
        manifest = _study.SPLIT / "videos" / "train.tsv"
        (batch,) = Dataset(manifest, params.data.source).batches(200)
        a, b = batch.ids[:2]
        ids = [a, f"{a}~int~{b}", f"{a}~ext~{b}", f"{a}~noise"]
        given = batch._replace(ids=ids, labels=batch.labels[[0, 0, 0, 0]])
        found = Mixed(manifest, params.data.source, 0.25).targets(given)
    np.testing.assert_allclose(found[1], 0.75 * batch.labels[0] + 0.25 * batch.labels[1])
    np.testing.assert_array_equal(found[[0, 2, 3]], batch.labels[[0, 0, 0]])


def test_relations_begin_with_the_trained_weights(project, tmp_path):
    found = study(relations.main, project, tmp_path / "rows.csv", "continued", "relations", "lambda2 x 10,000")
    assert list(found) == ["before", "continued", "relations", "lambda2 x 10,000"]
    # What is kept is never worse on the holdout than the start.
    assert min(float(row["holdout_gap"]) for row in found.values()) == float(found["before"]["holdout_gap"])
    shares = [float(row["relations_share"]) for row in found.values()]
    assert shares[:2] == [0, 0]
    assert 0 < shares[2] < shares[3] < 1
    assert [float(row["output_moved"]) > 0 for row in found.values()] == [False, True, True, True]


def test_relations_that_weigh_nothing_are_none(project):
    """So that `continued` is a plain training."""
    with _study.at(project) as params:
        model, _ = begun(Training.of(params, params.models["lstm"], 1, "none").start)
    plain = sum(map(float, model.losses))
    related = RelatedModel(model.inputs, model.outputs, lambda1=0.0, lambda2=0.0, damping=0.1)
    related.update_relations()
    assert sum(map(float, related.losses)) == plain > 0


def test_recipes(project, tmp_path, capsys):
    names = ["none", "moving average", "params.yaml"]
    found = study(partial(with_models, recipes.main, "lstm", "netvlad"), project, tmp_path / "rows.csv", *names)
    assert list(found) == [f"{model}: {name}" for name in names for model in ("lstm", "netvlad")]
    means = {
        name: sum(float(found[f"{model}: {name}"]["train_gap"]) for model in ("lstm", "netvlad")) / 2 for name in names
    }
    assert all(0 < value <= 1 for value in means.values())
    printed = capsys.readouterr().out
    for name, value in means.items():
        assert re.search(rf"^\| {name} +\| 1 .*\| {value:.4f} ", printed, re.MULTILINE)
    assert "dropout" not in printed  # was not asked for


def with_models(main, *models_and_argv):
    """Call a study's main with models."""
    *models, argv = models_and_argv
    main([*argv, "--models", *models])


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_recipes_are_changes_of_parameters(name):
    """All of which differ: from none by one thing, or by the moving average and one more."""
    params = recipes.of_model(load(PARAMS), "netvlad", 5, recipes.RECIPES[name])
    assert (params.sets["study"].seed, params.evaluate.plain) == (5, "netvlad-study")
    none = recipes.of_model(load(PARAMS), "netvlad", 5, recipes.NONE)
    own, plain = (
        each.train.model_dump() | each.models["netvlad"].args | {"model": each.models["netvlad"].learning_rate}
        for each in (params, none)
    )
    differ = {key for key in own if own[key] != plain[key]}
    if name != "params.yaml":
        assert len(differ) == (0 if name == "none" else 2 if name.startswith("moving average,") else 1)


def test_baselines(project, tmp_path):
    assert list(study(baselines.main, project, tmp_path / "rows.csv", "logistic*")) == ["logistic regression"]


def test_distillation_trains_each_row_once(project, tmp_path, monkeypatch):
    table = tmp_path / "rows.csv"
    found = study(distillation.main, project, table, "lambda 1")
    assert found["lambda 1"]["bytes"] == str(sum(SIZES.values()))
    before = table.read_bytes()
    monkeypatch.setattr(distillation, "train", lambda *_: pytest.fail("trained again"))
    study(distillation.main, project, table, "lambda 1")
    assert table.read_bytes() == before
    assert [(row["split"], row["videos"]) for row in read_csv(tmp_path / "rows_teacher.csv")] == [
        ("train", "96"),
        ("holdout", "12"),
    ]
    assert (tmp_path / "distillation.png").read_bytes().startswith(b"\x89PNG")


def test_a_student_may_be_taught_the_training_videos_alone(project, tmp_path, monkeypatch):
    """Or learn from labels: then no teacher is looked at."""
    seen = {}

    def look(params, stage):
        taught, train = (distillation.SPLIT / "frames" / f"{name}.tsv" for name in ("taught", "train"))
        seen[stage, taught.read_bytes() == train.read_bytes()] = params.distill.members
        raise KeyboardInterrupt

    monkeypatch.setattr(distillation._study, "run_stage", look)
    for name in ("three, lambda 1", "two, lambda 1, no extra", "one network, labels"):
        with pytest.raises(KeyboardInterrupt):
            study(distillation.main, project, tmp_path / "rows.csv", name)
    assert seen == {("distill", False): 3, ("distill", True): 2, ("untaught", False): 1}


def test_ensembling(project, tmp_path, capsys):
    ensembling.main(["--project", str(project), "--output", str(tmp_path / "table4")])
    found = read_csv(tmp_path / "table4.csv")
    expected = [(str(n), scheme, str(fold)) for n in (2, 4) for scheme in registry.schemes() for fold in range(5)]
    assert [(row["models"], row["scheme"], row["fold"]) for row in found] == expected
    assert (tmp_path / "table4.png").stat().st_size > 1000
    paths = sorted((project / "data/predictions/test").iterdir())
    stored = [Store(path).read() for path in paths]
    mean = np.stack([each.dense(6) for each in stored]).mean(axis=0, dtype=np.float64)
    equal = metrics.gap(*metrics.top_k(mean.astype(np.float32), 20), stored[0].labels)
    of_four = [float(row["test_gap"]) for row in found if (row["models"], row["scheme"]) == ("4", "equal")]
    np.testing.assert_allclose(of_four, equal, atol=1e-6)
    assert f"{equal:.4f} ± 0.0000" in capsys.readouterr().out


def scored(teacher, labels, members=None):
    """Videos as a first level scores them."""
    ids = pa.array([f"v{index}" for index in range(len(labels))])
    predictions = Predictions(ids, Ragged.hot(labels), *metrics.top_k(teacher, teacher.shape[1]))
    return stacking.Scored(predictions, teacher, teacher if members is None else members, labels)


def added(level, known, asked, strength):
    """What a second level adds at one strength."""
    return list(level(known, asked))[stacking.STRENGTHS.index(strength)]


def test_stacking_begins_with_the_teacher_and_may_leave_it_as_it_is(project, tmp_path, capsys):
    stacking.main(["--project", str(project), "--table", str(tmp_path / "rows.csv")])
    found = read_csv(tmp_path / "rows.csv")
    expected = [(level, str(strength)) for level in stacking.LEVELS for strength in stacking.STRENGTHS]
    assert [(row["second_level"], row["strength"]) for row in found] == expected
    with chdir(project):
        teacher = teacher_of("test")
    gap = metrics.gap(teacher.indices, teacher.scores, teacher.labels)
    for row in found:
        assert float(row["test_gap"]) - float(row["difference"]) == pytest.approx(gap)
        assert (row["strength"] == "inf") == (float(row["error"]) == 0)
    best = {
        level: max(float(row["cross_validated_gap"]) for row in found if row["second_level"] == level)
        for level in stacking.LEVELS
    }
    lines = capsys.readouterr().out
    assert all(re.search(rf"\| {level} +\| [\w.]+ +\| {gap:.4f} ", lines) for level, gap in best.items())


def test_stacking_learns_which_classes_go_together():
    """Class 2 comes with class 0 and with no other; its own score says nothing."""
    random = np.random.default_rng(0)
    labels = random.random((400, 3)) < 0.3
    labels[:, 2] = labels[:, 0]
    teacher = np.where(labels, 0.8, 0.1).astype(np.float32)
    teacher[:, 2] = random.random(400)
    known, asked = (scored(teacher, labels).take(rows) for rows in (np.arange(300), np.arange(300, 400)))
    own, together = (asked.teacher + added(each, known, asked, 0.1) for each in (stacking.by_itself, stacking.by_all))
    assert np.corrcoef(own[:, 2], asked.labels[:, 2])[0, 1] < 0.3
    assert np.corrcoef(together[:, 2], asked.labels[:, 2])[0, 1] > 0.7
    assert not any(added(level, known, asked, np.inf).any() for level in stacking.LEVELS.values())


@pytest.mark.parametrize("strength", [0.1, 3.0])
@pytest.mark.parametrize("members", [2, 20])  # less wide and wider than there are videos
def test_second_levels_are_least_squares_with_a_penalty(strength, members):
    random = np.random.default_rng(1)
    labels, teacher = random.random((50, 4)) < 0.4, random.random((50, 4)).astype(np.float32)
    wide = random.random((50, 4 * members)).astype(np.float32)
    known, asked = (scored(teacher, labels, wide).take(rows) for rows in (np.arange(40), np.arange(40, 50)))
    missed = labels[:40] - teacher[:40]
    for level, x in {stacking.by_all: teacher, stacking.by_all_of_members: wide}.items():
        gram = x[:40].T @ x[:40]
        weights = np.linalg.solve(gram + strength * np.trace(gram) / len(gram) * np.eye(len(gram)), x[:40].T @ missed)
        found = added(level, known, asked, strength)
        np.testing.assert_allclose(found, x[40:] @ weights, rtol=1e-3, atol=1e-4)
    squares = np.sum(teacher[:40] ** 2, axis=0)
    for column in range(4):
        weight = np.dot(teacher[:40, column], missed[:, column]) / (squares[column] + strength * np.mean(squares))
        found = added(stacking.by_itself, known, asked, strength)[:, column]
        np.testing.assert_allclose(found, teacher[40:, column] * weight, rtol=1e-4, atol=1e-6)


def test_each_fold_is_corrected_by_what_the_others_teach():
    labels, fold_of = np.zeros((6, 2), bool), np.array([0, 0, 1, 1, 2, 2])
    labels[:2] = True
    teacher = np.where(labels, [0.9, 0.2], [0.3, 0.4]).astype(np.float32)
    asked = []

    def level(known, own):
        asked.append((known.labels.tolist(), own.labels.tolist()))
        yield np.where(own.labels, 1, -1)  # of those who know
        yield np.zeros_like(own.teacher)

    gaps = stacking.cross_validated(level, scored(teacher, labels), fold_of)
    rows = labels.tolist()
    assert asked == [(rows[2:], rows[:2]), (rows[:2] + rows[4:], rows[2:4]), (rows[:4], rows[4:])]
    assert gaps[0] == pytest.approx(1)
    assert gaps[1] == pytest.approx(metrics.gap(*metrics.top_k(teacher, 20), Ragged.hot(labels)))
    assert gaps[1] < 1


def oracle(film):
    """Scores of a video's variants by who knows which frames show its labels: the share of those that are kept."""
    frames, scores = np.arange(film.video.frames), np.zeros((1 + len(explain.WAYS) * film.video.frames, 6))
    kept = [frames, *(way.kept(frames, each) for way in explain.WAYS.values() for each in frames)]
    for row, rows in enumerate(kept):
        scores[row, film.video.labels] = film.shows[rows].mean(axis=0)
    return scores


def test_explanations_are_judged_by_the_frames_that_show_a_label(project, tmp_path, monkeypatch, capsys):
    """Those of an oracle are always right; those of who names the last frame are as often as that shows the label."""
    seen = []

    def scored(filmed, params):
        seen.extend(filmed)
        known = np.concatenate(list(map(oracle, filmed)))
        return {"oracle": known, "the last frame": np.cumsum(np.ones_like(known), axis=0)}

    monkeypatch.setattr(explain, "scored", scored)
    explain.main(["--project", str(project), "--videos", "9", "--table", str(tmp_path / "t.csv")])
    found = {(row["system"], row["frames"]): row for row in read_csv(tmp_path / "t.csv")}
    chance = np.mean([film.shows[:, film.partly()].mean() for film in seen])
    for way in ("left out", "alone"):
        row = found["oracle", way]
        assert (row["videos"], float(row["first"])) == ("9", 1)
        assert float(row["chance"]) == pytest.approx(chance)
        assert float(row["gain"]) == pytest.approx(1 - chance)
    last = np.mean([film.shows[-1, film.partly()].mean() for film in seen])
    assert float(found["the last frame", "alone"]["first"]) == pytest.approx(last)
    assert "| oracle " in capsys.readouterr().out


def test_tables_keep_rows_and_give_means(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("variant,seed,holdout_gap,bytes,seconds\none,1,0.5,8,3.5\none,2,0.7,8,4.5\ntwo,1,0.25,8,1.0\n")
    table = Table(path)
    assert not table.lacks("one", 2)
    assert table.lacks("two", 2)
    assert "| one     | 2     | 0.6000 ± 0.1414 | 8     | 4       |" in table.summary()
    assert "| two     | 1     | 0.2500          | 8     | 1       |" in table.summary()


def test_seeds(project, tmp_path, monkeypatch):
    """The first seed is what the others are held against."""
    monkeypatch.setattr(seeds.noise, "spread", lambda sides: Spread(0.5, 7))
    table = tmp_path / "seeds.csv"
    seeds.main(["--project", str(project), "--table", str(table), "--models", "netvlad", "--seeds", "1", "2"])
    first, second = read_csv(table)
    assert float(first["paired_error"]) == 0 < float(second["paired_error"])
    assert "| 1 of 1 " in seeds.judged(Table(table), Spread(0.5, 7))


def test_softening_is_that_of_the_logits():
    scores = np.array([[0.001, 0.3, 0.5, 0.7, 0.999]])
    logits = np.log(scores / (1 - scores))
    for temperature in (1, 2, 4):
        expected = 1 / (1 + np.exp(-logits / temperature))
        np.testing.assert_allclose(soften(scores, temperature), expected)
    np.testing.assert_array_equal(soften(np.array([0.0, 1.0]), 4), [0, 1])


def test_teachers_are_changed_where_the_stage_finds_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scores = np.array([[0.6, 0.1, 0.2, 0.7], [0.2, 0.8, 0.3, 0.1]], np.float32)
    with writer("stored", 2, 4) as out:
        out.write(["a", "b"], [np.array([1])] * 2, scores)

    def teacher(change):
        distillation.write_scores(Path("stored"), distillation.TEACHER, change, 4)
        return Store(distillation.TEACHER).by_id().at(["a", "b"], 4)

    kept = np.array([[0.6, 0, 0, 0.7], [0, 0.8, 0.3, 0]], np.float32)
    np.testing.assert_array_equal(teacher(distillation.unchanged), kept)
    np.testing.assert_allclose(teacher(partial(softened, temperature=2)), soften(kept, 2))
    np.testing.assert_allclose(teacher(filled_up), np.maximum(kept, [[0.6], [0.3]]))


def test_calibrated_scores_are_shares_of_labels(tmp_path):
    """Scores too low by a known transformation of their logits come back to what they were drawn from."""
    random = np.random.default_rng(0)
    true = random.uniform(0.02, 0.98, (4000, 3))
    odds = np.log(true / (1 - true))
    low = np.sort(1 / (1 + np.exp(-(odds - 0.5) / 0.8)), axis=1)[:, ::-1].astype(np.float32)
    true = np.sort(true, axis=1)[:, ::-1]
    labels = [np.flatnonzero(row) for row in random.random(true.shape) < true]
    stored = Predictions(pa.array(map(str, range(4000))), labels, np.tile(np.arange(3), (4000, 1)), low)
    calibration = Calibration.of(stored)
    assert (calibration.slope, calibration.shift) == pytest.approx((0.8, 0.5), abs=0.05)
    np.testing.assert_allclose(calibration(stored).scores, true, atol=0.03)
    none = replace(stored, scores=np.zeros_like(low))
    np.testing.assert_array_equal(calibration(none).scores, none.scores)


def test_scores_of_models_that_have_not_seen_the_video(project, tmp_path, monkeypatch):
    """Each training video is scored once, by members that have not seen its shard; of one fold they have seen all."""
    seen, run = [], _folds.run

    def look(training):
        seen.append({shard.path for shard in read_manifest(training.phases[0].manifest).shards})
        assert training.schedule.steps == training.phases[0].steps
        return run(training)

    monkeypatch.setattr(_folds, "run", look)
    with _study.at(project) as params:
        every = read_manifest(_study.SPLIT / "frames" / "train.tsv").shards
        with _study.workplace("distillation"):
            for folds in (2, 1):
                _folds.write_folds(tmp_path / f"{folds}.parquet", params, ["lstm"], folds)
    first, second, whole = seen
    assert whole == first | second == {shard.path for shard in every}
    assert not first & second
    ids = [sorted(Store(tmp_path / f"{folds}.parquet").ids().to_pylist()) for folds in (2, 1)]
    assert ids[0] == ids[1]
    assert len(ids[0]) == sum(shard.videos for shard in every)


def test_a_teacher_that_sees_what_the_student_is_given(project):
    """The loss is that of eq. 7's mixture, by numpy; the teacher learns nothing."""
    with _study.at(project) as params:
        model, _ = begun(Training.of(params, params.models["lstm"], 1, "none").start)
        teacher, _ = begun(Training.of(params, params.models["netvlad"], 2, "none").start)
        videos = Dataset(_study.SPLIT / "frames" / "holdout.tsv", params.data.source)
    (batch,) = videos.batches(videos.size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_same_view, "read", lambda folder: SimpleNamespace(model=teacher))
        objective = _same_view.SameView(0.7, Path("ensemble"))
        trained = objective.trained(model)
    t, s = (np.array(each(batch.inputs, training=False), np.float64) for each in (teacher, model))
    np.testing.assert_array_equal(trained(batch.inputs), s.astype(np.float32))
    scores = trained(batch.inputs, training=True)
    added = sum(map(float, trained.losses)) - sum(map(float, model.losses))
    loss = float(np.mean(cross_entropy(objective.targets(batch), scores))) + added
    y = 0.7 * t + 0.3 * batch.labels
    s = np.array(scores, np.float64)
    expected = -np.sum(y * np.log(s + 1e-5) + (1 - y) * np.log(1 - s + 1e-5), axis=1).mean()
    assert loss == pytest.approx(expected, rel=1e-5)
    assert [id(each) for each in trained.trainable_weights] == [id(each) for each in model.trainable_weights]


def test_a_student_like_a_model_of_the_project(project):
    with _study.at(project) as params:
        like = distillation.VARIANTS["like netvlad"].params(params, 3)
    model = params.models["netvlad"]
    assert (like.distill.family, like.distill.seed) == ("netvlad", 3)
    assert (like.distill.args, like.distill.learning_rate) == (model.args, model.learning_rate)
