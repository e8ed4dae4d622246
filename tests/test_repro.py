"""A tiny `dvc repro` of the whole pipeline in a copy of the project, and what reruns after a change."""

import json
import os
import signal
import subprocess
import time

import pytest

from tests.project import ENVIRONMENT, MEMBERS, make_project, tiny_params


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project after its first `dvc repro`; tests use it in order, each leaving it up to date."""
    project = make_project(tmp_path_factory.mktemp("clone") / "project", tiny_params())
    ran = project.repro()
    project.commit()
    expected = {f"{stage}@{name}" for stage in ("train", "finetune", "infer") for name in MEMBERS}
    expected |= {f"{stage}@{kind}" for stage in ("train_moe", "infer_moe") for kind in ("original", "augmented")}
    expected |= {"simulate@demo", "split", "augment", "members", "fit_ensemble", "distill", "infer_student", "evaluate"}
    assert ran == expected
    return project


def test_the_result_holds_every_model_ensemble_and_the_student(project):
    gap = json.loads((project.root / "metrics/evaluate/metrics.json").read_text())["gap"]
    assert gap.keys() >= {*MEMBERS, "moe_original", "moe_augmented", "mean_of_all", "per_model", "per_class", "student"}
    assert all(0 < value <= 1 for value in gap.values())


def test_nothing_is_left_to_do_and_nothing_lies_about(project):
    assert project.changed() == set()
    assert project.run("git", "status", "--porcelain") == ""
    assert not list(project.root.rglob("*.partial"))


def test_stages_run_again_give_the_same_bytes(project):
    before = project.lock()
    stages = ("simulate@demo", "split", "augment", "train@lstm_2", "finetune@lstm_2", "fit_ensemble")
    project.run("dvc", "repro", "--force", "--single-item", *stages)
    assert project.lock() == before


def test_an_edited_family_concerns_its_models_alone(project):
    path = project.root / "src/yt8m/models/lstm.py"
    source = path.read_text()
    path.write_text(source + "# edited\n")
    stages = ("train", "finetune", "infer")
    assert project.changed() == {f"{stage}@{name}" for stage in stages for name in ("lstm_1", "lstm_2")}
    path.write_text(source)
    assert project.changed() == set()


def test_a_changed_argument_concerns_its_model_alone(project):
    def wider(params):
        params["models"]["lstm_1"]["args"]["units"] += 1

    original = (project.root / "params.yaml").read_text()
    project.edit_params(wider)
    assert project.changed() == {"train@lstm_1", "members"}  # members only looks whether a model has gone
    (project.root / "params.yaml").write_text(original)


def test_a_wrong_parameter_is_refused_before_work_starts(project):
    original = (project.root / "params.yaml").read_text()
    project.edit_params(lambda params: params["distill"].update({"lambda": 1.5}))
    done = subprocess.run(["dvc", "repro"], cwd=project.root, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "distill.lambda: expected" in done.stderr
    assert "received 1.5" in done.stderr
    assert "Traceback" not in done.stderr
    (project.root / "params.yaml").write_text(original)
    project.repro()
    assert project.run("git", "status", "--porcelain") == ""


def test_an_experiment_with_lambda_reruns_what_follows_distill(project):
    out = project.run("dvc", "exp", "run", "-S", "distill.lambda=0.5")
    ran = {line.split("'")[1] for line in out.splitlines() if line.startswith("Running stage")}
    assert ran == {"distill", "infer_student", "evaluate"}
    diff = json.loads(project.run("dvc", "metrics", "diff", "--json"))
    assert any("student" in name for name in diff["metrics/evaluate/metrics.json"])
    project.commit()


def test_a_student_over_the_limit_fails_with_both_sizes_and_fits_in_half_precision(project):
    original, folder = (project.root / "params.yaml").read_text(), project.root / "data/distill"
    size = sum(path.stat().st_size for path in folder.iterdir())
    project.edit_params(lambda params: params["distill"].update({"max_bytes": size - 1}))
    done = subprocess.run(["dvc", "repro"], cwd=project.root, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"expected a model of at most {size - 1:,} bytes, received {size:,} bytes" in done.stderr
    assert not folder.exists()
    assert not list(project.root.rglob("*.partial"))
    project.edit_params(lambda params: params["distill"].update({"storage": "float16"}))
    assert project.repro() == {"distill", "infer_student", "evaluate"}
    assert sum(path.stat().st_size for path in folder.iterdir()) < size
    (project.root / "params.yaml").write_text(original)
    project.repro()
    assert project.run("git", "status", "--porcelain") == ""


def test_a_killed_training_leaves_nothing_half_written(project):
    project.edit_params(lambda params: params["models"]["netvlad_1"].update(seed=5))
    running = subprocess.Popen(
        ["dvc", "repro"], cwd=project.root, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout
    said = (line.startswith("train/netvlad_1:") for line in running.stdout)  # when the model is built
    assert any(said)
    time.sleep(0.5)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert not (project.root / "data/train/netvlad_1").exists()
    assert "train@netvlad_1" in project.repro()
    assert project.changed() == set()
    assert not list(project.root.rglob("*.partial"))
    project.commit()


def test_models_come_and_go_without_a_trace(project):
    def swap(params):
        params["models"]["lstm_3"] = {**params["models"]["lstm_1"], "seed": 3}
        del params["models"]["lstm_2"]

    project.edit_params(swap)
    ran = project.repro()
    new = {f"{stage}@lstm_3" for stage in ("train", "finetune", "infer")}
    assert ran == new | {"members", "fit_ensemble", "distill", "infer_student", "evaluate"}
    assert project.changed() == set()
    assert "lstm_2" not in project.lock()
    assert not [path for folder in ("data", "metrics") for path in (project.root / folder).rglob("lstm_2*")]
