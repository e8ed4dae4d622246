"""Write down the ensemble's members, and remove what models or sets that are no longer in params.yaml left behind.

`python -m stages members`. A stage that depends on the folder of all predictions would otherwise still see those of
a model that was removed.
"""

from collections.abc import Collection
from pathlib import Path

from stages._places import BESIDE, DATA, MEMBERS, METRICS, MOES, PLAIN, PREDICTIONS, STATES
from yt8m.core.files import remove, write_json
from yt8m.settings.params import UNTAUGHT, Params


def main(params: Params) -> None:
    members = {
        f"{name}-{set}": model.family for set in params.sets for name, model in params.models.items()
    }  # a set after the other: of each family the first set's model comes first
    related = params.evaluate.related
    for place in (DATA, METRICS, STATES):
        for stage in ("train", "finetune"):
            tidy(place / stage, members)
        tidy(place / "train_on", related)
    for split in ("train", "extra", "holdout", "test"):
        tidy(PREDICTIONS / split, members)
    tidy(BESIDE, [*MOES, PLAIN, UNTAUGHT, *related])
    write_json(MEMBERS, members)
    print(f"{len(members)} members")


def tidy(folder: Path, names: Collection[str]) -> None:
    """Remove what belongs to none of the names."""
    for path in folder.glob("*"):
        if path.stem not in names and not path.name.startswith("."):
            print(f"removing {path}: no such model any more")
            remove(path)
