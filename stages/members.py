"""Write down the ensemble's members, and remove what models that are no longer in params.yaml left behind.

`python -m stages.members`. A stage that depends on the folder of all predictions would otherwise still see those of
a model that was removed.
"""

from pathlib import Path

from dvc.utils.serialize import modify_yaml

from stages._common import DATA, METRICS, PREDICTIONS, STATES, Params, run
from yt8m.files import remove, write_json

STAGES = ("train", "finetune", "infer")
FOLDERS = [
    *(DATA / stage for stage in STAGES),
    *(METRICS / stage for stage in STAGES),
    *(STATES / stage for stage in STAGES),
    *(PREDICTIONS / split for split in ("train", "holdout", "test")),
]


def main(params: Params) -> None:
    members = {name: member.family for name, member in params.models.items()}
    for folder in FOLDERS:
        for path in folder.glob("*"):
            if path.stem not in members and not path.name.startswith("."):
                print(f"removing {path}: no such model any more")
                remove(path)
    if Path("dvc.lock").exists():
        with modify_yaml("dvc.lock") as lock:
            for stage in list(lock.get("stages", {})):
                kind, _, name = stage.partition("@")
                if kind in STAGES and name not in members:
                    del lock["stages"][stage]
    write_json(DATA / "members.json", members)


if __name__ == "__main__":
    run(main)
