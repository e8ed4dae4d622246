"""What stages took when they last ran. It decides the order in which stages start, and no byte of what they make."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from yt8m.core.files import read_json, write_json
from yt8m.scheduling.dvc import Graph, entry_of, in_order
from yt8m.scheduling.runner import Outcome

HISTORY = Path("data/runs/history.json")


class History:
    """Seconds and bytes of stages.

    Args:
        path: of the file that keeps them from run to run, and is no stage's output.
    """

    def __init__(self, path: Path = HISTORY):
        self.path = path
        self._taken: dict[str, dict[str, float]] = read_json(path) if path.is_file() else {}

    def add(self, outcome: Outcome) -> None:
        """Take in a stage that ran."""
        self._taken[outcome.stage] = {"seconds": round(outcome.seconds, 1), "bytes": outcome.bytes}
        write_json(self.path, dict(sorted(self._taken.items())))

    def bytes(self, stage: str) -> float:
        """The most memory that a process of the stage held; 0 where it is not known."""
        return self._taken.get(stage, {}).get("bytes", 0)

    def knows(self, stages: Iterable[str]) -> bool:
        """Whether each of the stages, or another of its entry, has run before."""
        return {entry_of(stage) for stage in stages} <= {entry_of(stage) for stage in self._taken}

    def seconds(self, stages: Iterable[str]) -> dict[str, float]:
        """What each of the stages takes: what it took, or the mean of its entry's, or of all; 1 where none has run."""
        by_entry: dict[str, list[float]] = {}
        for stage, taken in self._taken.items():
            by_entry.setdefault(entry_of(stage), []).append(taken["seconds"])
        means = {entry: sum(seconds) / len(seconds) for entry, seconds in by_entry.items()}
        other = sum(means.values()) / len(means) if means else 1.0
        return {stage: self._taken.get(stage, {}).get("seconds", means.get(entry_of(stage), other)) for stage in stages}


def by_urgency(graph: Graph, seconds: Mapping[str, float]) -> list[str]:
    """The stages, the longest remaining path first; of paths alike, as before a first run, what stands furthest behind.

    What a stage depends on comes before it.
    """
    paths, depth = remaining_paths(graph, {stage: max(0.1, seconds[stage]) for stage in graph}), dict[str, int]()
    for stage in in_order(graph):
        depth[stage] = 1 + max((depth[name] for name in graph[stage] & graph.keys()), default=0)
    return sorted(depth, key=lambda stage: (paths[stage], depth[stage]), reverse=True)


def remaining_paths(graph: Graph, seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds from each stage's start to the end of the longest path from it."""
    after: dict[str, set[str]] = {stage: set() for stage in graph}
    for stage, upstream in graph.items():
        for name in upstream & graph.keys():
            after[name].add(stage)
    found: dict[str, float] = {}

    def path(stage: str) -> float:
        if stage not in found:
            found[stage] = seconds[stage] + max(map(path, after[stage]), default=0.0)
        return found[stage]

    return {stage: path(stage) for stage in graph}
