"""Which stages ran again between two sides, and why, as their locks have it; and whether the sides can be compared."""

from collections.abc import Iterator, Mapping
from typing import Any

from yt8m.review.sides import READERS, Side, recorded
from yt8m.scheduling.dvc import CODE

TAUGHT = "data/split/frames/taught.tsv"  # what a student is taught is a matter of the student
Entry = Mapping[str, Any]


def changed(old: Side, new: Side) -> list[str]:
    """The stages whose entries differ, or are new."""
    return [stage for stage, entry in new.stages.items() if entry != old.stages.get(stage)]


def reasons(old: Side, new: Side) -> dict[str, tuple[str, ...]]:
    """Why each of them ran: parameters, code and files from outside. Where it only follows others, nothing."""
    stages = changed(old, new)
    made = [out["path"] for stage in stages if stage != CODE for out in new.stages[stage].get("outs", ())]
    return {stage: tuple(_reasons(old.stages.get(stage), new.stages[stage], made)) for stage in stages}


def _reasons(old: Entry | None, new: Entry, made: list[str]) -> Iterator[str]:
    if old is None:
        yield "new"
        return
    before, after = recorded(old), recorded(new)
    yield from (name for name in {**before, **after} if before.get(name) != after.get(name))
    before, after = _sums(old, "deps"), _sums(new, "deps")
    differ = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    yield from (path for path in differ if not any(_within(path, out) or _within(out, path) for out in made))
    if old["cmd"] != new["cmd"]:
        yield "its command"


def obstacles(old: Side, new: Side) -> list[str]:
    """Why figures of both sides cannot be compared; nothing where they can."""
    found = []
    before, after = (
        {path: sum for stage in READERS for path, sum in _sums(side.stages[stage], "deps").items()}
        for side in (old, new)
    )
    manifests = [path for path in after if _within(path, "data/split") and path != TAUGHT]
    if differ := [path for path in manifests if before.get(path) != after[path]]:
        why = dict.fromkeys(
            name
            for stage, names in reasons(old, new).items()
            if stage.startswith(("simulate", "split"))
            for name in names
        )
        found.append(f"other videos, or another split of them: {', '.join(differ)} (by {', '.join(why) or 'its code'})")
    before, after = (recorded(side.stages["infer_student"]) for side in (old, new))
    if before["infer.top_k"] != after["infer.top_k"]:
        found.append(f"another infer.top_k: {before['infer.top_k']}, then {after['infer.top_k']}")
    return found


def _sums(entry: Entry, kind: str) -> dict[str, str]:
    return {each["path"]: each.get("md5", "") for each in entry.get(kind, ())}


def _within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")
