"""Trained models and shards for the commands, and how a command fails."""

from functools import cache
from pathlib import Path

import pytest

from tests.models import tiny
from tests.records import made
from yt8m.cli import main
from yt8m.core.schema import Level
from yt8m.models import storage
from yt8m.training.devices import make_deterministic

MODELS = {Level.FRAME: "netvlad", Level.VIDEO: "moe"}


@pytest.fixture(scope="session", autouse=True)
def deterministic():
    make_deterministic()


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A function from a level, and a family for it, to the folder of a model on `made.SCHEMA`."""

    @cache
    def folder(level: Level, family: str | None = None) -> Path:
        path, family = tmp_path_factory.mktemp("model"), family or MODELS[level]
        description = tiny.describe(family, made.SCHEMA, level)
        storage.save(tiny.randomized(family, made.SCHEMA, level), description, path)
        return path

    return folder


@pytest.fixture
def shards(tmp_path):
    """A function from a level to the pattern of two shards and their videos."""

    def write(level: Level):
        folder = tmp_path / level
        videos = [video for index in (0, 1) for video in made.write_shard(folder / f"s{index}.tfrecord", level, 7)]
        return str(folder / "*.tfrecord"), videos

    return write


@pytest.fixture
def fails():
    """A function that runs a command to its failure and returns the one line that it ends with."""

    def run(*argv) -> str:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in argv])
        line = str(ended.value.code)
        assert line.startswith("yt8m: ")
        assert "\n" not in line
        return line

    return run
