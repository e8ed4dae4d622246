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

NAME = "netvlad"
TRAINING = f"train/{NAME}-a"
KILLED = """
import os, signal, sys
from stages.__main__ import main
from yt8m.core.backend import limit_threads
limit_threads(1)
from yt8m.models import storage
def half(model, description, folder, *_):
    folder.mkdir()
    (folder / storage.WEIGHTS).write_bytes(b"half")
    os.killpg(0, signal.SIGKILL)
storage.save = half
main(["train", sys.argv[1], "a"])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Tiny data, split, and a model that takes a few seconds to train."""
    params = tiny_params()
    params["models"] = {NAME: params["models"][NAME] | {"epochs": 24, "learning_rate": 1e-4}}
    params["sets"] = {"a": {"seed": 1, "finetune": False}}
    params["evaluate"]["related"] = []
    params["train"]["eval_examples"] = 80
    params["train"]["schedule"]["patience"] = 1000
    project = make_project(tmp_path_factory.mktemp("clone") / "project", params)
    project.run("dvc", "repro", "split")
    return project


def start(project: Project) -> subprocess.Popen:
    """Start a training and return when its model is built."""
    running = subprocess.Popen(
        [sys.executable, "-m", "stages", "train", NAME, "a"],
        cwd=project.root,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert running.stdout
    for line in running.stdout:
        if line.startswith(f"{TRAINING}:"):
            return running
    raise AssertionError("the training did not start")


def scores(project: Project) -> int:
    """How often the holdout was scored; a training that goes on logs what it has logged before."""
    curve = project.root / "metrics" / TRAINING / "plots/metrics/holdout_gap.tsv"
    return max(0, len(curve.read_text().splitlines()) - 1) if curve.exists() else 0


def kill(project: Project, more: int, delay: float = 0) -> None:
    """Start a training, and kill it so many seconds after the holdout was scored so many times more.

    A score is logged before the state is saved: the first one's is waited for, or nothing may be left to go on from.
    """
    wanted, states = scores(project) + more, project.root / "data/states" / TRAINING
    running = start(project)
    while scores(project) < wanted or (wanted and not states.exists()):
        assert running.poll() is None
        time.sleep(0.01)
    time.sleep(delay)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def finish(running: subprocess.Popen) -> str:
    """Wait for a training's successful end."""
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 0, output[-3000:]
    return output


def results(project: Project) -> dict[str, bytes]:
    """All that a training leaves."""
    folders = (project.root / "data" / TRAINING, project.root / "metrics" / TRAINING)
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(project.root)): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def whole(project):
    """All that a training leaves when nothing cuts it off."""
    finish(start(project))
    found = results(project)
    for folder in ("data", "metrics"):
        shutil.rmtree(project.root / folder / TRAINING)
    return found


def test_kills_change_no_byte(project, whole):
    chance, states = random.Random(NAME), project.root / "data/states" / TRAINING
    for _ in range(3):
        kill(project, more=chance.randrange(4), delay=chance.uniform(0, 0.2))
        assert not (project.root / "data" / TRAINING).exists()
    assert states.exists()
    output = finish(start(project))
    assert "going on from step" in output
    assert results(project) == whole
    assert not states.exists()


def test_a_kill_while_the_model_is_saved_leaves_no_output(project, whole):
    """What is half-written lies beside the output's place, and the next `dvc repro` removes it."""
    out = project.root / "data" / TRAINING
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-c", KILLED, NAME]
    killed = subprocess.run(command, cwd=project.root, env=ENVIRONMENT, capture_output=True, start_new_session=True)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    assert [path.name for path in project.root.rglob("*.partial")] == [f"{out.name}.partial"]
    output = project.run("dvc", "repro", "--single-item", f"train@{NAME}-a")
    assert "going on from step" in output
    assert results(project) == whole
    assert not list(project.root.rglob("*.partial"))


def test_other_parameters_start_anew(project):
    """And the state of the first ones waits until a training has succeeded."""
    states = project.root / "data/states" / TRAINING
    shutil.rmtree(project.root / "metrics" / TRAINING, ignore_errors=True)  # what is logged is all new
    kill(project, more=3)
    assert states.exists()
    project.edit_params(lambda params: params["models"][NAME].update(learning_rate=2e-4))
    output = finish(start(project))
    assert "going on" not in output
    assert not states.exists()
