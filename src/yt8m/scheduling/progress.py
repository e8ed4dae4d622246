"""How far a run of stages is: lines as stages begin and end, and on a terminal what runs now."""

import time
from typing import Self

from tqdm import tqdm

from yt8m.scheduling.dvc import Graph
from yt8m.scheduling.history import History, remaining_paths
from yt8m.scheduling.runner import End, Outcome


class Progress:
    """Tells of stages. The bar is shown on a terminal alone; a log gets a line for each stage that ran.

    Args:
        graph: of the stages that may run.
        history: what stages take; others may add to it meanwhile.
        jobs: how many run side by side.
    """

    def __init__(self, graph: Graph, history: History, jobs: int):
        self.graph, self.history, self.jobs = graph, history, jobs
        self.begun: dict[str, float] = {}
        self.waiting = set(graph)
        self.bar = tqdm(total=len(graph), desc="stages", unit="stage", disable=None, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def start(self, stage: str) -> None:
        """A stage has begun."""
        self.begun[stage] = time.monotonic()
        self._show()

    def end(self, outcome: Outcome) -> None:
        """A stage has ended, or will not run."""
        self.begun.pop(outcome.stage, None)
        self.waiting.discard(outcome.stage)
        self.bar.update()
        done, total = len(self.graph) - len(self.waiting), len(self.graph)
        if outcome.end in (End.RAN, End.FAILED):
            left = f", about {duration(self.left())} left" if self.waiting and self.history.knows(self.waiting) else ""
            tqdm.write(f"{done}/{total} {outcome.stage}: {outcome.end} ({duration(outcome.seconds)}){left}")
        self._show()

    def left(self) -> float:
        """Seconds until all stages have ended: that of the longest path or of all work, whichever is more."""
        now = time.monotonic()
        seconds = {
            stage: max(0.0, whole - (now - self.begun.get(stage, now)))
            for stage, whole in self.history.seconds(self.waiting).items()
        }
        path = max(remaining_paths({stage: self.graph[stage] for stage in self.waiting}, seconds).values(), default=0.0)
        return max(path, sum(seconds.values()) / self.jobs)

    def _show(self) -> None:
        self.bar.set_postfix_str(", ".join(sorted(self.begun)))


def duration(seconds: float) -> str:
    """Seconds in words: `42 s`, `3 min 5 s`, `2 h 10 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
