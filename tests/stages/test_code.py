"""What the stage `code` says of each stage: all that decides its result, and nothing else."""

import os
import shutil
import subprocess
import sys

import pytest

from stages.code import Code, families_of, locked_versions
from tests.pipeline import ROOT
from yt8m.settings import registry
from yt8m.settings.params import Model

MODELS = {"netvlad": {"netvlad"}, "old": {"lstm"}, "student": {"netvlad", "moe"}}  # by the families each may be of
TRAININGS = ("train", "train_moe", "finetune", "train_on", "distill", "untaught")
DIGESTS = """
import sys
from pathlib import Path
namespace = {}
exec(Path("src/yt8m/core/source.py").read_text(), namespace)
for path in sorted([*Path("src").rglob("*.py"), *Path("stages").rglob("*.py")]):
    print(path, namespace["digest"](namespace["essence"](path.read_bytes())))
"""


@pytest.fixture(scope="module")
def code():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield Code("tensorflow")


@pytest.fixture(scope="module")
def lines(code):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return code.of_all_stages(MODELS)


def names(lines):
    """What a file lists, without digests and versions."""
    return {line.split(" ")[0] for line in lines}


def test_stages_that_run_models_have_a_file_for_each_and_others_one(lines):
    running = {f"{stage}/{model}" for stage in (*TRAININGS, "infer") for model in MODELS}
    assert {name for name in lines if "/" in name} == running
    assert {"split", "augment", "fit_ensemble", "evaluate", "report", "members", "simulate"} <= lines.keys()


@pytest.mark.parametrize("stage", [*TRAININGS, "infer"])
def test_a_model_lists_its_families_and_no_other(stage, lines):
    for model, families in MODELS.items():
        found = {name.split(".")[2] for name in names(lines[f"{stage}/{model}"]) if name.endswith(".network")}
        assert found == families


def test_an_average_is_of_its_members_families_too():
    experts = {"mixtures": 2, "l2": 0.0, "input_dropout": 0.0, "dropout": 0.0}
    moe = {"family": "moe", "args": experts}
    inner = {"family": "average", "args": {"members": [{"family": "gru", "args": experts | {"layers": 1, "units": 2}}]}}
    model = Model(family="average", batch_size=8, learning_rate=0.1, epochs=1, args={"members": [moe, inner]})
    assert families_of(model) == {"average", "moe", "gru"}
    assert families_of(model.model_copy(update=moe)) == {"moe"}


def test_layers_that_a_family_does_not_use_do_not_concern_it(lines):
    assert "yt8m.layers.assignment" in names(lines["train/netvlad"])
    assert "yt8m.layers.assignment" not in names(lines["train/old"])


@pytest.mark.parametrize(
    ("part", "stages"),
    [
        ("yt8m.augmentation.", {"augment", "report"}),  # which knows synthetic videos by their ids
        ("yt8m.intake.", {"split"}),
        ("yt8m.simulation.", {"simulate"}),
        ("yt8m.relations.regularizer", {"finetune"}),
        ("yt8m.distillation.objective", {"distill"}),
        ("yt8m.distillation.student", {"distill", "untaught"}),
        ("yt8m.ensembling.", {"fit_ensemble", "evaluate"}),
        ("yt8m.report.", {"report"}),
        ("yt8m.training.fit", set(TRAININGS)),
        ("yt8m.commands.", set()),
        ("yt8m.settings", set()),
        ("yt8m.models.contract", set()),
        ("yt8m.core.startup", set()),
        ("yt8m.core.source", set()),
    ],
)
def test_a_part_decides_the_results_of_its_stages(part, stages, lines):
    found = {name.split("/")[0] for name, listed in lines.items() if any(line.startswith(part) for line in listed)}
    assert found == stages


def test_every_scheme_is_listed_where_schemes_are_used(lines):
    for stage in ("fit_ensemble", "evaluate"):
        assert set(registry.schemes().values()) <= names(lines[stage])


def test_libraries(code, lines):
    assert {"keras", "tensorflow", "numpy", "backend"} <= names(lines["train/netvlad"])
    assert "backend tensorflow" in lines["infer/netvlad"]
    assert not names(lines["split"]) & {"keras", "tensorflow", "scipy", "matplotlib", "backend"}
    assert {"matplotlib", "scipy", "scikit-learn"} <= names(lines["report"])
    assert not [line for listed in lines.values() for line in listed if "not in the lock" in line]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr(code, "backend", "jax")
        other = code.of_all_stages(MODELS)
    changed = {name.split("/")[0] for name in lines if lines[name] != other[name]}
    assert changed == {*TRAININGS, "infer"}
    assert {"jax", "jaxlib"} <= names(other["train/netvlad"])
    assert "tensorflow" not in names(other["train/netvlad"])


def test_versions_of_a_lock():
    lock = "keras==3.15.1 \\\n    --hash=sha256:1\nnumpy==2.4 ; python_version < '3.12' \\\nnumpy==2.5 ; x \\\n"
    assert locked_versions(lock) == {"keras": "3.15.1", "numpy": "2.4 or 2.5"}


def test_both_locks_have_the_same_versions():
    """The digests are those of one lock, whichever of both is installed."""
    cpu, gpu = (
        locked_versions((ROOT / f"requirements{kind}.lock").read_text(encoding="utf-8")) for kind in ("", "-gpu")
    )
    assert {name: gpu[name] for name in cpu} == cpu


def digests_of(python: str) -> str | None:
    """Digests of all of the project's files, made by another interpreter, if it starts."""
    done = subprocess.run([python, "-c", DIGESTS], cwd=ROOT, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def test_digests_are_the_same_in_every_version_of_python():
    others = [shutil.which(f"python3.{minor}") for minor in (11, 12, 13)]
    found = {python: output for python in filter(None, others) if (output := digests_of(python))}
    here = digests_of(sys.executable)
    assert here
    if len({os.path.realpath(python) for python in found}) < 2:
        pytest.skip("needs another version of Python than this one")
    assert set(found.values()) == {here}
