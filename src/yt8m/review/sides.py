"""The two sides of a review: a commit, and the working tree."""

import csv
import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from yt8m.core.errors import InputError
from yt8m.scheduling.dvc import LOCK, entry_of
from yt8m.settings.params import STUDENT

MEAN = "mean_of_all"
PARAMS, METRICS, FIGURES = Path("params.yaml"), Path("metrics"), "metrics.json"
MODELS, TEACHER = Path("metrics/evaluate/models.csv"), Path("metrics/fit_ensemble/metrics.json")
COMPACT, RESULTS = Path("metrics/evaluate/metrics.json"), Path("metrics/evaluate/results.csv")
# These stand in every pipeline, and among them they read all the videos that models are trained, chosen and tested on.
READERS = ("distill", "infer_student", "evaluate")


@dataclass(frozen=True)
class Side:
    """A state of the project.

    Attributes:
        name: for people: `the working tree`, or the commit in full.
        read: gives the bytes of a file; None where there is none.
    """

    name: str
    read: Callable[[Path], bytes | None]

    def need(self, path: Path) -> bytes:
        """The bytes of a file.

        Raises:
            InputError: where there is none.
        """
        if (found := self.read(path)) is None:
            raise InputError(f"{self.name}: expected {path}, found none: the pipeline has not run there")
        return found

    @cached_property
    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        """The entries of dvc.lock, without those that removed models have left there.

        Raises:
            InputError: where there is none, or it has no entry of what is compared.
        """
        params, entries = self.params, _yaml(self.need(LOCK))["stages"]
        members = {f"{model}-{set}" for model in params["models"] for set in params["sets"]}
        related = set(params["evaluate"]["related"])
        items = {"simulate": set(params["simulate"]), "train_on": related, "infer_on": related}
        items |= {"train": members, "finetune": members, "infer": members}
        found = {
            stage: entry
            for stage, entry in entries.items()
            if (item := stage.partition("@")[2]) in items.get(entry_of(stage), {item})
        }
        if missing := [stage for stage in READERS if stage not in found]:
            raise InputError(f"{self.name}: expected {LOCK} of a whole run, it has no {', '.join(missing)}")
        return found

    @cached_property
    def params(self) -> Mapping[str, Any]:
        """What params.yaml holds."""
        return _yaml(self.need(PARAMS))

    @cached_property
    def results(self) -> dict[str, dict[str, float]]:
        """The figures of every system on test, by its name."""
        rows = _csv(self.need(RESULTS))
        return {row.pop("model"): {key: float(value) for key, value in row.items()} for row in rows}

    @cached_property
    def gaps(self) -> dict[str, float]:
        """The test GAPs of every model, the student, the ensemble that teaches, and the mean of all members."""
        compact: dict[str, float] = json.loads(self.need(COMPACT))["test_gap"]
        return compact | {MEAN: self.results[MEAN]["test_gap"]}

    @cached_property
    def choices(self) -> dict[str, str]:
        """What the pipeline has chosen by the holdout, of what this side has recorded: by its name for people."""
        found = {}
        if models := self.read(MODELS):
            (student,) = (row for row in _csv(models) if row["model"] == STUDENT)
            found["the student's family"] = student["family"]
        if ensemble := self.read(TEACHER):
            found["the best ensemble's weights"] = json.loads(ensemble)["teacher"]
        return found

    def stale(self) -> list[str]:
        """The parameters and figures of which dvc.lock has recorded others; code and data are not looked at."""
        other = {
            name: None
            for entry in self.stages.values()
            for name, value in recorded(entry).items()
            if not _is(self.params, name, value)
        }
        sums = {str(path): hashlib.md5(self.need(path)).hexdigest() for path in (COMPACT, RESULTS)}
        outs = self.stages["evaluate"]["outs"]
        return [*other, *(out["path"] for out in outs if sums.get(out["path"], out["md5"]) != out["md5"])]


def working_tree() -> Side:
    """The project as it lies here."""
    return Side("the working tree", lambda path: path.read_bytes() if path.is_file() else None)


def where_left(base: str) -> Side:
    """The commit at which the present branch has left another, so that what came into that one later is not compared.

    Args:
        base: a branch, a tag, a commit.

    Raises:
        InputError: where there is no such commit, or nothing in common with it.
    """
    done = _git("merge-base", base, "HEAD")
    if done.returncode:
        said = done.stderr.decode().strip().splitlines() or ["no commit in common with this branch"]
        raise InputError(f"expected a commit to compare with, received {base!r}: {said[-1].removeprefix('fatal: ')}")
    commit = done.stdout.decode().strip()

    def read(path: Path) -> bytes | None:
        found = _git("show", f"{commit}:./{path}")
        return None if found.returncode else found.stdout

    return Side(commit, read)


def measured(commit: str) -> list[str]:
    """The files of figures that there are at a commit and here: DVC's own list of metrics has the few that matter."""
    then = _git("ls-tree", "-r", "--name-only", commit, f"./{METRICS}").stdout.decode().splitlines()
    return sorted(path for path in then if Path(path).name == FIGURES and Path(path).is_file())


def recorded(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that an entry of dvc.lock has recorded, by their dotted names."""
    return dict(_flat(entry.get("params", {}).get(str(PARAMS), {})))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _is(params: Mapping[str, Any], name: str, value: Any) -> bool:
    """Whether a parameter has a value."""
    found: Any = params
    for key in name.split("."):
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return bool(found == value)


def _git(*words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", *words], capture_output=True)


def _csv(text: bytes) -> "csv.DictReader[str]":
    return csv.DictReader(text.decode().splitlines())


def _yaml(text: bytes) -> Any:
    return YAML(typ="safe").load(text)
