"""Devices that divide a batch: rows, refusals, and the same training on several as on one."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest

from tests.pipeline import ROOT
from yt8m.core.errors import InputError
from yt8m.models.storage import DESCRIPTION
from yt8m.training.devices import ADDRESSES, PROCESS, PROCESSES, Devices, prepare
from yt8m.training.peers import Peers

TRAIN = """
import json, os, sys
if os.environ["KERAS_BACKEND"] == "tensorflow" and "TWO_DEVICES" in os.environ:
    import tensorflow as tf
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], 2 * [tf.config.LogicalDeviceConfiguration()]
    )
from pathlib import Path
from yt8m.core.startup import starting
with starting():
    from tests.training.made import logged, make_training
    from yt8m.core.errors import InputError
    from yt8m.models import contract
    from yt8m.relations.regularizer import Relations
    from yt8m.training import fit, peers, run
    from yt8m.training.devices import prepare

contract.check = lambda description: None  # it has tests of its own
peers.HEARTBEAT = 5
peers.JOIN = int(os.environ.get("JOIN", 60))
folder, out = Path(sys.argv[1]), Path(sys.argv[2])
number, result = int(os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", 0)), {}

def devices(xla):
    found = prepare(xla)
    result["devices"] = [found.peers.process, found.peers.processes, found.replicas]
    return found

def recorded(model, training, live, *others):
    gap = fit.fit(model, training, live, *others)
    for metric in ("loss", "holdout_gap"):
        result[metric] = logged(live.dir, metric)[1]
    return gap

if "PERTURBED" in os.environ:
    score = fit.dataset_gap
    fit.dataset_gap = lambda *args: score(*args) * (1 - number * 1e-6) - number * 1e-6
if "KILLED" in os.environ:
    import signal
    fit.BestOnHoldout.on_epoch_begin = lambda self, epoch, logs=None: (
        os.kill(os.getpid(), signal.SIGKILL) if epoch == 2 and number else None
    )
run.prepare, run.fit = devices, recorded
objective = Relations(0.01, 0.001, 1.0, 4) if "RELATED" in os.environ else None
training = make_training(folder, out / f"root{number}", "FAMILY", objective, {"l2": 0.01})
if "OTHER_SEED" in os.environ:
    from dataclasses import replace
    training = replace(training, seed=training.seed + 7 * number)
try:
    result["gap"] = run.run(training)
except InputError as error:
    sys.exit(str(error))
(out / f"{number}.json").write_text(json.dumps(result))
"""


def start(family, backend, folder, out, **environment):
    """Train in a process of its own."""
    out.mkdir(exist_ok=True, parents=True)
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN.replace("FAMILY", family), str(folder), str(out)],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"} | compiled_once(folder) | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def compiled_once(folder):
    """Have JAX compile as fast as it can, and keep it, or most of the time goes there."""
    fast = {"JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    least = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    return fast | least


def results(processes, out):
    for process in processes:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output[-3000:]
    return [json.loads((out / f"{number}.json").read_text()) for number in range(len(processes))]


def free_address():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(scope="module")
def alone(folder, tmp_path_factory):
    """NetVLAD trained on JAX by one process with one device."""
    pytest.importorskip("jax")
    out = tmp_path_factory.mktemp("alone")
    (result,) = results([start("netvlad", "jax", folder, out)], out)
    assert result["loss"][-1] < 0.9 * result["loss"][0]
    return result


def assert_same_curves(result, alone):
    np.testing.assert_allclose(result["loss"], alone["loss"], rtol=1e-4)
    np.testing.assert_allclose(result["holdout_gap"], alone["holdout_gap"], atol=1e-4)
    assert result["gap"] == max(result["holdout_gap"])


def start_two(folder, out, **environment):
    """Two processes that train one model on JAX, each with a folder of its own."""
    join = {ADDRESSES: free_address(), PROCESSES: "2"}
    return [
        start("netvlad", "jax", folder, out, **join, **environment, **{PROCESS: str(number)}) for number in range(2)
    ]


def ends(processes):
    """Exit status and last lines of each."""
    return [(process.wait(120), process.communicate()[0][-2000:]) for process in processes]


def test_two_processes_train_as_one_does_on_jax(alone, folder, tmp_path):
    """The same global batches, the same curves in each process: also where one was killed, and scores are not equal."""
    (first, said), (second, _) = ends(start_two(folder, tmp_path, KILLED="1"))
    assert (first != 0, second) == (True, -signal.SIGKILL)
    assert "expected all 2 processes to train, one is gone" in said or "unhealthy" in said or "heartbeat" in said
    assert list((tmp_path / "root0/data/states").rglob("*"))
    assert not (tmp_path / "root1").exists()  # where the second process sees no state

    both = results(start_two(folder, tmp_path, PERTURBED="1"), tmp_path)
    for number, result in enumerate(both):
        assert result["devices"] == [number, 2, 2]
        assert_same_curves(result, alone)
    assert both[0]["holdout_gap"] == both[1]["holdout_gap"]
    made = json.loads((tmp_path / "root0/data/train/tiny" / DESCRIPTION).read_text())["made"]
    assert (made["backend"], made["devices"], set(made["versions"])) == ("jax", 2, {"keras", "numpy", "jax", "jaxlib"})
    assert not (tmp_path / "root1").exists()


def test_processes_that_are_not_about_the_same_end_with_a_line(folder, tmp_path):
    for status, said in ends(start_two(folder, tmp_path, OTHER_SEED="1")):
        assert status == 1
        assert "process 1: training.seed: expected 1, as process 0 has, received 8" in said.splitlines()
    assert not (tmp_path / "root0/data").exists()


def test_a_process_that_no_other_joins_ends(folder, tmp_path):
    environment = {ADDRESSES: free_address(), PROCESSES: "2", PROCESS: "0", "JOIN": "3"}
    ((status, said),) = ends([start("netvlad", "jax", folder, tmp_path, **environment)])
    assert status != 0
    assert "expected 2 processes" in said or "DEADLINE_EXCEEDED" in said


def test_two_devices_train_as_one_does_on_jax(alone, folder, tmp_path):
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    (two,) = results([start("netvlad", "jax", folder, tmp_path, **flags)], tmp_path)
    assert two["devices"] == [0, 1, 2]
    assert_same_curves(two, alone)


def test_two_devices_train_as_one_does_on_tensorflow(folder, tmp_path):
    """With label relations, and without sampling or batch norm, whose draws and statistics are each device's own."""
    (one,) = results([start("gru", "tensorflow", folder, tmp_path / "one", RELATED="1")], tmp_path / "one")
    two = start("gru", "tensorflow", folder, tmp_path / "two", RELATED="1", TWO_DEVICES="1")
    (two,) = results([two], tmp_path / "two")
    assert two["devices"] == [0, 1, 2]
    assert_same_curves(two, one)


def test_processes_read_each_row_of_a_batch_once():
    rows = [Devices(Peers(process, 3), 6, nullcontext).rows(12) for process in range(3)]
    assert rows == [slice(0, 4), slice(4, 8), slice(8, 12)]


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(InputError, match=r"batch_size: expected a multiple of the 4 devices .*, received 10"):
        Devices(Peers(), 4, nullcontext).rows(10)


def test_several_processes_need_jax(monkeypatch):
    monkeypatch.setenv(PROCESSES, "2")
    with pytest.raises(InputError, match=f"{PROCESSES}=2: expected train.backend: jax, received tensorflow"):
        prepare()


XLA = """
import sys
from pathlib import Path
from tests.training.made import files, make_training
from yt8m.training import fit, run

folder, out, models = Path(sys.argv[1]), Path(sys.argv[2]), []
run.fit = lambda model, *others: models.append(model) or fit.fit(model, *others)
for number in range(2):
    run.run(make_training(folder, out / str(number), "moe", steps=6, eval_steps=3, xla=True))
    assert models[number].jit_compile is True
assert files(out / "0") == files(out / "1"), "two trainings differ"
"""


def test_xla_compiles_the_training_and_repeats_it(folder, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", XLA, str(folder), str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
