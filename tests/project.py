"""A copy of the project with tiny parameters, in a repository of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from tests.pipeline import ROOT, load_yaml

MEMBERS = ("netvlad_1", "lstm_1", "lstm_2")
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


class Project:
    """A copy of the project with tiny parameters, in a repository of its own."""

    def __init__(self, root: Path):
        self.root = root

    def run(self, *command: str) -> str:
        """Run a command to its successful end and return what it printed."""
        done = subprocess.run(command, cwd=self.root, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def repro(self) -> set[str]:
        """Reproduce, and return the stages that ran."""
        lines = self.run("dvc", "repro").splitlines()
        return {line.split("'")[1] for line in lines if line.startswith("Running stage")}

    def changed(self) -> set[str]:
        """The stages that `dvc status` lists."""
        return set(json.loads(self.run("dvc", "status", "--json")))

    def edit_params(self, edit: Callable[[dict], None]) -> None:
        """Change params.yaml."""
        yaml, path = YAML(pure=True), self.root / "params.yaml"
        params = yaml.load(path)
        edit(params)
        yaml.dump(params, path)

    def commit(self) -> None:
        """Commit everything."""
        self.run("git", "add", "-A")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "test")

    def lock(self) -> str:
        """The text of dvc.lock."""
        return (self.root / "dvc.lock").read_text()


def tiny_params() -> dict:
    """The default parameters, made as small as they go."""
    params = load_yaml("params.yaml")
    params["simulate"]["demo"] |= {"videos_per_shard": 12, "shards": {"train": 1, "validate": 8, "test": 2}}
    params["data"]["schema"] |= {"features": {"rgb": 8, "audio": 4}, "classes": 6, "max_frames": 5}
    params["train"] |= {"eval_examples": 48, "shuffle_buffer": 50}
    params["models"] = {name: params["models"][name] for name in MEMBERS}
    for model in (*params["models"].values(), params["distill"], params["train_moe"]):
        model |= {"batch_size": 16, "epochs": 1}
        small = {"frames": 3, "hidden": 4, "units": 4, "layers": 1, "clusters": {"rgb": 3, "audio": 2}, "mixtures": 2}
        model["args"] |= {key: value for key, value in small.items() if key in model["args"]}
    params["train_moe"]["settle"] = 0
    params["finetune"]["epochs"] = 1
    params["evaluate"] = {"plain": "netvlad_1", "related": "lstm_1"}
    params["infer"] |= {"batch_size": 32, "top_k": 20}
    return params


def make_project(root: Path, params: dict) -> Project:
    """Copy the project's files, without results, and commit them with other parameters."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("metrics/") and name != "dvc.lock":
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    YAML(pure=True).dump(params, root / "params.yaml")
    project = Project(root)
    project.run("git", "init", "-q")
    project.commit()
    return project
