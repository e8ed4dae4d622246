"""Stages side by side: each behind what it depends on, on a GPU of its own, as fast as it goes. They sleep here."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from distributed import Client, LocalCluster

from yt8m.core.errors import InputError
from yt8m.scheduling import run as run_module
from yt8m.scheduling.dvc import Graph
from yt8m.scheduling.history import History, remaining_paths
from yt8m.scheduling.run import local, remote, run_stages
from yt8m.scheduling.runner import LOGS, End, Outcome, Runner

HOURS = {"netvlad": 10, "netfv": 10, "gated_dbow": 4, "dbow": 4, "netrvlad": 9, "gru": 14, "lstm": 20}  # to train
MODELS = [f"{model}-{set}" for model in HOURS for set in "ab"]
NEEDS = {entry: {"GPU": 1} for entry in ("train", "finetune", "infer", "distill", "infer_student", "train_moe")}
# Runs a stage: sleeps as its name says in the file `seconds`, and writes when and on which GPU it did.
SLEEP = """
begun=$(date +%s.%N)
sleep $(grep "^$1 " seconds | cut -d' ' -f2)
echo "$1 $CUDA_VISIBLE_DEVICES $begun $(date +%s.%N)" >> ran
echo "Running stage '$1':"
! grep -q "^$1 .* fails" seconds
"""


def paper(scale: float) -> tuple[Graph, dict[str, float]]:
    """The pipeline's stages and what they may take at the paper's size."""
    graph: dict[str, set[str]] = {"split": set(), "train_moe": {"split"}}
    hours = {"split": 1.0, "train_moe": 4.0}
    for model in MODELS:
        graph |= {f"train@{model}": {"split"}, f"finetune@{model}": {f"train@{model}"}}
        graph[f"infer@{model}"] = {f"finetune@{model}"}
        finetuned = model.endswith("b")
        hours |= {
            f"train@{model}": HOURS[model[:-2]],
            f"finetune@{model}": 4 if finetuned else 0.1,
            f"infer@{model}": 2,
        }
    graph |= {"fit_ensemble": {f"infer@{model}" for model in MODELS}, "distill": {"fit_ensemble"}}
    graph |= {"infer_student": {"distill"}, "evaluate": {"infer_student", "train_moe"}}
    hours |= {"fit_ensemble": 0.5, "distill": 10, "infer_student": 1, "evaluate": 0.5}
    return (
        {name: frozenset(upstream) for name, upstream in graph.items()},
        {name: scale * value for name, value in hours.items()},
    )


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder in which stages sleep."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "sleep.sh").write_text(SLEEP)
    return tmp_path


RUN = ["sh", "sleep.sh"]


def sleep(seconds: dict[str, float], failing: str = "") -> History:
    """Say what the stages take, also in their history."""
    lines = (f"{stage} {taken:.3f}{' fails' if stage == failing else ''}\n" for stage, taken in seconds.items())
    Path("seconds").write_text("".join(lines))
    history = History()
    for stage, taken in seconds.items():
        history.add(Outcome(stage, End.RAN, taken))
    return history


def ran() -> dict[str, tuple[str, float, float]]:
    """GPU, begin and end of each stage."""
    rows = [line.split(" ") for line in Path("ran").read_text().splitlines()]
    assert len({row[0] for row in rows}) == len(rows)
    return {stage: (gpu, float(begun), float(ended)) for stage, gpu, begun, ended in rows}


def assert_in_order(graph: Graph) -> None:
    """Each behind all that it depends on, and no GPU with two stages at a time."""
    found = ran()
    assert found.keys() == graph.keys()
    by_gpu = defaultdict(list)
    for stage, (gpu, begun, ended) in found.items():
        assert all(found[name][2] <= begun for name in graph[stage])
        assert bool(gpu) is (stage.split("@")[0] in NEEDS)
        if gpu:
            by_gpu[gpu].append((begun, ended))
    for times in by_gpu.values():
        times.sort()
        assert all(one[1] <= other[0] for one, other in pairwise(times))


def test_eight_gpus_are_as_busy_as_they_can_be(here):
    graph, seconds = paper(0.25)
    history = sleep(seconds)
    with local(9, [str(number) for number in range(8)]) as client:
        outcomes = run_stages(client, graph, NEEDS, Runner(RUN, [str(number) for number in range(8)]), history)
    assert {outcome.end for outcome in outcomes} == {End.RAN}
    assert_in_order(graph)
    found = ran().values()
    assert {gpu for gpu, _, _ in found if gpu} == set("01234567")
    makespan = max(ended for *_, ended in found) - min(begun for _, begun, _ in found)
    least = max(*remaining_paths(graph, seconds).values(), sum(seconds.values()) / 8)
    assert makespan <= 1.1 * least


def test_so_are_eight_workers_of_a_gpu_each(here, monkeypatch):
    """As those of dask-cuda, each of which sees all GPUs, its own first."""
    graph, seconds = paper(0.1)
    history = sleep(seconds)
    with LocalCluster(
        n_workers=8, threads_per_worker=2, processes=False, resources={"GPU": 1}, dashboard_address=None
    ) as cluster:
        for number, worker in cluster.workers.items():
            monkeypatch.setitem(SEEN, worker.address, f"{number},{(number + 1) % 8}")
        with remote(cluster.scheduler_address) as client:
            run_stages(client, graph, NEEDS, SeesAll(RUN), history)
    assert_in_order(graph)
    assert {gpu for gpu, _, _ in ran().values() if gpu} == set("01234567")


SEEN: dict[str, str] = {}


class SeesAll(Runner):
    """Workers of one process, whose environments would be of one process each."""

    def setup(self, worker):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CUDA_VISIBLE_DEVICES", SEEN[worker.address])
            super().setup(worker)


def test_what_fails_holds_back_what_depends_on_it_and_nothing_else(here):
    graph, seconds = paper(0.001)
    history = sleep(seconds, failing="finetune@dbow-a")
    with local(4, []) as client:
        outcomes = {outcome.stage: outcome for outcome in run_stages(client, graph, {}, Runner(RUN), history)}
    held = {"infer@dbow-a", "fit_ensemble", "distill", "infer_student", "evaluate"}
    assert {stage for stage, outcome in outcomes.items() if outcome.end is End.HELD_BACK} == held
    assert {stage for stage, outcome in outcomes.items() if outcome.end is End.FAILED} == {"finetune@dbow-a"}
    assert {stage for stage, outcome in outcomes.items() if outcome.end is End.RAN} == graph.keys() - held - {
        "finetune@dbow-a"
    }
    assert "Running stage 'finetune@dbow-a'" in outcomes["finetune@dbow-a"].words
    assert "Running stage 'split'" in (LOGS / "split.log").read_text()


def test_a_worker_outside_of_the_project_says_so(here):
    (here / "dvc.yaml").unlink()
    with local(1, []) as client:
        (outcome,) = run_stages(client, {"split": frozenset()}, {}, Runner(RUN), History())
    assert outcome.end is End.FAILED
    assert f"expected to run in the project, not {here}" in outcome.words


def test_memory_that_is_known_is_not_given_twice(here, monkeypatch):
    graph: Graph = {f"train@{name}": frozenset() for name in "abcd"}
    history = sleep(dict.fromkeys(graph, 0.3))
    for stage in graph:
        history.add(Outcome(stage, End.RAN, 0.3, bytes=60))
    monkeypatch.setattr(run_module.psutil, "virtual_memory", lambda: type("Memory", (), {"total": 100}))
    with local(4, []) as client:
        run_stages(client, graph, {}, Runner(RUN), history)
    times = sorted((begun, ended) for _, begun, ended in ran().values())
    assert all(one[1] <= other[0] for one, other in pairwise(times))


def test_a_scheduler_that_does_not_answer_or_has_no_workers_is_named(monkeypatch):
    monkeypatch.setattr(run_module, "PATIENCE", 0.5)
    with pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:9: expected the address"), remote("tcp://127.0.0.1:9"):
        pass
    with (
        LocalCluster(n_workers=0, dashboard_address=None) as cluster,
        pytest.raises(InputError, match="expected a Dask scheduler with workers"),
        remote(cluster.scheduler_address),
    ):
        pass


def test_two_projects_at_once_warn_of_nothing(recwarn):
    with local(1, []), local(1, []):
        assert [str(each.message) for each in recwarn if "Port" in str(each.message)] == []


def test_a_client_that_goes_leaves_no_stage_behind(here):
    """On workers of a cluster that goes on."""
    sleep({"long": 60})
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        others = set(psutil.Process().children(recursive=True))
        client = Client(cluster)
        client.register_plugin(Runner(RUN))
        future = client.submit(run_module.run, "long", 0)
        children = wait_for(lambda: set(psutil.Process().children(recursive=True)) - others)
        future.release()
        client.close()
        _, alive = psutil.wait_procs(children, 10)
        assert not alive


KILLED = """
from yt8m.scheduling.history import History
from yt8m.scheduling.run import local, run_stages
from yt8m.scheduling.runner import Runner
command = ["{python}", "-c", "from yt8m.core.lifeline import follow_owner; follow_owner(); import time; time.sleep(60)"]
with local(2, []) as client:
    run_stages(client, {{"a": frozenset(), "b": frozenset()}}, {{}}, Runner(command), History())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stages_end_with_the_command(here, number):
    script = KILLED.format(python=sys.executable)
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as process:
        children = wait_for(lambda: [one for one in psutil.Process(process.pid).children() if one.pid], 2)
        time.sleep(0.5)  # until each follows
        os.kill(process.pid, number)
    _, alive = psutil.wait_procs(children, 10)
    assert not alive


def wait_for(look, count: int = 1):
    """What is there as soon as there is enough of it."""
    deadline = time.monotonic() + 20
    while len(found := look()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found
