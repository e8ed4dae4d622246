"""Table 2: which systems it has, and what each of them must beat."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from yt8m.settings import registry
from yt8m.settings.params import STUDENT, UNTAUGHT, Evaluate

# Behind a member's name: as it was trained, and trained on for as many steps as with label relations, without them.
TRAINED, WITHOUT = "-trained", "-without"
# Schemes of ensembling for people; one that is not here is called by its name.
LEARNT = {
    "per_model": "learnt weights, per model",
    "per_class": "learnt weights, per model and class",
    "shrunk_per_class": "the same, drawn to common ones",
    "exact_per_model": "exact weights, per model",
    "exact_per_class": "exact weights, per model and class",
    "selection": "selected with replacement, in bags",
    "gap": "weights chosen for GAP",
}


class System(NamedTuple):
    """A row of Table 2.

    Attributes:
        label: for people.
        system: the name of its results.
        control: the name of what it is measured against; None: nothing.
        paper: the paper's GAP.
    """

    label: str
    system: str
    control: str | None
    paper: str


def sets_of(members: Iterable[str]) -> dict[str, list[str]]:
    """The members of each set, by its name; `members` are `MODEL-SET`."""
    found: dict[str, list[str]] = {}
    for name in members:
        found.setdefault(name.rpartition("-")[2], []).append(name)
    return found


def mean_of(set: str) -> str:
    """The name of a set's mean."""
    return f"mean_of_set_{set}"


def table2(evaluate: Evaluate, members: Collection[str], best: str) -> list[System]:
    """The rows of Table 2, in the paper's order.

    Args:
        members: of the ensemble.
        best: the member that scores best on the holdout, which a student must beat.
    """
    plain, sets, related = f"{evaluate.plain}{TRAINED}", sets_of(members), list[System]()
    for name in evaluate.related:
        before = plain if name == evaluate.plain else None
        related += [
            System(f"{name} trained on, without label relations", f"{name}{WITHOUT}", before, "-"),
            System(f"{name} trained on, with label relations", name, f"{name}{WITHOUT}", "87.88 (val)"),
        ]
    means = [
        System(f"mean of set {set}, {len(names)} models", mean_of(set), plain, "88.27") for set, names in sets.items()
    ]
    others = [scheme for scheme in registry.schemes() if scheme not in LEARNT and scheme != "equal"]
    learnt = [
        System(LEARNT.get(scheme, scheme), scheme, "mean_of_all", "88.73" if scheme == "per_model" else "-")
        for scheme in [*LEARNT, *others]
    ]
    return [
        System(f"one model ({evaluate.plain}, as trained)", plain, None, "85.75 (val)"),
        System("+ MoE on original videos, mean", "plain_and_original", plain, "-"),
        System("+ MoE on augmented videos, mean", "plain_and_augmented", "plain_and_original", "85.98 (val)"),
        *related,
        *means,
        System(f"mean of all {len(members)} models", "mean_of_all", means[-1].system, "88.62"),
        *learnt,
        System("the student's model, on labels alone", UNTAUGHT, best, "-"),
        System("distilled student", STUDENT, UNTAUGHT, "87.32"),
    ]
