"""A training stage killed at random moments ends with the same bytes as one that was left alone."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.project import ENVIRONMENT, Project, make_project, tiny_params

MODELS = ("netvlad_1", "lstm_1")
KILLED = """
import os, signal
from stages import train
from stages._common import run
from yt8m import models
def half(model, description, folder, storage):
    folder.mkdir()
    (folder / models.WEIGHTS).write_bytes(b"half")
    os.killpg(0, signal.SIGKILL)
models.save = half
run(train.main)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Tiny data, split, and two models that take a few seconds to train."""
    params = tiny_params()
    params["models"] = {name: params["models"][name] | {"epochs": 60, "learning_rate": 1e-4} for name in MODELS}
    params["train"] |= {"eval_examples": 80, "patience": 1000}
    project = make_project(tmp_path_factory.mktemp("clone") / "project", params)
    project.run("dvc", "repro", "split")
    return project


def start(project: Project, name: str) -> subprocess.Popen:
    """Start a training and return when its model is built."""
    running = subprocess.Popen(
        [sys.executable, "-m", "stages.train", name],
        cwd=project.root,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert running.stdout
    for line in running.stdout:
        if line.startswith(f"train/{name}:"):
            return running
    raise AssertionError("the training did not start")


def kill(running: subprocess.Popen, scores: int, delay: float) -> None:
    """Kill a training so many seconds after the holdout was scored so many times."""
    assert running.stdout
    for _ in range(scores):
        while not running.stdout.readline().startswith("step "):
            assert running.poll() is None
    time.sleep(delay)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def finish(running: subprocess.Popen) -> str:
    """Wait for a training's successful end."""
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 0, output[-3000:]
    return output


def results(project: Project, name: str) -> dict[str, bytes]:
    """All that a training leaves."""
    folders = (project.root / "data/train" / name, project.root / "metrics/train" / name)
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(project.root)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("name", MODELS)
def test_five_kills_change_no_byte(project, name):
    finish(start(project, name))
    whole = results(project, name)
    shutil.rmtree(project.root / "data/train" / name)
    shutil.rmtree(project.root / "metrics/train" / name)
    chance, states = random.Random(name), project.root / "data/states/train" / name
    for _ in range(5):
        running = start(project, name)
        kill(running, scores=chance.randrange(10), delay=chance.uniform(0, 0.2))
        assert not (project.root / "data/train" / name).exists()
    assert states.exists()
    output = finish(start(project, name))
    assert "going on from step" in output
    assert results(project, name) == whole
    assert not states.exists()


def test_a_kill_while_the_model_is_saved_leaves_no_output(project):
    """What is half-written lies beside the output's place, and the next `dvc repro` removes it."""
    name, out = "netvlad_1", project.root / "data/train/netvlad_1"
    project.run("dvc", "repro", "--single-item", f"train@{name}")
    whole = results(project, name)
    shutil.rmtree(out)
    command = [sys.executable, "-c", KILLED, name]
    killed = subprocess.run(command, cwd=project.root, env=ENVIRONMENT, capture_output=True, start_new_session=True)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    assert [path.name for path in project.root.rglob("*.partial")] == [f"{name}.partial"]
    output = project.run("dvc", "repro", "--single-item", "--force", f"train@{name}")
    assert "going on from step" in output
    assert results(project, name) == whole
    assert not list(project.root.rglob("*.partial"))


def test_other_parameters_start_anew(project):
    """And the state of the first ones waits until a training has succeeded."""
    name, states = "netvlad_1", project.root / "data/states/train/netvlad_1"
    kill(start(project, name), scores=3, delay=0)
    assert states.exists()
    project.edit_params(lambda params: params["models"][name].update(learning_rate=2e-4))
    output = finish(start(project, name))
    assert "going on" not in output
    assert not states.exists()
