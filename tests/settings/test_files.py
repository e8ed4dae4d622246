"""The parameter files that come with the project are alike where their data and sizes do not differ."""

import shutil
import subprocess
from functools import reduce
from pathlib import Path

import pytest

from tests.pipeline import ROOT, load_yaml
from yt8m.records.manifest import assign

FIRST, *OTHERS = ("params/paper.yaml", "params/audioset.yaml", "params/youtube8m_video.yaml")
# Sections and values that are one in all files. What follows the data (its records and sizes, the numbers of steps,
# what a processor takes) stands in none of them.
ALIKE = [
    "augment.chunk_shards",
    "augment.step",
    "augment.noise",
    "augment.seed",
    "cluster",
    "train.backend",
    "train.clip_norm",
    "train_moe.family",
    "train_moe.seed",
    "sets",
    "finetune.damping",
    "ensemble",
    "distill.max_bytes",
    "distill.storage",
    "distill.seed",
]


def of_the_project() -> bool:
    """Whether git says that params.yaml is as it was committed."""
    git = shutil.which("git")
    return (
        git is not None
        and not subprocess.run(
            [git, "diff", "--quiet", "HEAD", "--", "params.yaml"], cwd=ROOT, capture_output=True
        ).returncode
    )


# Nothing else depends on params.yaml, which is the user's to change.
DEFAULT = pytest.param(
    "params.yaml", marks=pytest.mark.skipif(not of_the_project(), reason="params.yaml has been changed, or no git")
)
COMPARED = pytest.mark.parametrize("file", [*OTHERS, DEFAULT])
GIVEN = pytest.mark.parametrize("file", OTHERS)
EACH = pytest.mark.parametrize("file", [FIRST, *OTHERS])
INVITED = {"sets", "ensemble", "train.backend", "distill.storage"}  # README shows how to change them


def value(content: dict, name: str):
    """A value by its full name."""
    return reduce(lambda section, part: section[part], name.split("."), content)


@COMPARED
def test_the_same_keys_in_the_same_order(file):
    """So that a comparison of two files shows what is different."""
    one, other = load_yaml(FIRST), load_yaml(file)
    assert list(other) == list(one)
    for section in set(one) - {"cluster", "simulate", "models"}:
        assert list(other[section]) == list(one[section]), section
    assert list(other["data"]["schema"]) == list(one["data"]["schema"])
    fields = {tuple(model) for content in (one, other) for model in content["models"].values()}
    assert len(fields) == 1


@pytest.mark.parametrize("name", ALIKE)
@COMPARED
def test_the_same_values(file, name):
    if file == "params.yaml" and name in INVITED:
        pytest.skip("a user may have committed another value")
    assert value(load_yaml(file), name) == value(load_yaml(FIRST), name)


@GIVEN
def test_a_model_of_one_name_is_of_one_family(file):
    ours, papers = load_yaml(file)["models"], load_yaml(FIRST)["models"]
    shared = ours.keys() & papers.keys()
    assert shared
    assert {name: ours[name]["family"] for name in shared} == {name: papers[name]["family"] for name in shared}
    for name in shared:
        assert list(ours[name]["args"]) == list(papers[name]["args"])
        assert ours[name]["args"].get("mixtures") == papers[name]["args"].get("mixtures")


@EACH
def test_the_two_weights_of_label_relations_are_one_to_ten(file):
    finetune = load_yaml(file)["finetune"]
    assert finetune["lambda1"] == pytest.approx(10 * finetune["lambda2"])


@EACH
def test_table_2_starts_from_one_model_in_both_sets(file):
    content = load_yaml(file)
    plain = content["evaluate"]["plain"].split("-")[0]
    assert [name.split("-")[0] for name in content["evaluate"]["related"]] == [plain]
    assert content["distill"]["family"] in ("best", content["models"][plain]["family"])


def test_the_papers_file_takes_every_published_shard_once():
    """But those of test, which have no labels."""
    patterns = load_yaml("params/paper.yaml")["split"]["patterns"]
    train, validate, test = (
        [f"{kind}{index:04d}.tfrecord" for index in range(3844)] for kind in ("train", "validate", "test")
    )
    splits = assign([*train, *validate, *test], patterns)
    assert sorted(path for paths in splits.values() for path in paths) == sorted([*train, *validate])
    assert splits["holdout"] == [path for path in validate if Path(path).stem[-1] == "5"]
    assert set(train) < set(splits["train"])
    assert len(splits["test"]) == pytest.approx(len(validate) / 10, abs=1)
