"""What the stage `report` shows, a function a section: tables that stages wrote, as figures and tables of the page."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from stages._curves import Row, curves, logged_rows
from stages._places import DIFFERENCES, LABEL_COUNTS, METRICS, RESULTS, WEIGHTS
from stages._shown import BY_CLASS, CALIBRATION, FREQUENCY, MODELS, PRECISION_RECALL
from yt8m.core.files import read_csv, read_json, write_csv
from yt8m.report import bars, lines
from yt8m.report.page import Page, Table
from yt8m.scoring.table2 import System
from yt8m.settings.params import STUDENT, UNTAUGHT, Params

OUT = METRICS / "report"
SHOWN, LEAST = 10, 5  # classes in a table of the hardest, and the test labels that each has at least
PAPER = {"before": 5_001_275, "after": 23_590_464}  # Table 3
VERDICTS = {"better": "▲ better", "worse": "▼ worse", "no difference": "= no difference"}
METRIC_NAMES = {"test_gap": "GAP test", "test_map": "mAP", "test_hit1": "Hit@1", "test_perr": "PERR"}


class Known:
    """What other stages found.

    Attributes:
        results: rows by system, of its metrics.
        models: rows by model, of its size.
        ensemble: the name of the one that teaches.
        best: whether the holdout has chosen it; or the parameters have.
        members: the names of its models.
        labels: names for people, of the systems that have one.
    """

    def __init__(self, members: Sequence[str], table: Sequence[System], best: bool):
        self.results = {row["model"]: row for row in read_csv(RESULTS)}
        self.models = {row["model"]: row for row in read_csv(MODELS)}
        teacher = read_json(METRICS / "fit_ensemble" / "metrics.json")["teacher"]
        self.ensemble = "mean_of_all" if teacher == "equal" else teacher
        self.best = best
        self.members = list(members)
        self.labels = {row.system: row.label for row in table}

    def label(self, system: str) -> str:
        """A system for people."""
        if system == self.ensemble:
            return f"{'best' if self.best else 'teaching'} ensemble ({self.labels.get(system, system)})"
        if system in self.members:
            return f"best single model on the holdout ({system})"
        return self.labels.get(system, system)

    def gap(self, system: str) -> tuple[float, float]:
        """GAP on test and its standard error."""
        return float(self.results[system]["test_gap"]), float(self.results[system]["gap_error"])


def answer(page: Page, known: Known, params: Params, names: Sequence[str]) -> None:
    """The line on top, and how many videos there are."""
    (gap, error), (student_gap, student_error) = known.gap(known.ensemble), known.gap(STUDENT)
    counts = read_json(METRICS / "split" / "metrics.json")
    page.say(
        ensemble=known.label(known.ensemble),
        best=known.best,
        members=len(known.members),
        ensemble_gap=gap,
        ensemble_error=error,
        ensemble_bytes=sum(int(known.models[name]["bytes"]) for name in known.members),
        student_gap=student_gap,
        student_error=student_error,
        student_bytes=int(known.models[STUDENT]["bytes"]),
        kept=f"{100 * student_gap / gap:.1f}" if gap else "0",
        classes=len(names),
        paper=params.evaluate.paper,
        several=params.distill.members > 1,
        networks=params.distill.members,
        share=f"{params.distill.share:g}",
        extra="extra" in counts,
        **{f"{split}_videos": found["videos"] for split, found in counts.items()},
    )


def table2(page: Page, table: Sequence[System], known: Known, params: Params) -> None:
    """Table 2, each row beside what it must beat, and its figure."""
    differences = {row["system"]: row for row in read_csv(DIFFERENCES)}
    header = ("system", "test GAP", "against", "difference", "verdict", "paper's GAP")
    rows = []
    for row in table:
        against = ("", "", "")
        if than := differences.get(row.system):
            changed = f"{float(than['difference']):+.4f} ± {float(than['error']):.4f}"
            against = (known.label(than["control"]), changed, VERDICTS[than["verdict"]])
        gap = "{:.4f} ± {:.4f}".format(*known.gap(row.system))
        rows.append((row.label, gap, *against, row.paper))
    shown = len(header) if params.evaluate.paper else -1
    page.list("table2", Table(header[:shown], [row[:shown] for row in rows]))
    points = {row.label: known.gap(row.system) for row in table}
    page.draw("table2", "Test GAP of the rows of Table 2", bars.interval_figure(points, "test GAP"))


def models(page: Page, known: Known) -> None:
    """Every single model."""
    header = ("model", "family", "parameters", "bytes", "GAP train", "GAP holdout", *METRIC_NAMES.values())
    rows = []
    for name, row in known.models.items():
        figures = [float(row[key]) for key in ("train_gap", "holdout_gap")]
        figures += [float(known.results[name][key]) for key in METRIC_NAMES]
        rows.append((name, row["family"], int(row["parameters"]), int(row["bytes"]), *figures))
    page.list("models", Table.of(header, rows))


def training(page: Page, known: Known) -> None:
    """Loss and GAP by step; one table of all, which DVC draws too."""
    rows = logged_rows(known.members)
    write_csv(OUT / "curves.csv", Row._fields, rows)
    page.draw("curves", "Loss and GAP by step of all models", lines.curve_figure(curves(rows)))


def augmentation(page: Page, params: Params) -> None:
    """Table 3 and Fig. 2."""
    made = read_json(METRICS / "augment" / "metrics.json")
    rows: list[tuple[object, ...]] = [(key, made[key], PAPER[key]) for key in PAPER]
    rows += [(f"of them {key}", made[key], "") for key in list(made)[3:]]  # behind both and their ratio
    shown = 3 if params.evaluate.paper else 2
    page.list("augmentation", Table.of(("", "videos", "paper's")[:shown], [row[:shown] for row in rows]))
    before, after = np.loadtxt(LABEL_COUNTS, np.int64, delimiter=",", skiprows=1, usecols=(1, 2), ndmin=2).T
    order = np.argsort(-before, kind="stable")
    page.draw("counts", "Training videos by class", lines.count_figure(before[order], after[order]))


def weights(page: Page) -> None:
    """Table 4 of all members, the paper's schemes first."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in sorted(read_csv(WEIGHTS), key=lambda row: row["of"] != "paper"):
        if not row["set"]:
            found[f"{row['scheme']} ({row['of']})"][row["model"]] = float(row["weight"])
    page.draw("weights", "Weights of the models by scheme", bars.weight_figure(found))


def precision(page: Page, known: Known) -> None:
    """Precision against recall."""
    found = _points(read_csv(PRECISION_RECALL), "recall", "precision")
    page.draw(
        "precision",
        "Precision against recall",
        lines.precision_figure({known.label(name): points for name, points in found.items()}),
    )


def calibration(page: Page, known: Known) -> None:
    """How well scores are probabilities."""
    found = _points(read_csv(CALIBRATION), "score", "right")
    shown = {known.label(name): found.pop(name) for name in (known.ensemble, STUDENT)}
    page.draw(
        "calibration",
        "Share of right predictions by score",
        lines.calibration_figure(shown, found, f"the {len(found)} single models"),
    )


def frequency(page: Page, known: Known) -> None:
    """GAP by how frequent classes are."""
    gaps: dict[str, list[float]] = defaultdict(list)
    groups: dict[str, None] = {}
    for row in read_csv(FREQUENCY):
        gaps[row["model"]].append(float(row["gap"] or "nan"))
        groups[row["fewest"] if row["fewest"] == row["most"] else f"{row['fewest']} to\n{row['most']}"] = None
    named = {known.label(name): found for name, found in gaps.items()}
    drawn = bars.grouped_figure(named, list(groups), "training videos of the class", "test GAP")
    page.draw("frequency", "GAP by class frequency", drawn)


def classes(page: Page, known: Known, names: Sequence[str]) -> None:
    """The hardest and the easiest, by name."""
    by_class: dict[int, dict[str, Mapping[str, str]]] = defaultdict(dict)
    for row in read_csv(BY_CLASS):
        by_class[int(row["index"])][row["model"]] = row
    rows: list[tuple[str, int, int, float, float]] = []
    for index, of in by_class.items():
        ensemble = of[known.ensemble]
        if int(ensemble["test_labels"]) >= LEAST:
            counts = int(ensemble["train_videos"]), int(ensemble["test_labels"])
            rows.append((names[index], *counts, float(ensemble["gap"]), float(of[STUDENT]["gap"])))
    rows.sort(key=lambda row: row[3])
    header = ("class", "training videos", "test labels", "ensemble", "student")
    page.say(least=LEAST)
    page.list("hardest", Table.of(header, rows[:SHOWN]))
    page.list("easiest", Table.of(header, rows[: -SHOWN - 1 : -1]))


def distillation(page: Page, known: Known) -> None:
    """The student beside its model on labels alone."""
    points = {known.labels[name]: known.gap(name) for name in (UNTAUGHT, STUDENT)}
    page.draw("distillation", "Test GAP with and without a teacher", bars.interval_figure(points, "test GAP"))


def _points(rows: Sequence[Mapping[str, str]], x: str, y: str) -> dict[str, lines.Points]:
    """Points by model."""
    found: dict[str, lines.Points] = defaultdict(list)
    for row in rows:
        found[row["model"]].append((float(row[x]), float(row[y])))
    return dict(found)
