"""The part that all training stages share: from parameters to a saved model."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from stages._training import train_model

from stages import _training
from tests.models.tiny import SCHEMA
from tests.pipeline import load_yaml
from yt8m import models
from yt8m.core.errors import InputError
from yt8m.records.dataset import Dataset
from yt8m.settings.params import parse
from yt8m.training.scores import dataset_gap

ARGS = {"mixtures": 2, "l2": 1e-6}
MODEL = {"family": "moe", "seed": 3, "batch_size": 10, "learning_rate": 0.05, "epochs": 2, "args": ARGS}
TRAIN = {
    "precision": "float32",
    "xla": False,
    "ema": 0.0,
    "batch_norm_momentum": 0.9,
    "decay": 0.8,
    "decay_examples": 1000,
    "clip_norm": 1.0,
    "shuffle_buffer": 20,
    "eval_examples": 60,
    "patience": 2,
}


@pytest.fixture
def params(folder, tmp_path, monkeypatch):
    """Parameters for the small data sets, and a project's folder around their holdout."""
    monkeypatch.chdir(tmp_path)
    Path("data/split").mkdir(parents=True)
    Path("data/split/holdout").symlink_to(folder)
    content = load_yaml("params.yaml")
    content["data"] |= {"source": str(folder), "schema": SCHEMA.model_dump()}
    content |= {"train": TRAIN, "train_moe": MODEL | {"settle": 1}, "models": {"tiny": MODEL | {"finetune": False}}}
    content["distill"] |= MODEL
    content["evaluate"] = {"plain": "tiny", "related": "tiny"}
    return parse(content)


def train(params, folder, **options):
    manifest, out = folder / "train.tsv", Path("data/train/tiny")
    gap = train_model(params, params.models["tiny"], manifest, out, "train", "tiny", holdout="holdout.tsv", **options)
    return out, gap


def size(folder):
    return sum(path.stat().st_size for path in folder.iterdir())


def test_the_saved_model_is_the_one_scored(params, folder, holdout):
    out, gap = train(params, folder)
    assert gap > 0.5
    model, description = models.load(out)
    expected = models.describe("moe", SCHEMA, holdout.level, seed=3, momentum=0.9, precision="float32", args=ARGS)
    assert description == expected | {"storage": "float32"}
    assert dataset_gap(model, holdout, 10) == pytest.approx(gap, abs=1e-6)
    logged = json.loads(Path("metrics/train/tiny/metrics.json").read_text())
    assert (logged["gap"], logged["bytes"]) == (gap, size(out))


def test_targets_take_the_place_of_labels(params, folder):
    """Trained on the opposite of the labels, a model ranks worse than it does in the test above."""
    _, gap = train(params, folder, targets=lambda batch: 1 - batch.labels)
    assert gap < 0.4


def test_other_videos_come_first(params, folder, monkeypatch):
    """The batches of a training that starts at any step: others' for an epoch, then those of the first step on."""
    taken = {}

    def record(model, training, *_, **__):
        taken.update({start: [labels for _, labels in islice(training(start), 20)] for start in (0, 3, 15)})
        return 0.5

    monkeypatch.setattr(_training, "fit", record)
    train(params, folder, first=(folder / "holdout.tsv", 1))
    own, others = (Dataset(folder / f"{name}.tsv", folder, SCHEMA) for name in ("train", "holdout"))
    steps = own.size // 10
    expected = [
        batch.labels
        for videos, number in ((others, steps), (own, 40))
        for batch in islice(videos.shuffled(10, 3, 20), number)
    ]
    for start, batches in taken.items():
        assert all(map(np.array_equal, batches, expected[start:]))


def test_other_videos_decide_what_may_go_on(params, folder, monkeypatch):
    """A run that was killed is not gone on with after other first videos, or more of them."""
    names = []

    def record(*args, **_):
        names.append(args[5].path.name)
        return 0.5

    monkeypatch.setattr(_training, "fit", record)
    for first in (None, (folder / "holdout.tsv", 1), (folder / "holdout.tsv", 2), (folder / "train.tsv", 1)):
        train(params, folder, first=first)
    assert len(set(names)) == 4


def test_a_model_over_the_limit_is_refused_and_the_older_one_stays(params, folder, monkeypatch):
    monkeypatch.setattr(_training, "fit", lambda *_, **__: 0.5)  # what is saved does not matter here
    with pytest.raises(InputError, match=r"at most 1,000 bytes, received \d+,\d+ bytes"):
        train(params, folder, max_bytes=1000)
    assert not list(Path("data/train").iterdir())
    out, _ = train(params, folder)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(InputError):
        train(params, folder, max_bytes=size(out) - 1)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    train(params, folder, max_bytes=size(out))


def test_a_student_too_large_is_stored_in_half_without_training_again(params, folder, holdout, capsys):
    gap = train(params, folder)[1]
    out = Path("data/train/tiny")
    limit = size(out) - 1
    with pytest.raises(InputError):
        train(params, folder, max_bytes=limit)
    assert train(params, folder, max_bytes=limit, storage="float16") == (out, gap)
    assert "going on from step 12" in capsys.readouterr().out
    assert size(out) <= limit
    assert json.loads(Path("metrics/train/tiny/metrics.json").read_text())["bytes"] == size(out)
    assert dataset_gap(models.load(out)[0], holdout, 10) == pytest.approx(gap, abs=0.01)
