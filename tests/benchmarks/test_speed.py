"""The benchmarks of speed, without a look at the clock: each runs on small input, and notices what is wrong."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from benchmarks import _loop, _models, _processes, augment, ensemble, full_size, omega, predict, reader, train_step
from benchmarks._flops import CPU_JAX, counted, recurrent
from benchmarks._models import Case
from benchmarks._processes import ROOT, Failed
from benchmarks._steps import built, description
from tests.benchmarks.conftest import PARAMS
from tests.pipeline import load_yaml
from yt8m.core.backend import THREADS
from yt8m.models import storage
from yt8m.settings import registry
from yt8m.settings.loading import load

SETTINGS = load(PARAMS)


def exit_code(main, *words):
    with pytest.raises(SystemExit) as end:
        main(list(map(str, words)))
    return end.value.code


def lstm(schema=SETTINGS.data.layout, **args):
    """A case of the LSTM."""
    model = SETTINGS.models["lstm"]
    return Case(model.model_copy(update={"args": model.args | args}), schema, SETTINGS.train)


def test_a_process_of_its_own_has_its_environment_and_says_why_it_failed():
    assert _processes.apart(os.getenv, "ASKED", ASKED="yes") == "yes"
    assert os.getenv("ASKED") is None
    with pytest.raises(Failed, match=r"FileNotFoundError.*nowhere"):
        _processes.apart(os.stat, "nowhere")
    with pytest.raises(Failed, match="killed"):
        _processes.apart(os.abort)


def test_the_formula_of_a_recurrent_step_gives_what_xla_counts():
    """XLA counts a loop's body once: two frames (one would be no loop) count as one."""
    one, two = (
        SETTINGS.data.layout.model_copy(update={"features": {"visual": 256}, "max_frames": frames}) for frames in (1, 2)
    )
    xla = _processes.apart(counted, lstm(two, units=128), **CPU_JAX)
    assert 1 < xla / recurrent(lstm(one, units=128)) < 1.1
    assert recurrent(lstm(layers=2)) > recurrent(lstm(layers=1))


@pytest.mark.parametrize("family", _models.MIDDLE)
def test_the_middle_size_has_every_family(family):
    (case,) = (case for case in _models.middle() if case.model.family == family)
    registry.check_arguments(family, case.layout, case.model.args)


@pytest.fixture
def small(here, monkeypatch):
    """Training steps of tests/params.yaml on this backend alone."""
    monkeypatch.setattr(_models, "SIZES", {"demo": lambda: _models.of_file(PARAMS, _models.DEMO)})
    monkeypatch.setattr(train_step, "CONFIGURATIONS", [(name, "tensorflow", False) for name in ("one", "other")])
    monkeypatch.setattr(train_step, "BACKENDS", ("tensorflow",))
    monkeypatch.setattr(train_step._steps, "matmul_rate", lambda: (1e9, "2 x 2"))


def test_training_steps(small, tmp_path):
    words = ["--families", "lstm", "--steps", 2]
    assert exit_code(train_step.main, *words, "--output", tmp_path / "page.md") == 0
    page = (tmp_path / "page.md").read_text()
    assert "`python -m benchmarks.train_step --size demo --steps 2 --families lstm`" in page
    header, _, line = ([cell.strip() for cell in row.split("|")[1:-1]] for row in page.splitlines() if row[:1] == "|")
    figures = dict(zip(header[1:], map(float, line[1:]), strict=True))
    assert figures["GFLOP a step"] == pytest.approx(recurrent(lstm()) / 1e9, rel=1e-3)
    assert figures["other / one"] == pytest.approx(figures["other: examples/s"] / figures["one: examples/s"], abs=0.02)
    share = 100 * figures["GFLOP a step"] * figures["one: examples/s"] / figures["batch"]
    assert figures["one: % of matmul"] == pytest.approx(share, abs=0.1)


def test_training_steps_that_fail_are_noted(small, monkeypatch, capsys):
    def failing(case, steps):
        raise Failed("no memory")

    monkeypatch.setattr(train_step._steps, "timed", failing)
    assert exit_code(train_step.main, "--families", "lstm") == 1
    assert "- lstm, one failed: no memory" in capsys.readouterr().out


def test_full_size(here, tmp_path, capsys):
    assert exit_code(full_size.main, "--params", PARAMS, "lstm") == 0
    assert "| lstm  | lstm   | 524 " in capsys.readouterr().out
    limited, content = tmp_path / "params.yaml", load_yaml(str(PARAMS))
    own = {"batch_size": 16, "learning_rate": 0.1, "args": content["models"]["lstm"]["args"]}
    content["distill"] |= {"family": "lstm", "max_bytes": 10} | own
    YAML(pure=True).dump(content, limited)
    assert exit_code(full_size.main, "--params", limited, "distill") == 1
    assert "distill failed: expected at most 10 bytes" in capsys.readouterr().out
    assert "received ['none']" in exit_code(full_size.main, "--params", PARAMS, "none")


@pytest.mark.parametrize("sqrtm", [False, True])
@pytest.mark.parametrize("spectrum", omega.SPECTRA)
def test_both_ways_to_omega_agree(here, tmp_path, spectrum, sqrtm):
    figures = omega.measure(tmp_path, 6, 20, spectrum, sqrtm)
    assert omega.problems(figures, whole=False) == []
    assert omega.problems(figures | {"direct / update": 10.0}, whole=True) == []
    assert figures["trace"] == pytest.approx(1)
    assert figures["smallest eigenvalue"] > -1e-12
    np.save(tmp_path / omega.DENSE, np.roll(np.load(tmp_path / omega.DENSE), 1, axis=(0, 1)))
    others = omega.compare(tmp_path) | {"direct / update": 9.9}
    assert [len(omega.problems(others, whole)) for whole in (False, True)] == [2, 3]


def test_ensemble(here, monkeypatch, capsys):
    monkeypatch.setattr(ensemble, "FEW", 40)
    monkeypatch.setattr(ensemble, "SOLVED", 60)
    ensemble.main(["--params", str(PARAMS), "--videos", "50"])
    lines = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    cells = {row[0].strip(): [cell.strip(" %") for cell in row[1:]] for row in lines}
    assert {"fitting", "the teacher's scores"} < set(cells)
    exact, adam, clipped = map(float, cells["per_model"][3:6])
    assert exact >= 1 <= adam
    assert clipped >= 1


def test_predict(here, project, tmp_path, monkeypatch, capsys):
    for name in THREADS:  # as in the process that a benchmark starts
        monkeypatch.setenv(name, str(load(ROOT / "params.yaml").train.threads))
    case = lstm()
    storage.save(built(case), description(case), tmp_path / "model")
    shards = project / "data/simulated/demo/frame/validate000?.tfrecord"
    predict.main([str(tmp_path / "model"), str(shards), "--rounds", "1"])
    out = capsys.readouterr().out
    assert "96 videos" in out
    assert all(f"| {way}" in out for way in ("yt8m predict", "the loop", "infer", "infer, all classes sorted"))
    assert exit_code(predict.main, tmp_path / "model", "none*").startswith("predict: none*: expected shards")


def test_reader(here, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reader, "VIDEOS", 3)
    reader.write(tmp_path, 1)
    for way, (function, readers) in reader.ways().items():
        if "readers" not in way and "TF" not in way and "public" not in way and readers in ((), (1,)):
            assert reader.best(function, tmp_path, readers, 1)[0] in (3, 0), way  # an epoch has no whole batch
    assert exit_code(reader.main, "--megabytes", "0") == 2


def test_the_readers_ways_read_the_same(tmp_path):
    """The public way's batches are this reader's, dequantised."""
    reader.write(tmp_path, 1)
    (batch,) = reader.opened(tmp_path, 1).batches(reader.BATCH)
    assert len(batch.ids) == reader.VIDEOS == reader.raw(tmp_path)()


@pytest.fixture
def work(project):
    """The tiny project's video-level shards; some classes are rare."""
    work = augment.survey(project / "data/simulated/demo/video", SETTINGS, None)
    return work.changed(threshold=int(np.median(work.counts)), neighbours=4)


@pytest.mark.parametrize("everything", [False, True])
def test_the_loop_makes_what_augment_writes(work, tmp_path, everything):
    if everything:
        work = work.changed(threshold=None)
    whole, kinds, _ = augment.augmented(work, tmp_path)
    some, all_seeds = (augment.looped(work, tmp_path, sample) for sample in (5, 10**6))
    assert not any(some["differing"].values())
    assert not any(all_seeds["differing"].values())
    assert some["seeds"] == 5 < all_seeds["seeds"]
    assert all_seeds["videos"] == all_seeds["seeds"] + sum(kinds[1:])
    once, again = augment.at_once(work, 5)
    assert (once.videos, again.videos) == (whole.videos, some["videos"])


@pytest.mark.parametrize(
    ("changes", "what"), [({"step": 0.4}, "features"), ({"neighbours": 1}, "id"), ({"noise": 0.3}, "noise")]
)
def test_other_videos_are_noticed(work, tmp_path, changes, what):
    work = replace(work, shards=work.shards[:2]).changed(threshold=None)
    augment.augmented(work.changed(**changes), tmp_path)
    assert augment.looped(work, tmp_path, 10**6)["differing"][what] > 0


def test_augment(here, project, monkeypatch, capsys):
    words = [project / "data/simulated/demo/video", "--params", PARAMS, "--sample", 9]
    words += ["--shards", 1, 2, "--videos-per-shard", 20]
    assert exit_code(augment.main, *words) == 0
    out = capsys.readouterr().out
    assert "256 shards of 20 videos" in out
    assert "100.000 %" in out
    monkeypatch.setattr(_loop.Loop, "nearest", lambda loop, seed, members: [row for row in members if row != seed])
    assert exit_code(augment.main, *words) == 1
    assert exit_code(augment.main, Path("nowhere")).startswith("augment: data.source: expected a folder")
