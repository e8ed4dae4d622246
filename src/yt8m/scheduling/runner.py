"""Stages on a Dask worker: each in a process group of its own, on the GPUs that it was given, with a log of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from yt8m.core.backend import VISIBLE, gpus
from yt8m.core.lifeline import OWNER
from yt8m.scheduling.dvc import PIPELINE

PLUGIN = "stages"
TOPIC = "yt8m-stages"  # of the events that say which stage has begun
LOGS = Path("data/runs/logs")
TAIL = 12  # lines of a log that are shown


class End(StrEnum):
    """How a stage ended."""

    RAN = "ran"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    HELD_BACK = "held back"  # what it depends on has failed


@dataclass(frozen=True)
class Outcome:
    """What came of a stage.

    Attributes:
        seconds: that it took, DVC's own included.
        bytes: the most memory that one of its processes held.
        words: the last lines of its log, where it failed.
    """

    stage: str
    end: End
    seconds: float = 0.0
    bytes: int = 0
    words: str = ""


class Runner(WorkerPlugin):
    """Runs stages on a worker, in the folder in which the worker runs: the project's.

    A stage ends with its worker, with the command that asked for it, and with whatever is left of its processes.

    Args:
        command: what reproduces a stage, whose name follows.
        gpus: numbers of the GPUs that the worker's stages share out; None: as many of those that it sees as it has
            declared (dask-cuda lets each worker see all, its own first).
    """

    name = PLUGIN

    def __init__(self, command: Sequence[str], gpus: Sequence[str] | None = None):
        self.command, self.gpus = list(command), gpus

    def setup(self, worker: Worker) -> None:
        """Count the worker's GPUs."""
        declared = int(worker.state.total_resources.get("GPU", 0))
        self.free: SimpleQueue[str] = SimpleQueue()
        for gpu in (self.gpus or gpus() or [str(number) for number in range(declared)])[:declared]:
            self.free.put(gpu)
        self.running: dict[Any, subprocess.Popen] = {}
        self.closed = False

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """End a stage that nobody waits for any more."""
        if finish in ("cancelled", "released", "forgotten") and key in self.running:
            end_group(self.running[key])

    def teardown(self, worker: Worker) -> None:
        """End all stages."""
        self.closed = True
        for process in list(self.running.values()):
            end_group(process)

    def run(self, stage: str, gpus: int) -> Outcome:
        """Run a stage to its end."""
        taken = [self.free.get() for _ in range(gpus)]
        try:
            return self._run(stage, os.environ | ({VISIBLE: ",".join(taken)} if gpus else {}))
        finally:
            for gpu in taken:
                self.free.put(gpu)

    def _run(self, stage: str, environment: dict[str, str]) -> Outcome:
        worker, path = get_worker(), LOGS / f"{stage}.log"
        if not PIPELINE.is_file():
            return Outcome(
                stage, End.FAILED, words=f"{worker.address}: expected to run in the project, not {Path.cwd()}"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        worker.log_event(TOPIC, stage)
        begun = time.monotonic()
        with path.open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [*self.command, stage],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment | {OWNER: str(os.getpid())},
                start_new_session=True,
            )
            key = worker.get_current_task()
            self.running[key] = process
            try:
                if self.closed:
                    end_group(process)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            finally:
                del self.running[key]
                end_group(process)  # what it may have left
        text = path.read_text(encoding="utf-8", errors="replace")
        unit = 1 if sys.platform == "darwin" else 1024
        if process.returncode:
            words = "\n".join(text.rstrip().splitlines()[-TAIL:])
            return Outcome(stage, End.FAILED, time.monotonic() - begun, usage.ru_maxrss * unit, words)
        end = End.RAN if f"Running stage '{stage}'" in text else End.UNCHANGED
        return Outcome(stage, end, time.monotonic() - begun, usage.ru_maxrss * unit)


def end_group(process: subprocess.Popen) -> None:
    """Kill a process and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run(stage: str, gpus: int, *upstream: Outcome) -> Outcome:
    """Run a stage on the worker that this is called on, unless one that it depends on has failed."""
    if any(outcome.end in (End.FAILED, End.HELD_BACK) for outcome in upstream):
        return Outcome(stage, End.HELD_BACK)
    runner: Runner = get_worker().plugins[PLUGIN]
    return runner.run(stage, gpus)
