"""A tiny `dvc repro` of the whole pipeline in a copy of the project, and what reruns after a change."""

import json
import re
import shutil
import subprocess
import time

import psutil
import pytest
from ruamel.yaml import YAML

from tests.project import ENVIRONMENT, Project, make_project, ran, tiny_params
from tests.review.workflow import run_step

MLP = {  # what compiles fastest
    "family": "mlp",
    "batch_size": 16,
    "learning_rate": 0.005,
    "epochs": 1,
    "args": {"hidden": [8], "input_dropout": 0.0, "dropout": 0.25, "l2": 1e-6},
}
MEMBERS = ("netvlad-a", "mlp-a", "netvlad-b", "mlp-b")
KINDS = ("original", "augmented")
MEMBER_STAGES = ("train", "finetune", "infer")
SYSTEMS = ("ensemble", "untaught", "student")
AFTER_DISTILL = {"distill", "infer_student", "evaluate", "report"}


def of(stages, names):
    """`STAGE@NAME` of all of them."""
    return {f"{stage}@{name}" for stage in stages for name in names}


TRAIN = of(["train"], MEMBERS)
COMPUTING = of(MEMBER_STAGES, MEMBERS) | of(["train_moe", "infer_moe"], KINDS) | {"distill", "infer_student"}
COMPUTING |= {"untaught", "infer_untaught", "infer_plain"} | of(["train_on", "infer_on"], ["netvlad-b"])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project after its first run; tests use it in order, each leaving it up to date."""
    params = tiny_params()
    params["models"] = {"netvlad": params["models"]["netvlad"], "mlp": MLP}
    project = make_project(tmp_path_factory.mktemp("clone") / "project", params)
    ran = project.side_by_side("--jobs", "2")
    project.commit()
    others = {"simulate@demo", "split", "augment", "members", "fit_ensemble", "evaluate", "report"}
    assert ran == COMPUTING | others
    return project


@pytest.fixture
def copied(project, tmp_path):
    """A copy of the project as it is, which a test may leave as it likes."""
    shutil.copytree(project.root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


def test_the_result_holds_every_model_ensemble_and_the_student(project):
    metrics = json.loads((project.root / "metrics/evaluate/metrics.json").read_text())
    assert metrics.keys() == {"test_gap", "test_map"}
    for values in metrics.values():
        assert values.keys() == {*MEMBERS, "netvlad-b-without", "moe_original", "moe_augmented", *SYSTEMS}
        assert all(0 < value <= 1 for value in values.values())
    table = (project.root / "metrics/evaluate/results.csv").read_text()
    for name in (
        *MEMBERS,
        "netvlad-a-trained",
        "plain_and_original",
        "mean_of_set_b",
        "mean_of_all",
        "per_model",
        "per_class",
        "student",
    ):
        assert f"\n{name}," in table
    differences = (project.root / "metrics/evaluate/differences.csv").read_text()
    assert "\nnetvlad-b,netvlad-b-without," in differences
    weights = (project.root / "metrics/report/table4.md").read_text()
    for text in ("All 4 models", "Set a, 2 models", "per_model (paper)", "gap (beyond)"):
        assert text in weights
    assert "| distilled student" in (project.root / "metrics/report/table2.md").read_text()
    figures = {path.name for path in (project.root / "metrics/report/figures").iterdir()}
    assert figures >= {"table2.png", "counts.png", "embedding.png", "learnt.png", "curves.png"}
    assert "<svg" in (project.root / "metrics/report/index.html").read_text()


def test_the_ensemble_predicts_what_evaluate_scores(project):
    shards = "data/simulated/demo/frame/test*.tfrecord"
    files = ["--output", "data/p.csv", "--labels", "data/l.csv"]
    project.run("yt8m", "predict", "--model", "data/ensemble", "--input", shards, *files)
    found = json.loads(project.run("yt8m", "score", "data/p.csv", "data/l.csv"))
    expected = json.loads((project.root / "metrics/evaluate/metrics.json").read_text())["test_gap"]["ensemble"]
    assert found["gap"] == pytest.approx(expected, abs=1e-6)
    for name in ("data/p.csv", "data/l.csv"):
        (project.root / name).unlink()


def test_a_model_says_how_it_was_made(project):
    made = json.loads((project.root / "data/finetune/netvlad-b/model.json").read_text())["made"]
    assert (made["backend"], made["devices"]) == ("tensorflow", 1)
    assert {"keras", "tensorflow"} <= made["versions"].keys()
    assert made["training"]["schedule"]["learning_rate"] == 0.0005


def test_no_figure_is_logged_twice(project):
    names = ["train/netvlad-a", "finetune/netvlad-a", "finetune/netvlad-b"]
    found = [json.loads((project.root / "metrics" / name / "metrics.json").read_text()) for name in names]
    assert [list(figures) for figures in found] == [["holdout_gap"], [], ["holdout_gap"]]  # the second was passed on


def test_dvc_shows_the_few_metrics_that_matter(project):
    shown = json.loads(project.run("dvc", "metrics", "show", "--json"))[""]["data"]
    assert list(shown) == ["metrics/evaluate/summary.json"]
    (few,) = (entry["data"] for entry in shown.values())
    every = json.loads((project.root / "metrics/evaluate/metrics.json").read_text())
    for key in ("test_gap", "test_map"):
        assert list(few[key]) == ["single", "mean_of_all", "ensemble", "untaught", "student"]
        assert few[key]["single"] in [every[key][name] for name in MEMBERS]
        assert {few[key][name] == every[key][name] for name in SYSTEMS} == {True}


def test_nothing_is_left_to_do_and_nothing_lies_about(project):
    assert project.changed() == set()
    assert project.run("git", "status", "--porcelain") == ""
    assert not list(project.root.rglob("*.partial"))


def test_side_by_side_there_is_nothing_left_to_do_either(project):
    assert "nothing to do in" in project.run("yt8m", "repro")


def test_the_lock_is_in_the_order_of_one_stage_after_the_other(project):
    lines = project.run("dvc", "repro").splitlines()
    order = [line.split("'")[1] for line in lines if line.startswith("Stage ")]
    locked = YAML(typ="safe", pure=True).load(project.lock())["stages"]
    assert list(locked) == order


def test_plots_are_drawn_offline_in_a_clone_without_cache(project, tmp_path):
    clone = Project(tmp_path / "clone")
    project.run("git", "clone", "-q", ".", str(clone.root))
    for words in (["show"], ["diff", "HEAD"]):
        clone.run("dvc", "plots", *words, "-o", "plots")
        page = (clone.root / "plots" / "index.html").read_text()
        for title in ("GAP on test", "Precision against recall", "GAP on the holdout", "weights", "Videos by class"):
            assert title in page
        assert not re.findall(r"<(?:script|link)[^>]*(?:src|href)=", page)


def test_stages_run_again_give_the_same_bytes(project):
    before = project.lock()
    stages = ("code", "simulate@demo", "split", "augment", "train@mlp-b", "finetune@mlp-b", "fit_ensemble", "report")
    project.run("dvc", "repro", "--force", "--single-item", *stages)
    assert project.lock() == before


def test_comments_rerun_code_alone(copied):
    comments = {
        "src/yt8m/core/errors.py": '"""What is wrong with what',
        "src/yt8m/models/mlp/network.py": '"""Hidden layers on',
        "stages/__main__.py": '"""Run a stage',
    }
    for file, said in comments.items():
        copied.edit(file, lambda text, said=said: text.replace(said, f"{said} (edited)", 1) + "\n# edited\n")
    assert copied.repro() == {"code"}
    assert copied.changed() == set()


def test_what_checks_parameters_reruns_code_alone(copied):
    copied.edit("src/yt8m/settings/params.py", lambda text: text + "\nEDITED = 1\n")
    assert copied.repro() == {"code"}


@pytest.mark.parametrize(
    ("part", "stages"),
    [
        ("report/lines.py", {"report"}),
        ("relations/regularizer.py", of(["finetune"], MEMBERS)),
        ("distillation/objective.py", {"distill"}),
    ],
)
def test_an_edited_part_concerns_who_uses_it(copied, part, stages):
    copied.edit(f"src/yt8m/{part}", lambda text: text + "\nEDITED = 1\n")
    assert copied.concerned() == stages


def test_what_gives_the_same_again_ends_there(copied):
    copied.edit("src/yt8m/relations/regularizer.py", lambda text: text + "\nEDITED = 1\n")
    assert copied.repro("infer@mlp-a") == {"code", "finetune@mlp-a"}


def test_an_edited_family_concerns_its_models_alone(copied):
    copied.edit("src/yt8m/models/mlp/network.py", lambda text: text + "\nEDITED = 1\n")
    assert copied.changed() == {"code"}  # the digests are as they were
    student = {"distill", "infer_student", "untaught", "infer_untaught"}  # may be of any model's family
    assert copied.concerned() == of(MEMBER_STAGES, ("mlp-a", "mlp-b")) | student


def test_another_backend_concerns_everything_that_computes(copied):
    copied.edit_params(lambda params: params["train"].update(backend="jax"))
    assert copied.concerned() == COMPUTING


def test_a_new_keras_in_the_lock_concerns_everything_that_computes(copied):
    copied.edit("requirements.lock", lambda text: text.replace("\nkeras==", "\nkeras==9."))
    assert copied.concerned() == COMPUTING


def test_another_name_of_a_class_reruns_split(copied):
    """And what shows it; where the table lies beside a manifest, too."""
    table = copied.root / "classes.csv"
    table.write_text((copied.root / "data/simulated/demo/classes.csv").read_text())
    copied.edit_params(lambda params: params["data"].update(class_names="classes.csv"))
    assert copied.repro() == {"split"}
    table.write_text(table.read_text().replace("Game", "Play"))
    assert copied.repro() == {"split", "report"}


def test_a_changed_argument_concerns_its_model_alone(copied):
    copied.edit_params(lambda params: params["models"]["mlp"]["args"].update(hidden=[7]))
    models = {"code", "members"}  # which only look whether a model or a family has changed
    student = {"distill", "untaught"}  # may be like any model
    assert copied.changed() == {"train@mlp-a", "train@mlp-b"} | models | student


def test_another_seed_of_a_set_concerns_that_set_alone(copied):
    copied.edit_params(lambda params: params["sets"]["b"].update(seed=3))
    assert copied.changed() == {"train@mlp-b", "train@netvlad-b", "members"}


def test_a_wrong_parameter_is_refused_before_work_starts(copied):
    copied.edit_params(lambda params: params["distill"].update({"lambda": 1.5}))
    errors = copied.refused("dvc", "repro")
    assert "distill.lambda: expected" in errors
    assert "received 1.5" in errors


def test_the_workflow_fails_for_a_stale_lock_and_not_for_a_comment(project, tmp_path):
    """In a clone, which has no data."""
    project.run("git", "clone", "-q", ".", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.edit("src/yt8m/models/mlp/network.py", lambda text: text + "\n# edited\n")
    done = run_step("Check", clone.root)
    assert done.returncode == 0, done.stderr
    clone.edit("src/yt8m/models/mlp/network.py", lambda text: text + "\nEDITED = 1\n")
    assert "dvc.lock is stale: `dvc repro` would run 10 (train@mlp-a, " in run_step("Check", clone.root).stderr
    clone.run("git", "checkout", "-q", ".")
    clone.edit_params(lambda params: params["distill"].update(seed=8))
    assert "would run 2 (distill, untaught)" in run_step("Check", clone.root).stderr


def test_an_experiment_with_lambda_reruns_what_follows_distill(project):
    """And a commit behind it shows a reviewer what has changed."""
    assert ran(project.run("dvc", "exp", "run", "-S", "distill.lambda=0.5")) == AFTER_DISTILL
    diff = json.loads(project.run("dvc", "metrics", "diff", "--json"))
    rows = [(name, key) for name, keys in diff.items() for key in keys]
    values = [entry["new"] for keys in diff.values() for entry in keys.values()]
    assert ("metrics/evaluate/summary.json", "test_gap.student") in rows
    assert len(rows) <= 8
    assert len(values) == len(set(values))

    assert "??" not in project.run("git", "status", "--porcelain")
    project.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qam", "lambda")
    assert project.run("git", "status", "--porcelain") == ""
    names = project.run("git", "show", "--name-only", "--format=", "HEAD").split()
    assert {"params.yaml", "dvc.lock", "metrics/evaluate/metrics.json", "metrics/evaluate/results.csv"} <= set(names)
    review = project.run("yt8m", "review", "HEAD~1")
    assert "Stale" not in review
    assert "| distill, report | `distill.lambda` |" in review
    shown = {line.split()[1] for line in review.splitlines() if line.startswith("| ")}
    assert "student" in shown
    assert not shown.intersection(MEMBERS)


def test_a_student_over_the_limit_fails_with_both_sizes_and_fits_in_half_precision(copied):
    folder = copied.root / "data/distill"
    size = sum(path.stat().st_size for path in folder.iterdir())
    copied.edit_params(lambda params: params["distill"].update({"max_bytes": size - 1}))
    errors = copied.refused("dvc", "repro")
    assert f"expected a model of at most {size - 1:,} bytes, received {size:,} bytes" in errors
    assert not folder.exists()
    assert not list(copied.root.rglob("*.partial"))
    copied.edit_params(lambda params: params["distill"].update({"storage": "float16"}))
    assert copied.repro("distill") == {"distill"}
    assert sum(path.stat().st_size for path in folder.iterdir()) < size


def test_a_killed_run_leaves_nothing_half_written_and_no_process(copied):
    """Killed alone, while a stage trains; the next call goes on."""
    copied.edit_params(lambda params: params["distill"].update(seed=8))
    log = copied.root / "data/runs/logs/distill.log"
    log.unlink()
    with subprocess.Popen(["yt8m", "repro"], cwd=copied.root, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as running:
        while not log.exists() or "\ndistill:" not in log.read_text():  # until the model is built
            assert running.poll() is None
            time.sleep(0.05)
        children = psutil.Process(running.pid).children(recursive=True)
        running.kill()
    _, alive = psutil.wait_procs(children, 20)
    assert not alive
    assert not (copied.root / "data/distill").exists()
    assert copied.side_by_side("distill") == {"distill"}
    assert "distill" not in copied.changed()
    assert not list(copied.root.rglob("*.partial"))


def test_a_stage_that_fails_is_named_with_its_words(copied):
    copied.edit_params(lambda params: params["data"].update(class_names="none.csv"))
    done = subprocess.run(["yt8m", "repro"], cwd=copied.root, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "split failed; data/runs/logs/split.log ends with:" in done.stdout
    assert "none.csv" in done.stdout
    assert re.search(r"1 failed, \d+ held back", done.stdout)


def test_models_and_sets_come_and_go(project):
    """Nothing of those that go is read any more, nor lies about; their entries in the lock mean nothing to DVC."""

    def swap(params):
        del params["models"]["mlp"], params["sets"]["b"]
        params["sets"]["c"] = {"seed": 3, "finetune": False}
        params["evaluate"]["related"] = []

    project.edit_params(swap)
    after = {"code", "members", "fit_ensemble", "untaught", "infer_untaught", *AFTER_DISTILL}
    assert project.repro() == of(MEMBER_STAGES, ["netvlad-c"]) | after
    assert project.changed() == set()
    found = (path for folder in ("data", "metrics") for path in (project.root / folder).rglob("*-[abc]*"))
    kept = {"runs", "code"}  # logs, and the digests of what Table 2 shows
    left = {path.name for path in found if not kept.intersection(path.parts)}
    assert left == {"netvlad-a", "netvlad-a.parquet", "netvlad-c", "netvlad-c.parquet"}
    table = (project.root / "metrics/evaluate/results.csv").read_text()
    assert "netvlad-c" in table
    assert "mlp" not in table
    assert "netvlad-b" not in table
