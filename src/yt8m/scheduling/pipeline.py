"""The pipeline from what has changed to the proof that nothing is left."""

import time
from collections import Counter
from collections.abc import Sequence

from distributed import Client

from yt8m.scheduling import dvc
from yt8m.scheduling.history import History
from yt8m.scheduling.progress import duration
from yt8m.scheduling.run import run_stages
from yt8m.scheduling.runner import LOGS, End, Outcome, Runner


def reproduce(client: Client, targets: Sequence[str], gpus: Sequence[str]) -> int:
    """Run what has changed, of the targets and what they depend on or of all; return 1 where a stage failed.

    Raises:
        InputError: where DVC refuses, or the first stage fails.
    """
    begun = time.monotonic()
    graph = dvc.stage_graph(targets)
    if dvc.CODE in graph:
        dvc.reproduce("--single-item", dvc.CODE)
    todo = with_descendants(graph, dvc.changed_stages(graph))
    runner = Runner(dvc.command("repro", "--single-item"), gpus or None)
    outcomes = run_stages(client, todo, dvc.needs(), runner, History()) if todo else []
    failed = [outcome for outcome in outcomes if outcome.end is End.FAILED]
    if not failed:
        order = dvc.reproduce(*targets)  # the proof that nothing is left, or what is left
        dvc.order_lock(order)
    tell(outcomes, time.monotonic() - begun)
    return 1 if failed else 0


def with_descendants(graph: dvc.Graph, changed: set[str]) -> dvc.Graph:
    """The part of the graph that holds the changed stages and all that depends on them."""
    part: dict[str, frozenset[str]] = {}
    for stage in dvc.in_order(graph):
        if stage in changed or graph[stage] & part.keys():
            part[stage] = graph[stage]
    return part


def tell(outcomes: Sequence[Outcome], seconds: float) -> None:
    """Say how it ended; of each stage that failed its last words, and where to read the others."""
    counts = Counter(outcome.end for outcome in outcomes)
    print(", ".join(f"{counts[end]} {end}" for end in End if counts[end]) or "nothing to do", f"in {duration(seconds)}")
    for outcome in outcomes:
        if outcome.end is End.FAILED:
            print(f"\n{outcome.stage} failed; {LOGS / outcome.stage}.log ends with:\n{outcome.words}")
