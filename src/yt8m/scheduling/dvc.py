"""What is asked of DVC, by its commands alone: which stages there are, which have changed, and to reproduce one."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

from ruamel.yaml import YAML

from yt8m.core.errors import InputError
from yt8m.core.files import write_text

Graph = dict[str, frozenset[str]]  # what each stage depends on directly

PIPELINE, LOCK = Path("dvc.yaml"), Path("dvc.lock")
CODE = "code"  # the stage that says what the others' code is, so that only behind it is it known what has changed
# Other calls may hold DVC's lock; what a stage has made must not be lost for want of it.
DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")


def command(*words: str) -> list[str]:
    """A command of DVC."""
    return [*DVC, *words]


def reproduce(*words: str) -> list[str]:
    """Run `dvc repro`, here, and return the stages in the order in which it came by them.

    Raises:
        InputError: with what it printed last, where it fails.
    """
    lines = ask("repro", *words).splitlines()
    return [match[1] for line in lines if (match := re.match(r"(?:Running stage|Stage) '([^']+)'", line))]


def stage_graph(targets: Iterable[str] = ()) -> Graph:
    """All stages, or the targets and what they depend on.

    Raises:
        InputError: with DVC's words, where it knows no such stage or the pipeline is wrong.
    """
    found: dict[str, set[str]] = {}
    asked = [ask("dag", "--dot", target) for target in targets] or [ask("dag", "--dot")]  # it takes one at a time
    for line in "\n".join(asked).splitlines():
        names = re.findall(r'"([^"]+)"', line)
        for name in names:
            found.setdefault(name, set())
        if len(names) == 2:
            found[names[1]].add(names[0])
    return {name: frozenset(upstream) for name, upstream in found.items()}


def changed_stages(stages: Iterable[str]) -> set[str]:
    """Those of the stages whose dependencies, parameters or outputs are not as dvc.lock has them."""
    return set(json.loads(ask("status", "--json"))) & set(stages)


def needs() -> dict[str, Mapping[str, float]]:
    """What each entry of dvc.yaml says in `meta` that its stages need of a machine: `GPU: 1`."""
    stages = YAML(typ="safe", pure=True).load(PIPELINE.read_text(encoding="utf-8"))["stages"]
    return {name: entry.get("do", entry).get("meta", {}) for name, entry in stages.items()}


def entry_of(stage: str) -> str:
    """The entry of dvc.yaml that makes a stage: `train` of `train@netvlad-a`."""
    return stage.split("@")[0]


def order_lock(stages: Iterable[str]) -> None:
    """Put the entries of dvc.lock in the order of the stages, in place of the one in which they happened to end.

    Only whole entries are moved; those of other stages stay behind.
    """
    head, *entries = re.split(r"(?m)^(?=  \S)", LOCK.read_text(encoding="utf-8"))
    place = {stage: index for index, stage in enumerate(stages)}
    ordered = sorted(entries, key=lambda entry: place.get(entry.split(":\n")[0].strip(" '\""), len(place)))
    if ordered != entries:
        write_text(LOCK, "".join([head, *ordered]))


def in_order(graph: Graph) -> list[str]:
    """The stages, each behind those that it depends on."""
    return [stage for stage in TopologicalSorter(graph).static_order() if stage in graph]


def ask(*words: str) -> str:
    """What a command of DVC prints.

    Raises:
        InputError: with what it printed last, where it fails.
    """
    done = subprocess.run(command(*words), capture_output=True, text=True)
    if done.returncode or "DVC failed to load" in done.stderr:  # after which it calls nothing a difference
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise InputError(f"dvc {' '.join(words)}:\n{said}")
    return done.stdout
