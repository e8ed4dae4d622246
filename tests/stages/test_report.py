"""The page: its figures are those of the metrics files, and what is missing is left out."""

import re
import shutil
from contextlib import chdir
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stages import evaluate, report
from tests.pipeline import load_yaml
from tests.stages.made import CLASSES, MEMBERS, write_scored, write_trained
from yt8m.core.files import read_csv, read_json, write_csv, write_json
from yt8m.settings.loading import parse

FINETUNED = "netvlad-b"


class Tables(HTMLParser):
    """The rows of all tables, as words, and where links lead."""

    def __init__(self, text: str):
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.links += [value for key, value in attrs if key in ("href", "src", "xlink:href")]
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        if self.inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def params_of(**evaluated):
    content = load_yaml("tests/params.yaml")
    content["evaluate"].update(evaluated)
    return parse(content)


def written(**evaluated) -> str:
    report.main(params_of(**evaluated))
    return Path("metrics/report/index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with all that the stage reads and writes."""
    folder = tmp_path_factory.mktemp("project")
    with chdir(folder):
        write_scored(folder)
        write_trained(folder, FINETUNED)
        evaluate.main(params_of())
        written()
    return folder


@pytest.fixture
def page(made, monkeypatch):
    """The page's text, in its folder, for tests that change nothing."""
    monkeypatch.chdir(made)
    return Path("metrics/report/index.html").read_text(encoding="utf-8")


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy of the folder, which a test may leave as it likes."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def row(tables: Tables, name: str) -> list[str]:
    (found,) = (row for row in tables.rows if row[:1] == [name])
    return found


def test_the_page_has_the_figures_of_the_metrics_files(page):
    tables = Tables(page)
    results = {found["model"]: found for found in read_csv("metrics/evaluate/results.csv")}
    for model in read_csv("metrics/evaluate/models.csv"):
        found = results[model["model"]]
        counts = [model["family"], *(f"{int(model[key]):,}" for key in ("parameters", "bytes"))]
        gaps = [model[f"{split}_gap"] for split in ("train", "holdout")]
        gaps += [found[f"test_{key}"] for key in ("gap", "map", "hit1", "perr")]
        assert row(tables, model["model"])[1:] == [*counts, *(f"{float(gap):.4f}" for gap in gaps)]
    differences = {found["system"]: found for found in read_csv("metrics/evaluate/differences.csv")}
    than, found = differences["student"], results["student"]
    _, gap, against, difference, verdict, paper = row(tables, "distilled student")
    assert gap == f"{float(found['test_gap']):.4f} ± {float(found['gap_error']):.4f}"
    assert against == "the student's model, on labels alone"
    assert difference == f"{float(than['difference']):+.4f} ± {float(than['error']):.4f}"
    assert verdict.endswith(than["verdict"])
    assert paper == "87.32"
    assert row(tables, "after")[1:] == ["90", "23,590,464"]
    (answer,) = re.findall(r'class="answer">(.*?)</p>', page, re.DOTALL)
    assert f"{float(results['per_model']['test_gap']):.4f} ±" in answer
    assert f"{float(found['test_gap']):.4f} ±" in answer
    size = sum(int(model["bytes"]) for model in read_csv("metrics/evaluate/models.csv") if model["model"] in MEMBERS)
    assert f"{size:,} bytes" in answer


def test_classes_are_listed_from_the_hardest_to_the_easiest(project):
    write_csv(
        "metrics/evaluate/classes.csv",
        ("model", "index", "train_videos", "test_labels", "gap"),
        [(name, index, 7, 4 + index, index / 10) for name in ("per_model", "student") for index in range(CLASSES)],
    )
    found = [row for row in Tables(written()).rows if row[1:2] == ["7"]]
    assert found[0] == ["name 1 <&>", "7", "5", "0.1000", "0.1000"]  # the first has too few labels
    names = [int(row[0].split()[1]) for row in found]
    assert names == [*range(1, CLASSES), *range(CLASSES - 1, 0, -1)]


def test_what_the_student_learns_from_is_said(project):
    text = " ".join(Path("metrics/report/index.html").read_text(encoding="utf-8").split())
    assert "The student is 2 networks in one model, whose scores are averaged." in text
    assert "extra videos" not in text
    counts = read_json(Path("metrics/split/metrics.json"))
    write_json(Path("metrics/split/metrics.json"), counts | {"extra": {"videos": 1234}})
    assert "The student also learns from 1,234 extra videos," in " ".join(written().split())


def test_the_page_stands_alone(page):
    links = Tables(page).links
    assert {link for link in links if not link.startswith(("#", "data:"))} == {
        "table4.md",
        "relations.csv",
        "../../data/runs/history.json",
    }
    assert "<script" not in page
    assert "@import" not in page
    assert "url(http" not in page
    assert len(page) < 5_000_000
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_every_figure_of_the_page_is_a_file_too(page):
    drawn = set(re.findall(r'<figure id="(\w+)"', page))
    assert drawn == {path.stem for path in Path("metrics/report/figures").glob("*.png")}
    assert len(drawn) == 11


def test_the_same_bytes_again(project):
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in Path("metrics/report").rglob("*") if path.is_file()}

    first = files()
    written()
    assert files() == first


def test_curves_go_on_where_training_ended(page):
    rows = [found for found in read_csv("metrics/report/curves.csv") if found["group"] == "netvlad"]
    of_set = {name: [found for found in rows if found["line"] == f"set {name}"] for name in "ab"}
    assert [found["step"] for found in of_set["a"]] == ["0", "10", "20"]
    assert [found["step"] for found in of_set["b"]] == ["0", "10", "20", "20", "30", "40"]
    assert [found["training"] for found in of_set["b"]] == ["labels"] * 3 + ["label relations"] * 3
    assert [found["loss"] for found in of_set["a"]] == ["", "3.5", "2.5"]


def test_without_the_papers_figures(project):
    text = written(paper=False)
    assert "23,590,464" not in text
    assert "paper's GAP" not in text
    assert "87.32" not in text


def test_without_label_relations(project):
    """Nor does the figure of another run stay."""
    (project / "data/finetune" / FINETUNED / "omega.npz").unlink()
    assert Path("metrics/report/figures/learnt.png").exists()
    text = written(related=[])
    assert "Omega" not in text
    assert not Path("metrics/report/figures/learnt.png").exists()


def test_where_equal_weights_are_best(project):
    write_json("metrics/fit_ensemble/metrics.json", {"teacher": "equal"})
    evaluate.main(params_of())
    assert read_json("metrics/evaluate/summary.json")["teacher"] == "equal"
    assert "The best ensemble (mean of all 4 models), 4 models," in written()


def test_too_few_labels_of_each_class(project):
    header = ("model", "index", "train_videos", "test_labels", "gap")
    rows = [(name, 0, 1, 1, 0.5) for name in ("per_model", "student")]
    write_csv("metrics/evaluate/classes.csv", header, rows)
    assert "Hardest" not in written()


def test_an_ensemble_that_the_parameters_choose_is_not_called_the_best(project):
    content = load_yaml("tests/params.yaml")
    content["ensemble"]["teacher"] = "per_model"
    report.main(parse(content))
    text = Path("metrics/report/index.html").read_text(encoding="utf-8")
    assert "The teaching ensemble (learnt weights, per model), 4 models," in text
    assert "best ensemble" not in text.lower()
