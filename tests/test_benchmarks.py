"""The benchmarks, without a look at the clock: what they measure, and what they make of it."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import _flops, _training, full_size, train_step
from benchmarks._common import Case, Failed, apart, random_batch
from benchmarks._report import Report, Row
from benchmarks._sizes import FAMILIES, SIZES
from tests.models import tiny
from yt8m import models
from yt8m.core.errors import InputError
from yt8m.settings import params, registry

TRAIN = params.load("params.yaml").train
PAPER = params.load("params/paper.yaml")
TIMING = {"step": 0.5, "compile": 2.0}
RATE = {"rate": 1e11, "size": 2048, "precision": "float32", "device": "CPU"}
LIFE = {
    "parameters": 1000,
    "build": 1.0,
    "step": 2.0,
    "bytes": 4000,
    "memory": 3e9,
    "memory_with_load": 4e9,
    "loss": 2000.0,
}


def case(family, schema=tiny.SCHEMA, batch_size=2, **args):
    args = tiny.arguments(family, schema) | args
    return Case(family=family, args=args, batch_size=batch_size, learning_rate=0.01, layout=schema, train=TRAIN)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_takes_a_random_batch(family):
    batch = random_batch(tiny.SCHEMA, 3, seed=0)
    scores = models.build(tiny.describe(family))(batch.inputs)
    assert scores.shape == batch.labels.shape == (3, tiny.SCHEMA.classes)


def test_batches_are_bytes_and_labels_that_the_seed_decides():
    first, again, other = (random_batch(tiny.SCHEMA, 3, seed) for seed in (0, 0, 1))
    assert first.inputs["rgb"].dtype == np.uint8
    assert (first.inputs["num_frames"] == tiny.SCHEMA.max_frames).all()
    assert (first.labels.sum(axis=1) == 3).all()
    np.testing.assert_array_equal(first.inputs["rgb"], again.inputs["rgb"])
    assert (first.inputs["rgb"] != other.inputs["rgb"]).any()


def test_steps_are_timed_on_the_model_as_training_compiles_it():
    tried = case("dbow")
    timing = _training.step_seconds(_training.compiled(tried), [random_batch(tried.layout, 2, seed=0)], steps=2)
    assert timing["step"] > 0
    assert timing["compile"] >= 0


@pytest.mark.parametrize(("storage", "size"), [("float32", 4), ("float16", 2)])
def test_a_model_is_saved_and_loaded(storage, size, tmp_path):
    result = _training.whole_life(case("netvlad", hidden=512).model_dump(), str(tmp_path / "model"), storage)
    assert set(result) == set(LIFE)
    assert size <= result["bytes"] / result["parameters"] < 2 * size
    assert result["memory"] > 1e7


def test_a_loss_that_is_not_finite_is_an_error():
    tried = case("dbow", l2=1e30).model_copy(update={"learning_rate": 1e30})
    model, batch = _training.compiled(tried), random_batch(tried.layout, 2, seed=0)
    _training.step(model, batch)
    with pytest.raises(FloatingPointError, match="expected a finite loss"):
        _training.step(model, batch)


def test_operations_of_a_recurrent_step_by_hand():
    """Two layers of 3 units on 7 frames of 6 + 4 values, 5 classes of 2 experts and 3 gates, 2 videos."""
    first = 2 * 10 * 9 + 3 * 3 * 9  # a GRU has 3 gates: 9 columns; no gradient for the input
    second = 3 * 3 * 9 + 3 * 3 * 9
    experts = 3 * 6 * 5 * (2 + 3)
    assert _flops.recurrent(case("gru")) == 2 * 2 * (7 * (first + second) + experts)
    first, second = 2 * 10 * 12 + 3 * 3 * 12, 3 * 3 * 12 + 3 * 3 * 12
    assert _flops.recurrent(case("lstm")) == 2 * 2 * (7 * (first + second) + 2 * experts)  # cells and outputs


def test_the_formula_gives_what_xla_counts():
    """XLA counts a loop's body once: two frames (one would be no loop) count as one."""
    one = tiny.ONE_FEATURE.model_copy(update={"features": {"visual": 256}, "max_frames": 1})
    two = one.model_copy(update={"max_frames": 2})
    short, tried = (case("lstm", schema, 16, layers=1, units=128) for schema in (one, two))
    assert 1 < _flops.counted(tried) / _flops.recurrent(short) < 1.1


def test_operations_are_counted_in_float32_on_the_cpu(monkeypatch):
    asked = []

    def apart(function, arguments, **environment):
        asked.extend([arguments["case"]["train"]["precision"], environment["JAX_PLATFORMS"]])
        return {"flops": 7.0}

    monkeypatch.setattr(_flops, "apart", apart)
    tried = train_step.with_train(case("dbow"), precision="mixed_bfloat16")
    assert _flops.step_flops(tried) == 7
    assert asked == ["float32", "cpu"]


def test_a_function_that_fails_apart_says_why():
    with pytest.raises(Failed, match="AttributeError"):
        apart("_common.nothing", {})


@pytest.mark.parametrize("size", SIZES)
def test_every_size_has_every_family(size):
    cases = SIZES[size]()
    assert [each.family for each in cases] == list(FAMILIES)
    for each in cases:
        registry.check_arguments(each.family, each.layout, each.args)


def installed(*names):
    return lambda name: object() if name in names else None


@pytest.fixture
def pretended(monkeypatch):
    """Measurements that are made up; the list of those asked for."""
    asked = []

    def apart(function, arguments, **environment):
        asked.append((function, environment.get("KERAS_BACKEND")))
        return RATE if function == "_rate.matmul_rate" else TIMING

    monkeypatch.setattr(train_step, "apart", apart)
    monkeypatch.setattr(train_step, "step_flops", lambda case: 1e10)
    monkeypatch.setattr(train_step, "find_spec", installed("tensorflow", "jax"))
    return asked


def call(*words):
    with pytest.raises(SystemExit) as end:
        train_step.main(list(words))
    return end.value.code


def test_the_page_holds_every_family_and_the_command(pretended, tmp_path, capsys):
    assert call("--size", "middle", "--steps", "3", "--output", str(tmp_path / "page.md")) == 0
    page = (tmp_path / "page.md").read_text()
    lines = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("|")]
    assert lines[2:] == list(FAMILIES)
    assert "`python -m benchmarks.train_step --size middle --steps 3`" in page
    assert str(tmp_path) not in page
    assert str(Path.cwd()) not in page
    assert pretended.count(("_training.timed_steps", "jax")) == len(FAMILIES)


def test_a_backend_that_is_not_installed_is_left_out(pretended, monkeypatch, capsys):
    monkeypatch.setattr(train_step, "find_spec", installed("jax"))
    assert call("--families", "gru") == 0
    assert {backend for _, backend in pretended} == {"jax"}
    assert "tensorflow is not installed" in capsys.readouterr().out


def test_what_fails_is_noted_and_the_others_go_on(pretended, monkeypatch, tmp_path, capsys):
    def apart(function, arguments, **environment):
        if environment["KERAS_BACKEND"] == "tensorflow":
            raise Failed("no memory")
        return RATE if function == "_rate.matmul_rate" else TIMING

    monkeypatch.setattr(train_step, "apart", apart)
    assert call("--families", "gru", "--output", str(tmp_path / "page.md")) == 1
    page = (tmp_path / "page.md").read_text()
    assert "- gru, TensorFlow failed: no memory" in page
    assert " 80 " in page  # examples a second, with JAX


def test_cells_are_speeds_shares_and_ratios():
    report = Report(train_step.CONFIGURATIONS, {"tensorflow": RATE, "jax": RATE | {"rate": 2e11}})
    timings = {
        "TensorFlow": TIMING,
        "TensorFlow XLA": {"step": 0.25, "compile": 4.0},
        "JAX": {"step": 0.1, "compile": 0.0},
    }
    report.rows.append(Row(case("gru"), flops=1e10, timings=timings))
    assert len(report.header()) == len(report.body()[0])
    tensorflow, xla, jax = ["4", "2.0", "20.0"], ["8", "4.0", "40.0"], ["20", "0.0", "50.0"]
    assert report.body() == [["gru", "2", "10", *tensorflow, *xla, *jax, "2.00", "5.00"]]
    report.rows = [Row(case("gru"))]
    assert report.body() == [["gru", "2", *"-" * 12]]


def test_full_size_takes_each_size_once():
    names = [entry.name for entry in full_size.entries(PAPER)]
    assert names == [name for name in PAPER.models if name.endswith("_1")] + ["distill", "nextvlad"]
    assert [entry.name for entry in full_size.entries(PAPER, ["gru_2", "gru_1"])] == ["gru_2"]
    with pytest.raises(InputError, match="received \\['gru_9'\\]"):
        full_size.entries(PAPER, ["gru_9"])


def test_the_student_alone_is_stored_as_its_section_says():
    student = PAPER.distill.model_copy(update={"storage": "float16"})
    entries = full_size.entries(PAPER.model_copy(update={"distill": student}))
    assert {entry.name for entry in entries if entry.storage == "float16"} == {"distill"}


def test_a_student_that_is_too_large_fails(monkeypatch, capsys):
    monkeypatch.setattr(full_size, "apart", lambda *_: LIFE)
    assert full_size.run(full_size.entries(PAPER)) == 0
    monkeypatch.setattr(full_size, "apart", lambda *_: LIFE | {"bytes": PAPER.distill.max_bytes + 1})
    assert full_size.run(full_size.entries(PAPER, ["gru_1"])) == 0
    assert full_size.run(full_size.entries(PAPER, ["distill", "gru_1"])) == 1
    assert "expected at most 1,073,741,824 bytes" in capsys.readouterr().out
