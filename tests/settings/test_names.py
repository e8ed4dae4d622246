"""No model and no set is called like another thing that is scored, or they would stand in one place."""

import csv
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from stages import evaluate
from tests.pipeline import load_yaml
from tests.records import made
from yt8m.core.files import read_json, write_csv, write_json
from yt8m.scoring import predictions
from yt8m.scoring.table2 import mean_of, table2
from yt8m.settings import registry
from yt8m.settings.params import Evaluate, ParamsError, parse

MEMBERS = {"netvlad-a": "netvlad", "lstm-a": "lstm", "netvlad-b": "netvlad", "lstm-b": "lstm"}
CLASSES = made.SCHEMA.classes


def write_inputs(root: Path) -> None:
    """All that the stage `evaluate` reads, with weights of every scheme that there is."""
    videos = [made.frame_video(np.random.default_rng(seed), str(seed)) for seed in range(12)]
    beside = [f"beside/{name}" for name in ("moe_original", "moe_augmented", "untaught", "plain", "netvlad-b")]
    splits = ("train", "holdout", "test")
    stores = [f"predictions/test/{name}" for name in MEMBERS]
    stores += [f"{name}/{split}" for name in [*beside, "infer_student"] for split in splits]
    folders = [f"finetune/{name}" for name in MEMBERS] + ["train_moe/original", "train_moe/augmented"]
    for folder in [*folders, "distill", "untaught"]:
        write_json(root / "data" / folder / "model.json", {"family": "lstm"})
        save_file({"weights": np.zeros((2, 3), np.float32)}, root / "data" / folder / "model.safetensors")
    counts = [(number, number) for number in range(CLASSES)]
    write_csv(root / "data/split/label_counts/train.csv", ("index", "videos"), counts)
    for seed, store in enumerate(stores):
        scores = np.random.default_rng(seed).random((len(videos), CLASSES), np.float32)
        with predictions.writer(root / "data" / f"{store}.parquet", CLASSES, CLASSES) as out:
            out.write([video.id for video in videos], [video.labels for video in videos], scores)
    write_json(root / "data/members.json", MEMBERS)
    write_json(root / "metrics/fit_ensemble/metrics.json", {"teacher": "per_model"})
    write_csv(root / "metrics/fit_ensemble/members.csv", ("model", "train_gap", "holdout_gap"), [(name, 0.9, 0.5) for name in MEMBERS])
    (root / "data/ensemble").mkdir()
    weights = dict.fromkeys(registry.schemes(), np.full((len(MEMBERS), CLASSES), 1 / len(MEMBERS)))
    np.savez(root / "data/ensemble/weights.npz", allow_pickle=False, **weights)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The names of all systems that `evaluate` writes, members aside; by file."""
    root = tmp_path_factory.mktemp("project")
    write_inputs(root)
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
