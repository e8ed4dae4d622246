"""A finished project in small: shards, splits, a student and an ensemble, all of any schema and level."""

import shutil
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from tests.models import tiny
from yt8m.core.cluster import workers
from yt8m.core.schema import Level, Schema
from yt8m.ensembling.ensemble import Ensemble
from yt8m.intake.split import Source, split
from yt8m.models import storage
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode

PATTERNS = {name: [f"{name}*"] for name in ("train", "holdout", "test")} | {"extra": list[str]()}


def videos(schema: Schema, level: Level, name: str, count: int) -> list[Video]:
    """Random videos of 1 to `max_frames` frames, the first with one frame and the second with all."""
    random = np.random.default_rng([*name.encode()])
    found = []
    for index in range(count):
        frames = schema.frames(level) if index == 1 else 1 + index % schema.frames(level)
        labels = np.sort(random.choice(schema.classes, 2, replace=False)).astype(np.int32)
        features = {
            key: random.integers(0, 256, (frames, size)).astype(np.uint8)
            if level is Level.FRAME
            else random.normal(size=(1, size)).astype(np.float32)
            for key, size in schema.features.items()
        }
        found.append(Video(f"{name}_{index}", labels, features))
    return found


def write(path: Path, schema: Schema, level: Level, count: int = 6) -> list[Video]:
    """Write a shard of random videos, and return them."""
    made = videos(schema, level, path.stem, count)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_records(path, [encode(video, level, schema) for video in made])
    return made


def project(root: Path, schema: Schema, level: Level, families: tuple[str, str]) -> dict[str, list[Video]]:
    """Lay a project out in a folder; its videos by split. The student is of the first family."""
    made = {name: write(root / "shards" / f"{name}0.tfrecord", schema, level) for name in PATTERNS}
    pattern = {"frames": None, "videos": None} | {f"{level}s": "*.tfrecord"}
    layout = schema.model_dump(mode="json")
    data = {"source": "shards", "cache_gb": 1, **pattern, "class_names": "classes.csv", "schema": layout}
    YAML(pure=True).dump({"data": data, "split": {"patterns": PATTERNS}}, root / "params.yaml")
    globs = {each: "*.tfrecord" if each is level else None for each in Level}
    out = root / "data" / "split"
    with workers(None, 1) as spread:
        split(Source(root / "shards", globs, schema), PATTERNS, out, out, root / "data" / "scans", spread)
    (out / "classes.txt").write_text("".join(f"Class <{index}>\n" for index in range(schema.classes)))
    for seed, family in enumerate(families):
        model = tiny.randomized(family, schema, level, seed=seed)
        storage.save(model, tiny.describe(family, schema, level, seed=seed), root / "data" / "finetune" / family)
    shutil.copytree(root / "data" / "finetune" / families[0], root / "data" / "distill")
    weights = np.random.default_rng(0).uniform(0.2, 1, (2, schema.classes))
    (root / "data" / "ensemble").mkdir()
    members = {family: f"../finetune/{family}" for family in families}
    Ensemble(members=members, scheme="equal", top_k=6).write(root / "data" / "ensemble", {"equal": weights})
    return made
