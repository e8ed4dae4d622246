"""Determinism as the stages have it, and small data sets whose labels show in their features."""

import numpy as np
import pytest
from dvclive import Live

from tests.models.tiny import SCHEMA
from yt8m.core.schema import Level
from yt8m.records.dataset import Dataset
from yt8m.records.manifest import Shard, checksum, write_manifest
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode
from yt8m.training.devices import make_deterministic
from yt8m.training.state import State


@pytest.fixture(scope="session", autouse=True)
def deterministic():
    make_deterministic()


def write_dataset(folder, name, videos, level=Level.FRAME):
    """Write videos into two shards and a manifest; return the manifest's path."""
    shards = []
    for index, part in enumerate((videos[: len(videos) // 2], videos[len(videos) // 2 :])):
        path = folder / f"{name}{index:04d}.tfrecord"
        write_records(path, (encode(video, level, SCHEMA) for video in part))
        shards.append(Shard(level, str(path), path.stat().st_size, len(part), checksum(path)))
    write_manifest(folder / f"{name}.tsv", shards)
    return folder / f"{name}.tsv"


def make_videos(count, seed):
    """Videos of 1 to 7 random frames with one or two labels; each label brightens a byte of every frame."""
    random, videos = np.random.default_rng(seed), []
    for index in range(count):
        labels = np.sort(random.choice(SCHEMA.classes, random.integers(1, 3), replace=False)).astype(np.int32)
        frames = random.integers(1, SCHEMA.max_frames + 1)
        features = {name: random.integers(0, 150, (frames, size)) for name, size in SCHEMA.features.items()}
        features["rgb"][:, labels] += 100
        videos.append(Video(f"v{seed}_{index}", labels, {key: x.astype(np.uint8) for key, x in features.items()}))
    return videos


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Manifests `train.tsv` (60 videos) and `holdout.tsv` (30 videos) and their shards."""
    folder = tmp_path_factory.mktemp("shards")
    write_dataset(folder, "train", make_videos(60, seed=1))
    write_dataset(folder, "holdout", make_videos(30, seed=2))
    return folder


@pytest.fixture(scope="session")
def training(folder):
    return Dataset(folder / "train.tsv", folder, SCHEMA)


@pytest.fixture(scope="session")
def holdout(folder):
    return Dataset(folder / "holdout.tsv", folder, SCHEMA)


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "state")


@pytest.fixture
def live(tmp_path):
    with Live(str(tmp_path / "live"), dvcyaml=None, save_dvc_exp=False) as log:
        yield log
