"""dvc.yaml against the stages' scripts, and docs against the folders."""

import re

import pytest

from stages.code import main as write_code
from tests.pipeline import ROOT, load_yaml
from yt8m.settings.loading import parse

PIPELINE = load_yaml("dvc.yaml")
STAGES = {name: stage.get("do", stage) for name, stage in PIPELINE["stages"].items()}
PARAMS = load_yaml("tests/params.yaml")


def script(stage: str) -> str:
    """The stage script that a command runs."""
    python, flag, package, name, *_ = STAGES[stage]["cmd"].split()
    assert (python, flag, package) == ("python", "-m", "stages")
    return name


@pytest.fixture(scope="module")
def digests(tmp_path_factory) -> set[str]:
    """The files that the stage `code` writes."""
    folder = tmp_path_factory.mktemp("code")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr("stages.code.CODE", folder / "code")
        write_code(parse(PARAMS))
    return {f"data/{path.relative_to(folder)}" for path in folder.rglob("*.txt")}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_says_what_it_is(stage):
    assert STAGES[stage]["desc"]


@pytest.mark.parametrize("stage", sorted(set(STAGES) - {"code"}))
def test_a_stage_depends_on_its_own_digest_and_on_no_other_code(stage, digests):
    found = [dep for dep in STAGES[stage]["deps"] if dep.startswith("data/code/")]
    assert len(found) == 1
    assert re.fullmatch(rf"data/code/{script(stage)}(\.txt|/[^/]+\.txt)", found[0])
    (related,) = PARAMS["evaluate"]["related"]
    path = found[0].replace("${item}", related).replace("${evaluate.plain}", PARAMS["evaluate"]["plain"])
    assert {path.replace("${item.model}", model) for model in PARAMS["models"]} <= digests
    assert not [dep for dep in STAGES[stage]["deps"] if dep.endswith(".py") or dep.startswith("stages")]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_nothing_twice(stage):
    for key in ("deps", "params"):
        listed = STAGES[stage].get(key, [])
        assert len(listed) == len(set(listed))


@pytest.mark.parametrize("stage", STAGES)
def test_the_parameters_a_stage_depends_on_exist(stage):
    keys = {"${key}": "demo", "${item.model}": "netvlad", "${item.set}": "a"}
    for name in STAGES[stage].get("params", []):
        for placeholder, key in keys.items():
            name = name.replace(placeholder, key)
        value = PARAMS
        for part in name.split("."):
            assert part in value, name
            value = value[part]


def test_split_depends_on_all_that_is_said_of_the_data_but_the_cache():
    said = {f"data.{name}" for name in PARAMS["data"]} - {"data.cache_gb"}
    assert set(STAGES["split"]["params"]) == said | {"split"}


def test_every_script_is_a_stage():
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py") if not path.stem.startswith("_")}
    assert {script(stage) for stage in STAGES} == scripts


def test_only_evaluate_reads_predictions_of_test():
    readers = [name for name, stage in STAGES.items() if any("predictions/test" in dep for dep in stage["deps"])]
    assert readers == ["evaluate"]
    wanted = re.compile(r"data/split/(\w+/test\.tsv|frames|videos)$")
    shards = {name for name, stage in STAGES.items() if any(wanted.match(dep) for dep in stage["deps"])}
    assert shards == {"infer", "infer_moe", "infer_on", "infer_plain", "infer_student", "infer_untaught"}


def test_dvc_shows_few_files_and_all_of_them_are_in_git():
    """Or a clone without cache would have no page of plots."""
    shown = {kind: [out for stage in STAGES.values() for out in stage.get(kind, [])] for kind in ("metrics", "plots")}
    assert [list(out) for out in shown["metrics"]] == [["metrics/evaluate/summary.json"]]
    assert all(settings["cache"] is False for out in shown["plots"] for settings in out.values())
    assert "plots" not in PIPELINE


def test_the_templates_of_plots_are_there():
    folder = ROOT / ".dvc" / "plots"
    named = re.findall(r"template: (\w+)", (ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    own = {path.stem for path in folder.glob("*.json")}
    assert own <= set(named) <= own | {"simple"}
    for path in folder.glob("*.json"):
        assert "<DVC_METRIC_DATA>" in path.read_text(encoding="utf-8")


def test_the_page_of_plots_needs_no_network():
    page = (ROOT / ".dvc" / "plots" / "page.html").read_text(encoding="utf-8")
    assert "html_template = plots/page.html" in (ROOT / ".dvc" / "config").read_text(encoding="utf-8")
    assert page.count("{plot_divs}") == 1
    assert "{scripts}" not in page  # DVC would put a CDN there
    assert not re.findall(r"<(?:script|link)[^>]*(?:src|href)=", page)
    assert "Redistribution and use" in page
    assert len(page) < 1_500_000


def test_docs_name_every_folder_of_the_package():
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    tree = design[design.index("## What is where") : design.index("## Dependencies")]
    folders = {path.parent.name for path in (ROOT / "src" / "yt8m").glob("*/__init__.py")}
    assert {name for name in folders if f"{name}/" not in tree} == set()
