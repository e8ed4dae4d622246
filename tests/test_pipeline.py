"""dvc.yaml against the code: every stage depends on what it runs, and on nothing else."""

import re

import pytest

from tests.pipeline import ROOT, closure, load_yaml

PIPELINE = load_yaml("dvc.yaml")["stages"]
FILES = ["params.yaml", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("params/*.yaml"))]
PAPERS = {"netvlad", "netfv", "gated_dbow", "dbow", "netrvlad", "gru", "lstm"}
STAGES = {name: stage.get("do", stage) for name, stage in PIPELINE.items()}
# Found by name at run time: a stage that runs a model depends on its family's file.
FAMILY = re.compile(r"src/yt8m/models/\$\{(item|train_moe|distill)\.family\}\.py")


def script(stage: str) -> str:
    """The stage script that a command runs."""
    return STAGES[stage]["cmd"].split()[2].replace(".", "/") + ".py"


def code(stage: str) -> list[str]:
    """The code a stage declares, folders expanded."""
    declared = [dep for dep in STAGES[stage]["deps"] if dep.endswith(".py") or dep.startswith("src/")]
    files: list[str] = []
    for dep in declared:
        inside = sorted((ROOT / dep).glob("*.py")) if (ROOT / dep).is_dir() else []
        files += [str(path.relative_to(ROOT)) for path in inside] or [dep]
    return files


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_the_code_it_imports(stage):
    needed = closure(ROOT / script(stage))
    runs_models = any(name == "src/yt8m/models/__init__.py" for name in needed)
    assert needed - set(code(stage)) - {"src/yt8m/layers/__init__.py"} == set()
    assert runs_models == any(FAMILY.match(dep) for dep in code(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_no_other_code(stage):
    by_name = {dep for dep in code(stage) if FAMILY.match(dep) or dep.endswith(".npz")}
    folders = {file for file in code(stage) if file.startswith(("src/yt8m/layers/", "src/yt8m/ensembling/"))}
    if not any(FAMILY.match(dep) for dep in by_name):
        assert not any(file.startswith("src/yt8m/layers/") for file in folders)
    assert set(code(stage)) - by_name - folders - closure(ROOT / script(stage)) == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_nothing_twice(stage):
    deps = STAGES[stage]["deps"]
    assert len(deps) == len(set(deps))


@pytest.mark.parametrize("stage", STAGES)
def test_the_parameters_a_stage_depends_on_exist(stage):
    params = load_yaml("params.yaml")
    for name in STAGES[stage].get("params", []):
        value = params
        for part in name.replace("${key}", next(iter(params["simulate" if stage == "simulate" else "models"]))).split(
            "."
        ):
            assert part in value, name
            value = value[part]


def test_only_evaluate_reads_predictions_of_test():
    readers = [name for name, stage in STAGES.items() if any("predictions/test" in dep for dep in stage["deps"])]
    assert readers == ["evaluate"]
    shards = {name for name, stage in STAGES.items() if any("split/test" in dep for dep in stage["deps"])}
    assert shards == {"infer", "infer_moe", "infer_student", "evaluate"}


@pytest.mark.parametrize("file", FILES)
def test_parameter_files_hold_the_same_sections(file):
    assert load_yaml(file).keys() == load_yaml("params.yaml").keys()


@pytest.mark.parametrize("file", FILES)
def test_every_family_of_an_ensemble_is_in_it_twice(file):
    families = [member["family"] for member in load_yaml(file)["models"].values()]
    frames = load_yaml(file)["data"]["frames"]
    wanted = PAPERS if frames else {"mlp", "moe", "netvlad"}  # one frame has no order, and makes a poor histogram
    assert sorted(families) == sorted(2 * list(wanted))
