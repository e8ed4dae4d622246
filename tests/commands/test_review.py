"""What `yt8m review` prints, of a repository in which nothing has run."""

import os

import numpy as np
import pytest

from tests.project import ENVIRONMENT
from tests.review.made import GAPS, Repository, params
from tests.review.workflow import run_step
from yt8m.cli import main
from yt8m.commands import review
from yt8m.core.errors import InputError
from yt8m.review import stale
from yt8m.scoring.predictions import Store, writer


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A commit on main, and the working tree with the same run."""
    monkeypatch.chdir(tmp_path)
    found = Repository(tmp_path)
    found.record(params(), GAPS)
    found.commit()
    return found


@pytest.fixture
def reviewed(capsys):
    """A function that prints the review and returns its lines."""

    def run(*words):
        main(["review", *words])
        return capsys.readouterr().out.splitlines()

    return run


def row(lines, name):
    """The cells of a table's row."""
    (found,) = [line for line in lines if line.startswith(f"| {name} ")]
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def test_parameters_are_shown_in_full(repository, reviewed):
    repository.record(params(models__gru__args={"l2": 1e-6}), GAPS)
    lines = reviewed()
    assert row(lines, "`models.gru.args.l2`") == ["-", "1e-06"]
    assert row(lines, "`models.gru.args.units`") == ["4", "-"]


def test_without_changes_all_is_the_same(repository, reviewed):
    lines = reviewed()
    assert lines[0] == "<!-- yt8m review -->"
    expected = "**Test GAP: student 0.8300 → 0.8300 (the same); best ensemble 0.8500 → 0.8500 (the same).**"
    assert lines[2].startswith(expected)
    assert "None has changed." in lines
    assert "None." in lines
    assert not any("Stale" in line or "<details>" in line for line in lines)


def test_figures_of_one_side_alone_are_no_obstacle(repository, reviewed):
    (repository.root / "metrics/train/gru-b/metrics.json").unlink()
    new = repository.root / "metrics/train/new-a/metrics.json"
    new.parent.mkdir()
    new.write_text('{"holdout_gap": 0.5}')
    repository.record(params(), GAPS | {"netvlad-a": 0.9})
    (repository.root / "metrics/train/gru-b/metrics.json").unlink()
    assert row(reviewed(), "netvlad-a")[0] == "0.8100 → 0.9100"


def test_one_models_change_is_shown_alone(repository, reviewed):
    repository.git("checkout", "-q", "-b", "hidden")
    changed = GAPS | {"netvlad-a": 0.9, "netvlad-b": 0.89, "gap": 0.852, "student": 0.75}
    repository.record(params(models__netvlad__args__hidden=16), changed)
    lines = reviewed("main")
    assert "student 0.8300 → 0.7500 (-0.0800, worse); best ensemble 0.8500 → 0.8520 (+0.0020, noise)" in lines[2]
    assert row(lines, "netvlad-a")[:5] == ["0.8100 → 0.9100", "-", "0.8000", "0.9000", "+0.1000"]
    assert row(lines, "netvlad-a")[-1] == "better"
    assert row(lines, "netvlad-b")[-1] == "better"
    assert "The same as before: gru-a, gru-b, moe_original, netvlad-a-without." in lines
    assert row(lines, "`models.netvlad.args.hidden`") == ["8", "16"]
    assert "| train@netvlad-a, train@netvlad-b, distill | `models.netvlad.args.hidden` |" in lines
    assert "And what follows them: evaluate." in lines
    assert any("3 pairs" in line and "standard errors in metrics" in line for line in lines)


def test_what_was_chosen_otherwise_is_said(repository, reviewed):
    def choose(family, scheme):
        models, teacher = (
            repository.root / path for path in ("metrics/evaluate/models.csv", "metrics/fit_ensemble/metrics.json")
        )
        models.write_text(f"model,family,bytes\ngru-a,gru,8\nstudent,{family},8\n")
        teacher.parent.mkdir(exist_ok=True)
        teacher.write_text(f'{{"teacher": "{scheme}"}}')

    choose("gru", "gap")
    repository.commit()
    assert not any("Chosen otherwise" in line for line in reviewed())
    choose("dbow", "equal")
    assert [line for line in reviewed() if "Chosen otherwise" in line] == [
        "> **Chosen otherwise**: the student's family, gru → dbow.",
        "> **Chosen otherwise**: the best ensemble's weights, gap → equal.",
    ]


def test_what_came_into_the_base_later_is_not_compared(repository, reviewed):
    repository.git("branch", "other")
    repository.record(params(distill__seed=8), GAPS | {"student": 0.5})
    repository.commit()
    repository.git("checkout", "-q", "other")
    assert "(the same); best" in reviewed("main")[2]


def test_a_model_that_is_new_or_gone_says_so(repository, reviewed):
    old = {name: gap for name, gap in GAPS.items() if name != "moe_original"} | {"moe_other": 0.5}
    repository.record(params(), old)
    lines = reviewed()
    assert row(lines, "moe_original")[2:] == ["0.6000", "-", "", "", "removed"]
    assert row(lines, "moe_other")[2:] == ["-", "0.5000", "", "", "new"]


def test_other_data_another_split_and_another_top_k_are_refused(repository, capsys):
    changed = params(split__patterns__test=["other"], infer__top_k=30)
    repository.record(changed, GAPS | {"student": 0.9}, videos="w" * 32)
    with pytest.raises(SystemExit) as ended:
        main(["review"])
    assert ended.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("**Not comparable** with ")
    assert "other videos, or another split of them: data/split/frames/train.tsv, data/split/frames/test.tsv" in lines[2]
    assert "(by split.patterns.test)" in lines[2]
    assert "another infer.top_k: 20, then 30" in lines[2]
    assert not any("0.9" in line for line in lines)
    assert row(lines, "`infer.top_k`") == ["20", "30"]


def test_values_that_dvc_lock_has_not_recorded_are_named(repository, reviewed):
    table = repository.root / "metrics/evaluate/results.csv"
    table.write_text(table.read_text() + "more,0.5,0.1\n")
    text = (repository.root / "params.yaml").read_text()
    (repository.root / "params.yaml").write_text(text.replace("hidden: 8", "hidden: 9"))
    (line,) = [line for line in reviewed() if "Stale" in line]
    assert "in the working tree" in line
    assert "2 (models.netvlad.args.hidden, metrics/evaluate/results.csv)" in line


def test_predictions_at_hand_are_resampled_together(repository, reviewed, tmp_path):
    """Two models that are right about nearly the same videos differ surely, also where each figure's error is large."""
    sums = []
    for wrong in (30, 60):
        path = tmp_path / f"{wrong}.parquet"
        with writer(path, 2, 2) as out:
            scores = np.where(np.arange(300)[:, None] < wrong, [0.1, 0.9], [0.9, 0.1])
            out.write([f"{number}" for number in range(300)], [np.array([0])] * 300, scores)
        sums.append(repository.cache(Store(path)))
        path.unlink()
    repository.record(params(), GAPS, error=0.2, predictions={"gru-a": sums[0]})
    repository.commit()
    after = GAPS | {"gru-a": 0.6, "moe_original": 0.5}
    repository.record(params(), after, error=0.2, predictions={"gru-a": sums[1]})
    lines = reviewed("HEAD")
    assert row(lines, "gru-a")[-1] == "worse"
    assert row(lines, "moe_original")[-1] == "noise"
    assert any(line.startswith("1 of 2 changes") for line in lines)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda root: None, ["nosuch", "expected a commit to compare with, received 'nosuch'"]),
        (lambda root: (root / "dvc.lock").unlink(), ["main", "the working tree: expected dvc.lock, found none"]),
        (
            lambda root: (root / "metrics/evaluate/results.csv").unlink(),
            ["main", "expected metrics/evaluate/results.csv, found none"],
        ),
        (
            lambda root: (root / "dvc.lock").write_text("stages: {split: {cmd: x}}\n"),
            ["main", "expected dvc.lock of a whole run, it has no distill, infer_student, evaluate"],
        ),
    ],
)
def test_what_is_not_there_is_named(repository, fails, spoil, words):
    base, said = words
    spoil(repository.root)
    assert said in fails("review", base)


def test_outside_of_a_repository_it_says_so(tmp_path, monkeypatch, fails):
    monkeypatch.chdir(tmp_path)
    assert "not a git repository" in fails("review")


def test_the_check_fails_for_stages_that_would_run(monkeypatch, capsys):
    monkeypatch.setattr(stale, "stale_stages", dict)
    assert review.run("main", True) == 0
    assert capsys.readouterr().out == "dvc.lock is what `dvc repro` leaves\n"
    monkeypatch.setattr(stale, "stale_stages", lambda: {"split": ["data"], "train@a": ["models.a"]})
    with pytest.raises(InputError, match=r"stale: `dvc repro` would run 2 \(split, train@a\)"):
        review.run("main", True)


@pytest.mark.parametrize("top_k", [20, 30])
def test_the_workflow_reports_what_is_compared_and_what_is_refused(repository, tmp_path, top_k):
    repository.record(params(infer__top_k=top_k), GAPS)
    (tmp_path / "temp").mkdir()
    summary = tmp_path / "temp/summary.md"
    done = run_step("Report", tmp_path, BASE="main", RUNNER_TEMP=str(summary.parent), GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    assert ("Not comparable" in summary.read_text()) == (top_k == 30)
    done = run_step("Report", tmp_path, BASE="none", RUNNER_TEMP=str(summary.parent), GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode
    assert "received 'none'" in done.stderr


@pytest.mark.parametrize(
    ("found", "called"),
    [("", "--silent repos/o/r/issues/3/comments"), ("17", "--silent --method PATCH repos/o/r/issues/comments/17")],
)
def test_the_workflow_has_one_comment(tmp_path, monkeypatch, found, called):
    """GitHub's tool is a script here that says what it is asked for."""
    tool = tmp_path / "gh"
    tool.write_text(f'#!/bin/sh\necho "$@" >> calls\ncase "$*" in *jq*) echo {found};; esac\n')
    tool.chmod(0o755)
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"{tmp_path}{os.pathsep}{ENVIRONMENT['PATH']}")
    done = run_step("Comment", tmp_path, GITHUB_REPOSITORY="o/r", NUMBER="3", RUNNER_TEMP="temp")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "calls").read_text().splitlines()[1:] == [f"api {called} -F body=@temp/review.md"]
