"""Model cards: what they say of a model of the project, and that they say nothing of another."""

import json
import shutil
from pathlib import Path

import pytest

from tests.records.made import SCHEMA
from yt8m.cli import main
from yt8m.commands._project import known
from yt8m.core.schema import Level

ROW = "student,0.91060785,0.7905,0.8875,0.8423,0.00489\n"


@pytest.fixture
def project(trained, tmp_path, monkeypatch):
    """The project's folder, which is the current one: a student, and what was measured of it."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained(Level.FRAME), "data/distill")
    data = {
        "source": "somewhere/mine",
        "cache_gb": 1,
        "frames": "*.tfrecord",
        "videos": None,
        "class_names": "classes.csv",
        "schema": SCHEMA.model_dump(),
    }
    split = {"patterns": {"train": ["a"], "holdout": ["b"], "test": ["c"], "extra": []}}
    (tmp_path / "params.yaml").write_text(json.dumps({"data": data, "split": split}))
    videos = {"train": {"videos": 3920}, "holdout": {"videos": 400}, "test": {"videos": 960}}
    for name, text in {
        "split/metrics.json": json.dumps(videos),
        "evaluate/results.csv": f"model,test_gap,test_map,test_hit1,test_perr,gap_error\n{ROW}",
    }.items():
        (tmp_path / "metrics" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "metrics" / name).write_text(text)
    return tmp_path


def card(model="data/distill", output="out"):
    main(["export", "--model", str(model), "--output", output])
    return Path(output, "README.md").read_text(encoding="utf-8")


def test_a_model_of_the_project(project):
    found = card()
    assert "- Data set: `mine`.\n- Videos: 3,920 train, 400 holdout, 960 test.\n" in found
    assert "On 960 test videos" in found
    assert "| GAP@20 | 0.9106 ± 0.0049 |\n| mAP | 0.7905 |\n| Hit@1 | 0.8875 |\n| PERR | 0.8423 |" in found
    assert "metrics: [gap, map, hit1, perr]" in found


@pytest.mark.parametrize(
    ("folder", "scheme", "row"),
    [
        ("data/distill", None, "student"),
        ("data/untaught", None, "untaught"),
        ("data/finetune/netvlad-a", None, "netvlad-a"),
        ("data/train_moe/augmented", None, "moe_augmented"),
        ("data/ensemble", "exact_per_class", "exact_per_class"),
        ("data/ensemble", "equal", "mean_of_all"),
        ("data/train/netvlad-a", None, None),
        ("models/distill", None, None),
    ],
)
def test_which_results_are_a_models(project, folder, scheme, row):
    rows = ["student", "untaught", "netvlad-a", "moe_augmented", "exact_per_class", "mean_of_all"]
    table = "".join(f"{name},{number}\n" for number, name in enumerate(rows))
    Path("metrics/evaluate/results.csv").write_text(f"model,test_gap\n{table}")
    found = known(Path(folder), scheme, SCHEMA)
    assert (found.test["test_gap"] if found else None) == (rows.index(row) if row else None)


def says_nothing(found):
    return "- Data set: not known here.\n- Videos: not known here.\n" in found and "0.91" not in found


def test_a_model_from_elsewhere(project, trained):
    """A folder of the same name, below another one."""
    shutil.copytree(trained(Level.FRAME), "elsewhere/data/distill")
    assert says_nothing(card("elsewhere/data/distill"))


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "params.yaml").unlink(),
        lambda folder: (folder / "params.yaml").write_text("data: 3"),
        lambda folder: (folder / "metrics/split/metrics.json").unlink(),
        lambda folder: (folder / "params.yaml").write_text(
            (folder / "params.yaml").read_text().replace('"classes": 10', '"classes": 11')
        ),
    ],
    ids=["no parameters", "wrong parameters", "no split", "parameters of other data"],
)
def test_a_project_of_other_data_or_none(project, change):
    change(project)
    assert says_nothing(card())


def test_a_project_that_has_not_evaluated_yet(project):
    (project / "metrics/evaluate/results.csv").unlink()
    found = card()
    assert "- Data set: `mine`." in found
    assert "## Metrics\n\nNot known here.\n" in found
    assert "metrics: []" in found


def test_how_a_model_was_made(project):
    path = project / "data" / "distill" / "model.json"
    made = {"versions": {"keras": "3.15.0", "numpy": "2.3.1"}, "training": {"seed": 7}}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"made": made}))
    assert "| trained with | keras 3.15.0, numpy 2.3.1; seed 7 |\n" in card()


def test_the_front_matter_and_the_licence(trained, project):
    found = card()
    assert found.startswith("---\nlicense: other\n")
    assert "library_name: tensorflow\n" in found
    assert "tags: [video-classification, netvlad]\n" in found
    assert "Apache-2.0" in found
    assert "CC BY 4.0" in found
    assert "$" not in found
