"""What dvc.yaml declares, and what stages import, for the tests that hold the two together."""

import ast
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
# They check parameters and decide no result (see params.py): a stage does not depend on them.
CHECKS_ONLY = {"src/yt8m/arguments.py", "src/yt8m/params.py", "src/yt8m/registry.py"}


def load_yaml(name: str):
    """A YAML file at the project's root."""
    return YAML(typ="safe", pure=True).load((ROOT / name).read_text(encoding="utf-8"))


def module_file(module: str) -> Path | None:
    """The file of one of the project's modules."""
    base = ROOT / ("src" if module.split(".")[0] == "yt8m" else "") / module.replace(".", "/")
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def imported(path: Path) -> frozenset[Path]:
    """The project's files that a file imports, directly."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.split(".")[0] in ("yt8m", "stages"):
                parts = name.split(".")
                prefixes = [".".join(parts[: end + 1]) for end in range(len(parts))]
                found |= {file for file in map(module_file, prefixes) if file}
    return frozenset(found)


def closure(path: Path) -> set[str]:
    """All of the project's files that running a file executes, relative to the root; empty ones left out."""
    waiting, seen = [path], set()
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            name = str(current.relative_to(ROOT))
            if name not in CHECKS_ONLY:
                waiting += imported(current)
    docstring_only = {file for file in seen if file.name == "__init__.py" and file.read_text().count("\n") <= 1}
    return {str(file.relative_to(ROOT)) for file in seen - docstring_only} - CHECKS_ONLY
