"""The project's own files, for tests."""

from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent


def load_yaml(name: str):
    """A YAML file, its path from the project's root."""
    return YAML(typ="safe", pure=True).load((ROOT / name).read_text(encoding="utf-8"))
