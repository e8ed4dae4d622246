"""No model and no set is called like another thing that is scored, or they would stand in one place."""

import csv

import pytest

from stages import evaluate
from tests.pipeline import load_yaml
from tests.stages.made import MEMBERS, write_scored
from yt8m.core.files import read_json
from yt8m.scoring.table2 import mean_of, table2
from yt8m.settings import registry
from yt8m.settings.loading import ParamsError, parse
from yt8m.settings.params import Evaluate


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The names of all systems that `evaluate` writes, members aside; by file."""
    root = tmp_path_factory.mktemp("project")
    write_scored(root)
    content = load_yaml("tests/params.yaml")
    content["data"]["source"] = str(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        evaluate.main(parse(content))
    with (root / "metrics/evaluate/results.csv").open(newline="") as file:
        results = [row["model"] for row in csv.DictReader(file)]
    compact = list(read_json(root / "metrics/evaluate/metrics.json")["test_gap"])
    assert set(MEMBERS) < set(results)
    assert set(MEMBERS) < set(compact)
    return {"results": set(results) - set(MEMBERS), "metrics": set(compact) - set(MEMBERS)}


def refused(section: str, name: str) -> bool:
    """Whether an entry of that name, otherwise a good one, is refused for its name."""
    content = load_yaml("tests/params.yaml")
    content[section][name] = next(iter(content[section].values()))
    try:
        parse(content)
    except ParamsError as error:
        return str(error) == (
            f"params.yaml: {section}.{name}: expected a name that no ensemble, no scheme and not the student has, "
            f"received {name!r}"
        )
    return False


@pytest.mark.parametrize("section", ["models", "sets"])
def test_no_name_of_a_system_is_a_models_or_a_sets(section, scored):
    systems = scored["results"] | scored["metrics"]
    assert {"moe_original", "moe_augmented", "plain_and_original", "plain_and_augmented", "mean_of_all"} < systems
    assert {"student", "ensemble", "per_model", "per_class"} < systems
    keys = {name for name in systems if "-" not in name and not name.startswith(mean_of(""))}  # which no member has
    assert {name for name in {*keys, *registry.schemes()} if not refused(section, name)} == set()


@pytest.mark.parametrize("section", ["models", "sets"])
@pytest.mark.parametrize("name", ["train_moe", "student"])
def test_what_stands_beside_the_models_has_its_name_alone(section, name):
    """In the folders of `data/code`, and in the list of `yt8m families`."""
    assert refused(section, name)


def test_table_2_has_rows_that_are_scored_alone(scored):
    """With the known schemes, whatever others there are."""
    rows = table2(Evaluate(plain="netvlad-a", related=["netvlad-b"], paper=True), MEMBERS, "lstm-a")
    named = {row.system for row in rows} | {row.control for row in rows if row.control}
    assert named <= scored["results"] | set(MEMBERS)
