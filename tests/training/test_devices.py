"""Devices that divide a batch: rows, refusals, and the same training on several as on one."""

import json
import os
import socket
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest

from tests.pipeline import ROOT
from yt8m.core.errors import InputError
from yt8m.training.devices import PROCESSES, Devices, prepare

TRAIN = """
import json, os, sys
if os.environ["KERAS_BACKEND"] == "tensorflow" and "TWO_DEVICES" in os.environ:
    import tensorflow as tf
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], 2 * [tf.config.LogicalDeviceConfiguration()]
    )
from pathlib import Path
from dvclive import Live
from tests.models import tiny
from tests.training.test_fit import PLAN
from yt8m.records.dataset import Dataset
from yt8m.training.devices import prepare
from yt8m.training.fit import Plan, fit, samples
from yt8m.relations.regularizer import Alternate, RelatedModel
from yt8m.training.state import State

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
devices = prepare()
training, holdout = (Dataset(folder / f"{name}.tsv", folder, tiny.SCHEMA) for name in ("train", "holdout"))
rows = devices.rows(10)
with devices.scope():
    model = plain = tiny.new("FAMILY", l2=0.01)
    callbacks = []
    if "RELATED" in os.environ:
        model = RelatedModel(plain.inputs, plain.outputs, lambda1=0.01, lambda2=0.001, damping=1.0)
        callbacks = [Alternate(4)]
    with Live(str(out / str(devices.process)), dvcyaml=None, save_dvc_exp=False) as live:
        best = []
        fit(model, lambda start: samples(training.shuffled(10, 1, 20, start=start, rows=rows)), holdout,
            Plan(**PLAN), live, State(out / "state", write=devices.process == 0), callbacks=callbacks)
table = (out / str(devices.process) / "plots/metrics/loss.tsv").read_text().splitlines()[1:]
gaps = (out / str(devices.process) / "plots/metrics/holdout_gap.tsv").read_text().splitlines()[1:]
result = {"devices": [devices.process, devices.processes, devices.replicas]}
result["loss"] = [float(line.split("\\t")[-1]) for line in table]
result["gap"] = [float(line.split("\\t")[-1]) for line in gaps]
(out / f"{devices.process}.json").write_text(json.dumps(result))
"""


def start(family, backend, folder, out, **environment):
    """Train in a process of its own."""
    out.mkdir(exist_ok=True, parents=True)
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN.replace("FAMILY", family), str(folder), str(out)],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


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
    np.testing.assert_allclose(result["gap"], alone["gap"], atol=1e-4)


def test_two_processes_train_as_one_does_on_jax(alone, folder, tmp_path):
    """The same global batches: the same curves, in each process."""
    join = {"KERAS_DISTRIBUTION_JOB_ADDRESSES": free_address(), PROCESSES: "2"}
    both = [
        start("netvlad", "jax", folder, tmp_path, **join, KERAS_DISTRIBUTION_PROCESS_ID=str(number))
        for number in range(2)
    ]
    for number, result in enumerate(results(both, tmp_path)):
        assert result["devices"] == [number, 2, 2]
        assert_same_curves(result, alone)


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
    rows = [Devices(process, 3, 6, nullcontext).rows(12) for process in range(3)]
    assert rows == [slice(0, 4), slice(4, 8), slice(8, 12)]


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(InputError, match=r"batch_size: expected a multiple of the 4 devices .*, received 10"):
        Devices(0, 1, 4, nullcontext).rows(10)


def test_several_processes_need_jax(monkeypatch):
    monkeypatch.setenv(PROCESSES, "2")
    with pytest.raises(InputError, match=f"{PROCESSES}=2: expected KERAS_BACKEND=jax, received tensorflow"):
        prepare()


XLA = """
import sys
from pathlib import Path
import numpy as np
from dvclive import Live
from tests.models import tiny
from tests.training.test_fit import PLAN
from yt8m.records.dataset import Dataset
from yt8m.training.devices import prepare
from yt8m.training.fit import Plan, fit, samples
from yt8m.training.state import State

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
prepare(xla=True)
training, holdout = (Dataset(folder / f"{name}.tsv", folder, tiny.SCHEMA) for name in ("train", "holdout"))
weights = []
for number in range(2):
    model = tiny.new("netvlad")
    with Live(str(out / str(number)), dvcyaml=None, save_dvc_exp=False) as live:
        plan = Plan(**PLAN | {"xla": True, "steps": 6, "eval_steps": 3})
        gap = fit(model, lambda start: samples(training.shuffled(10, 1, 20, start=start)), holdout, plan, live,
                  State(out / f"{number}.state"))
    assert model.jit_compile is True
    weights.append(model.get_weights())
assert all((a == b).all() for a, b in zip(*weights, strict=True)), "two trainings differ"
"""


def test_xla_compiles_the_training_and_repeats_it(folder, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", XLA, str(folder), str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
