"""Stages side by side: a Dask task for each, longest remaining path first."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import uuid4

import dask
import psutil
from distributed import Client, Future, LocalCluster, as_completed

from yt8m.core.cluster import QUIETLY
from yt8m.core.errors import InputError
from yt8m.scheduling.dvc import Graph, entry_of
from yt8m.scheduling.history import History, by_urgency
from yt8m.scheduling.progress import Progress
from yt8m.scheduling.runner import TOPIC, End, Outcome, Runner, run

PATIENCE = 30  # seconds until a scheduler has to answer


@contextmanager
def local(jobs: int, gpus: Sequence[str]) -> Iterator[Client]:
    """A cluster in this process, of one worker that runs so many stages side by side; it ends with the context."""
    resources = {"GPU": len(gpus), "memory": psutil.virtual_memory().total}
    with (
        dask.config.set({"distributed.worker.profile.enabled": False}),  # it looks at threads that only wait
        LocalCluster(n_workers=1, threads_per_worker=jobs, processes=False, resources=resources, **QUIETLY) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def remote(address: str) -> Iterator[Client]:
    """The cluster of a scheduler, whose workers run in the project's folder, shared by their machines.

    Raises:
        InputError: where no scheduler answers, or it has no workers.
    """
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(f"{address}: expected the address of a Dask scheduler: {error}") from None
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise InputError(f"{address}: expected a Dask scheduler with workers, found none")
        yield client


def run_stages(
    client: Client, graph: Graph, needs: Mapping[str, Mapping[str, float]], runner: Runner, history: History
) -> list[Outcome]:
    """Run stages, each behind all that it depends on, and return what came of them.

    A stage that fails holds back what depends on it and nothing else. What a stage needs is asked of a worker where
    some worker says that it has any of it.

    Args:
        graph: of the stages.
        needs: of stages, by entry of dvc.yaml, `GPU` among them.
        runner: what runs a stage on a worker.
        history: what stages took before; gets what they take now.
    """
    client.register_plugin(runner)
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    most = {name: max(worker["resources"].get(name, 0) for worker in workers) for name in ("GPU", "memory")}
    futures, unique = dict[str, Future](), uuid4().hex
    # In order of their priority here too, since what comes first may start before the rest is there.
    for place, stage in enumerate(by_urgency(graph, history.seconds(graph))):
        wanted = {**needs.get(entry_of(stage), {}), "memory": history.bytes(stage)}
        resources = {name: min(amount, most[name]) for name, amount in wanted.items() if amount and most.get(name)}
        upstream = [futures[name] for name in graph[stage] if name in futures]
        futures[stage] = client.submit(
            run,
            stage,
            int(resources.get("GPU", 0)),
            *upstream,
            key=f"{stage}-{unique}",
            resources=resources or None,
            priority=-place,
        )
    outcomes, stages = [], {future.key: stage for stage, future in futures.items()}
    with Progress(graph, history, sum(worker["nthreads"] for worker in workers)) as progress:
        client.subscribe_topic(TOPIC, lambda event: progress.start(event[1]))
        for future in as_completed(futures.values()):
            outcome = _outcome(stages[future.key], future)
            outcomes.append(outcome)
            if outcome.end is End.RAN:
                history.add(outcome)
            progress.end(outcome)
    return outcomes


def _outcome(stage: str, future: Future) -> Outcome:
    """What came of a stage, also where Dask has given it up: it has cost several workers their lives."""
    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    return Outcome(stage, End.FAILED, words=f"Dask gave the stage up: {future.exception()!r}")
