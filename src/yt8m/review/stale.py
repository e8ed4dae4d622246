"""Whether dvc.lock is what a `dvc repro` would leave, also where there are no data, as in a fresh clone."""

import json
from collections.abc import Iterator
from typing import Any

from yt8m.scheduling import dvc

ABSENT = {"deleted", "not in cache"}  # data that are not at hand here, which says nothing of the lock


def stale_stages() -> dict[str, list[str]]:
    """The stages that `dvc repro` would run, and what differs for each; `code` runs first, or it would be all.

    Raises:
        InputError: where DVC refuses.
    """
    dvc.reproduce("--single-item", dvc.CODE)
    status: dict[str, list[Any]] = json.loads(dvc.ask("status", "--json"))
    found = {stage: [name for entry in entries for name in _differing(entry)] for stage, entries in status.items()}
    return {stage: names for stage, names in found.items() if names}


def _differing(entry: Any, name: str = "") -> Iterator[str]:
    """The names in an entry of the status under which something has changed."""
    if isinstance(entry, dict):
        for key, value in entry.items():
            yield from _differing(value, key)
    elif entry not in ABSENT:
        yield name or entry
