"""Write down the ensemble's members, and remove what models or sets that are no longer in params.yaml left behind.

`python -m stages members`. A stage that depends on the folder of all predictions would otherwise still see those of
a model that was removed.
"""

from stages._places import DATA, MEMBERS, METRICS, PREDICTIONS, STATES
from yt8m.core.files import remove, write_json
from yt8m.settings.params import Params

FOLDERS = [
    *(place / stage for place in (DATA, METRICS, STATES) for stage in ("train", "finetune")),
    *(PREDICTIONS / split for split in ("train", "holdout", "test")),
]


def main(params: Params) -> None:
    members = {
        f"{name}-{set}": model.family for set in params.sets for name, model in params.models.items()
    }  # a set after the other: of each family the first set's model comes first
    for folder in FOLDERS:
        for path in folder.glob("*"):
            if path.stem not in members and not path.name.startswith("."):
                print(f"removing {path}: no such model any more")
                remove(path)
    write_json(MEMBERS, members)
    print(f"{len(members)} members")
