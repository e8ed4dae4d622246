"""A copy of the project with the tests' own tiny parameters, in a repository of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from tests.pipeline import ROOT, load_yaml

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

    def refused(self, *command: str) -> str:
        """Run a command that has to fail, and return its errors."""
        done = subprocess.run(command, cwd=self.root, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        return done.stderr

    def repro(self, *stages: str) -> set[str]:
        """Reproduce, and return the stages that ran."""
        return ran(self.run("dvc", "repro", *stages))

    def side_by_side(self, *words: str) -> set[str]:
        """Reproduce by `yt8m repro`, and return the stages that ran behind `code`."""
        lines = self.run("yt8m", "repro", *words).splitlines()
        return {match[1] for line in lines if (match := re.match(r"\d+/\d+ (\S+): ran", line))}

    def changed(self) -> set[str]:
        """The stages that `dvc status` lists."""
        return set(json.loads(self.run("dvc", "status", "--json")))

    def concerned(self) -> set[str]:
        """The stages that an edit concerns, as README says to ask for them."""
        self.repro("code")
        return self.changed()

    def edit(self, name: str, change: Callable[[str], str]) -> str:
        """Change a file, and return its former text."""
        path = self.root / name
        text = path.read_text()
        path.write_text(change(text))
        assert path.read_text() != text
        return text

    def edit_params(self, edit: Callable[[dict], object]) -> None:
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


def ran(output: str) -> set[str]:
    """The stages that DVC says it has run."""
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}


def tiny_params() -> dict:
    """The tests' own parameters."""
    params: dict = load_yaml("tests/params.yaml")
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
