"""Scores of training videos by members that have not seen them, for a student to be taught from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from benchmarks.studies._study import BATCH
from stages._places import SPLIT
from yt8m.core.ragged import Ragged
from yt8m.models.storage import load
from yt8m.records.dataset import Dataset
from yt8m.records.manifest import read_manifest, write_manifest
from yt8m.scoring.predictions import writer
from yt8m.settings.params import Params
from yt8m.training.run import run
from yt8m.training.scores import predict
from yt8m.training.training import Training


def write_folds(path: Path, params: Params, models: Sequence[str], folds: int) -> None:
    """Write scores of all training videos, the mean of some models' new members, which have not seen the video.

    Shards are dealt into folds, and each fold is scored by members that were trained on the others, for as many steps
    as all members. Of one fold they are trained on all videos, and score what they have seen: what the others are held
    against.

    Args:
        models: of params.yaml, with the first set's seed.
        path: of the store.
    """
    manifest = SPLIT / "frames" / "train.tsv"
    shards, schema = read_manifest(manifest)
    seed = next(iter(params.sets.values())).seed
    own, others = (path.with_name(f"{name}.tsv") for name in ("own", "others"))
    with writer(path, params.infer.top_k, params.data.layout.classes) as out:
        for fold in range(folds):
            mine = shards[fold::folds]
            write_manifest(own, mine, schema)
            write_manifest(others, [shard for shard in shards if folds == 1 or shard not in mine], schema)
            members = [trained(params, name, seed, fold, others) for name in models]
            scored = (predict(member, Dataset(own, params.data.source), BATCH) for member in members)
            for parts in zip(*scored, strict=True):
                batch = parts[0][0]
                out.write(batch.ids, Ragged.hot(batch.labels), np.mean([scores for _, scores in parts], axis=0))


def trained(params: Params, name: str, seed: int, fold: int, manifest: Path) -> keras.Model:
    """A new member that has seen a manifest's videos."""
    training = Training.of(params, params.models[name], seed, f"train/{name}-{fold}")
    run(replace(training, phases=(replace(training.phases[0], manifest=manifest),)))
    return load(training.out)[0]
