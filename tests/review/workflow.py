"""The workflow's steps, run without GitHub."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.pipeline import load_yaml
from tests.project import ENVIRONMENT


def run_step(name: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a step of the workflow in a folder, with the shell that GitHub takes."""
    steps: list[Mapping[str, str]] = load_yaml(".github/workflows/review.yml")["jobs"]["review"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("name") == name]
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env={**ENVIRONMENT, **environment}, capture_output=True, text=True
    )
