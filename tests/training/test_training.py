"""What a training is: from parameters to schedules, and what of it decides its result."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from tests.models import tiny
from tests.pipeline import load_yaml
from tests.training.made import SCHEDULE, make_training, make_videos, told, write_dataset
from yt8m.core.files import remove
from yt8m.core.schema import Level
from yt8m.distillation.objective import Distillation
from yt8m.models import storage
from yt8m.models.building import Description
from yt8m.records.cache import Cache
from yt8m.records.manifest import DataError, write_manifest
from yt8m.relations.regularizer import Relations
from yt8m.scoring import predictions
from yt8m.settings.loading import parse
from yt8m.settings.params import Model, Train
from yt8m.training.state import all_that_decides, fingerprint
from yt8m.training.training import Objective, Phase, Schedule, Training

PLACES = {"name", "source", "out", "log", "states", "storage", "max_bytes", "cache"}
SHARED: dict[str, Any] = {"batch_norm_momentum": 0.9, "shuffle_buffer": 1, "precision": "float32"}
RECIPES = ("clip_norm", "ema", "checkpoints", "weight_decay", "mixup", "xla")
SHARED |= {name: SCHEDULE[name] for name in RECIPES} | {"schedule": SCHEDULE["rate"]}


class TestSchedule:
    def of(self, videos, epochs, eval_examples):
        model = Model(family="moe", batch_size=10, learning_rate=0.05, epochs=epochs, args={})
        return Schedule.of(Train(**SHARED, backend="jax", threads=1, eval_examples=eval_examples), model, videos)

    def test_counts_epochs_and_examples_in_steps(self):
        assert self.of(105, epochs=3, eval_examples=49) == Schedule(**SCHEDULE | {"steps": 31, "eval_steps": 4})

    def test_has_a_step_at_least_and_scores_once_at_least(self):
        least = self.of(3, epochs=1, eval_examples=3)
        assert (least.steps, least.eval_steps) == (1, 1)
        assert self.of(50, epochs=2, eval_examples=10_000).eval_steps == 10  # at the end


@pytest.fixture
def params():
    """The tests' parameters, for the small data sets."""
    content = load_yaml("tests/params.yaml")
    content["data"] |= {"source": "elsewhere", "schema": tiny.SCHEMA.model_dump()}
    return parse(content)


@pytest.fixture
def root(tmp_path):
    """A project's folder with manifests of 12 training and 4 holdout videos at both levels."""
    for level in Level:
        for name, count in (("train", 12), ("holdout", 4)):
            write_dataset(tmp_path / f"data/split/{level}s", name, make_videos(count, 0, level), level)
    return tmp_path


class TestOfParameters:
    @staticmethod
    def started(params, root) -> Description:
        start = Training.of(params, params.models["lstm"], 1, "train/lstm-a", root=root).start
        assert isinstance(start, Description)
        return start

    def test_is_what_they_say(self, params, root):
        model = params.models["lstm"].model_copy(update={"batch_size": 2})
        training = Training.of(params, model, 5, "train/lstm-a", root=root)
        assert training.start == tiny.describe("lstm", seed=5, **model.args)
        frames = root / "data/split/frames"
        assert training.phases == (Phase(frames / "train.tsv", 6),)  # 12 videos, batches of 2, 1 epoch
        assert training.holdout == frames / "holdout.tsv"
        assert training.schedule == Schedule.of(params.train, model, 12)
        assert (training.seed, training.shuffle_buffer) == (5, params.train.shuffle_buffer)
        assert training.objective == Objective()
        assert (training.name, training.source) == ("train/lstm-a", "elsewhere")
        assert training.out == root / "data/train/lstm-a"
        assert training.log == root / "metrics/train/lstm-a"
        assert training.states == root / "data/states/train/lstm-a"
        assert (training.storage, training.max_bytes) == ("float32", None)

    def test_reads_the_manifests_of_its_level(self, params, root):
        training = Training.of(params, params.train_moe, 1, "train_moe/original", Level.VIDEO, root)
        videos = root / "data/split/videos"
        assert training.start == tiny.describe("moe", level=Level.VIDEO)
        assert (training.phases[0].manifest, training.holdout) == (videos / "train.tsv", videos / "holdout.tsv")

    def test_where_there_are_no_frames_each_video_is_one(self, params, root):
        """`split` writes video-level shards under `frames` then."""
        frames = root / "data/split/frames"
        for name in ("train", "holdout"):
            (frames / f"{name}.tsv").write_bytes((root / f"data/split/videos/{name}.tsv").read_bytes())
        assert self.started(params, root).level is Level.VIDEO

    def test_what_records_hold_is_what_their_manifest_says(self, params, root):
        """Not what params.yaml has come to say since `split` ran."""
        later = params.data.layout.model_copy(update={"classes": 3})
        params = params.model_copy(update={"data": params.data.model_copy(update={"layout": later})})
        assert self.started(params, root).layout == tiny.SCHEMA

    def test_precision_and_momentum_are_those_of_all_trainings(self, params, root):
        train = params.train.model_copy(update={"precision": "mixed_bfloat16", "batch_norm_momentum": 0.75})
        params = params.model_copy(update={"train": train})
        start = self.started(params, root)
        assert (start.precision, start.momentum) == ("mixed_bfloat16", 0.75)

    def test_without_manifests_it_says_which_is_missing(self, params, tmp_path):
        with pytest.raises(OSError, match=r"data/split/frames/train\.tsv"):
            Training.of(params, params.models["lstm"], 1, "train/lstm-a", root=tmp_path)

    def test_of_a_damaged_manifest_it_says_so(self, params, root):
        path = root / "data/split/frames/train.tsv"
        path.write_text(path.read_text() + "frame\tx\n")
        with pytest.raises(DataError, match=f"{path}: line 5"):
            Training.of(params, params.models["lstm"], 1, "train/lstm-a", root=root)


class TestIdentity:
    """Whatever changes the result changes the fingerprint, and nothing else does."""

    @pytest.fixture
    def teacher(self, tmp_path):
        return self.write_teacher(tmp_path / "teacher.parquet", 0.5)

    @staticmethod
    def write_teacher(path, score):
        with predictions.writer(path, 2, tiny.SCHEMA.classes) as out:
            out.write(["a"], [np.array([1])], np.full((1, tiny.SCHEMA.classes), score))
        return path

    @staticmethod
    def write_start(path, seed=1):
        storage.save(tiny.new("moe", seed=seed), tiny.describe("moe"), path)
        return path

    @pytest.fixture
    def training(self, folder, tmp_path, teacher):
        extra = self.write_teacher(tmp_path / "extra.parquet", 0.75)
        return make_training(folder, tmp_path, objective=Distillation(0.5, teacher, extra))

    @pytest.fixture
    def others(self, training, folder):
        """Another value for each field of a training."""
        return {
            "start": tiny.describe("moe", seed=2),
            "phases": (*training.phases, Phase(folder / "holdout.tsv", 1)),
            "holdout": folder / "train.tsv",
            "seed": 2,
            "shuffle_buffer": 21,
            "schedule": replace(training.schedule, rate=training.schedule.rate.model_copy(update={"patience": 1})),
            "objective": Objective(),
            "name": "other",
            "source": "other",
            "out": folder / "other",
            "log": folder / "other",
            "states": folder / "other",
            "storage": "float16",
            "max_bytes": 1,
            "cache": Cache(folder, 1),
        }

    @pytest.mark.parametrize("name", [field.name for field in fields(Training)])
    def test_every_field_decides_but_places_and_what_is_done_with_the_trained_model(self, name, training, others):
        changed = replace(training, **{name: others[name]})
        assert changed != training
        assert (self.of(changed) != self.of(training)) == (name not in PLACES)

    @staticmethod
    def of(training):
        return fingerprint(all_that_decides(training.identity(), 1))

    def test_is_json_and_names_no_place(self, training, tmp_path):
        text = json.dumps(training.identity())
        assert str(tmp_path) not in text
        assert training.source not in text

    @pytest.mark.parametrize("objective", [Relations(0.5, 0.25, 0.125, 4), Distillation(0.5, Path("t"), Path("e"))])
    def test_so_does_every_field_of_its_parts(self, objective, training):
        """Of the schedule, of phases, of the new model's description and of objectives, whatever they come to have."""
        training = replace(training, objective=objective)
        changed = 0
        for part in ("schedule", "start", "objective"):
            for own in variants(getattr(training, part)):
                assert self.of(replace(training, **{part: own})) != self.of(training), own
                changed += 1
        for own in variants(training.phases[0]):
            assert self.of(replace(training, phases=(own,))) != self.of(training), own
            changed += 1
        parts = (training.schedule, training.objective, training.phases[0])
        start, schedule = training.start, training.schedule
        models = (start, start.layout, schedule.rate)  # the last two of which are fields of other parts
        nested = sum(len(type(model).model_fields) for model in models) - 2
        assert changed == sum(len(fields(part)) for part in parts) + nested

    def test_the_kind_of_objective_counts(self, training):
        """Two that happen to have the same fields are not the same."""
        other = type("Other", (Objective,), {})
        assert self.of(replace(training, objective=other())) != self.of(replace(training, objective=Objective()))

    @pytest.mark.parametrize("name", ["phases", "holdout"])
    def test_a_manifests_content_counts_and_its_place_does_not(self, name, training, folder, tmp_path):
        def at(path):
            return replace(training, **{name: (Phase(path, 24),) if name == "phases" else path})

        copy = tmp_path / "elsewhere" / "copy.tsv"
        copy.parent.mkdir()
        copy.write_bytes((folder / "train.tsv").read_bytes())
        assert self.of(at(copy)) == self.of(at(folder / "train.tsv"))
        copy.write_text(copy.read_text().replace("\t30\t", "\t29\t"))
        assert self.of(at(copy)) != self.of(at(folder / "train.tsv"))

    def test_the_schema_that_a_manifest_names_counts(self, training, folder, tmp_path):
        path, other = tmp_path / "one.tsv", tmp_path / "other.tsv"
        write_manifest(path, [], tiny.SCHEMA)
        write_manifest(other, [], tiny.SCHEMA.model_copy(update={"labels_key": "others"}))
        assert self.of(replace(training, holdout=path)) != self.of(replace(training, holdout=other))

    def test_the_order_of_features_counts(self, training, tmp_path):
        """The first is the primary one; where JSON's keys are sorted, manifests still tell."""
        path, other = tmp_path / "one.tsv", tmp_path / "other.tsv"
        turned = dict(reversed(tiny.SCHEMA.features.items()))
        write_manifest(path, [], tiny.SCHEMA)
        write_manifest(other, [], tiny.SCHEMA.model_copy(update={"features": turned}))
        assert self.of(replace(training, holdout=path)) != self.of(replace(training, holdout=other))

    @pytest.mark.parametrize("file", [storage.WEIGHTS, storage.DESCRIPTION])
    def test_a_start_folders_content_counts_and_its_place_does_not(self, file, training, tmp_path):
        one, moved = self.write_start(tmp_path / "one"), self.write_start(tmp_path / "deep" / "moved")
        assert self.of(replace(training, start=one)) == self.of(replace(training, start=moved))
        content = (moved / file).read_bytes()
        (moved / file).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert self.of(replace(training, start=one)) != self.of(replace(training, start=moved))

    def test_other_weights_at_the_start_count(self, training, tmp_path):
        one, other = self.write_start(tmp_path / "one"), self.write_start(tmp_path / "other", seed=2)
        assert self.of(replace(training, start=one)) != self.of(replace(training, start=other))
        remove(other / storage.WEIGHTS)
        assert self.of(replace(training, start=one)) != self.of(replace(training, start=other))

    def test_the_teachers_content_counts_and_its_place_does_not(self, training, tmp_path):
        moved = self.write_teacher(tmp_path / "moved.parquet", 0.5)
        assert self.of(replace(training, objective=replace(training.objective, teacher=moved))) == self.of(training)
        other = self.write_teacher(tmp_path / "other.parquet", 0.25)
        for of in ("teacher", "extra"):
            changed = replace(training.objective, **{of: other})
            assert self.of(replace(training, objective=changed)) != self.of(training)


def variants(part: Any) -> Iterator[Any]:
    """A dataclass or pydantic model with one field changed, for each of its fields; of a model's fields too."""
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            value = getattr(part, name)
            for other in variants(value) if isinstance(value, BaseModel) else [another(value)]:
                yield part.model_copy(update={name: other})
    else:
        assert is_dataclass(part)
        for field in fields(part):
            value = getattr(part, field.name)
            for other in variants(value) if isinstance(value, BaseModel) else [another(value)]:
                yield replace(part, **{field.name: other})  # type: ignore[type-var]


def another(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, Path):
        return Path(__file__)  # of other content than any data
    if isinstance(value, Level):
        return next(level for level in Level if level is not value)
    if isinstance(value, dict):
        return value | {"more": 1}
    if value is None:
        return "another"
    return not value if isinstance(value, bool) else value + type(value)(1)


@pytest.mark.parametrize(("steps", "eval_steps"), [(30, 6), (4, 4)])
def test_it_lasts_as_long_as_one_says(folder, tmp_path, steps, eval_steps):
    training = make_training(
        folder, tmp_path, phases=(Phase(folder / "train.tsv", 10), Phase(folder / "holdout.tsv", 14))
    )
    found = training.lasting(steps)
    assert found.phases == (Phase(folder / "train.tsv", steps),)
    assert (found.schedule.steps, found.schedule.eval_steps) == (steps, eval_steps)
    assert found == replace(training, phases=found.phases, schedule=found.schedule)


def test_what_is_told_of_it(folder, tmp_path):
    phases = (Phase(Path("some.tsv"), 10), Phase(Path("others.tsv"), 14))
    training = make_training(folder, tmp_path, phases=phases)
    assert training.length == "at most 24 steps of 10 videos: 10 on some.tsv and then 14 on others.tsv"
    summary = {"seed": 1, "shuffle_buffer": 20, "phases": [10, 14], "schedule": told(training.schedule)}
    assert training.summary() == summary
    assert json.loads(json.dumps(summary)) == summary


def test_a_training_is_new_or_goes_on(folder, tmp_path):
    training = make_training(folder, tmp_path)
    assert training.is_new
    assert not replace(training, start=tmp_path).is_new
