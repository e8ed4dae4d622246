"""Draw every figure and write every table for people: `python -m stages report`.

Nothing is computed here that another stage reads.
"""

from pathlib import Path

import numpy as np

from stages._places import (
    CLASSES,
    DATA,
    DIFFERENCES,
    LABEL_COUNTS,
    MEMBERS,
    METRICS,
    POINTS,
    RESULTS,
    TEACHER,
    WEIGHTS,
)
from stages._tables import rows_of
from yt8m.core.files import read_json, whole, write_csv, write_text
from yt8m.relations import omega
from yt8m.relations.labels import HEADER, Labels
from yt8m.report.embedding import embed
from yt8m.report.figures import bar_figure, embedding_figure, label_count_figure, relations_figure
from yt8m.report.tables import markdown, table4
from yt8m.scoring.predictions import Store
from yt8m.scoring.table2 import table2
from yt8m.settings.params import UNTAUGHT, Params

OUT = DATA / "report"
SHOWN = 30  # most frequent classes in a figure of relations


def main(params: Params) -> None:
    names = CLASSES.read_text(encoding="utf-8").splitlines()
    with whole(OUT) as out:
        figures, tables = out / "figures", out / "relations"
        figures.mkdir(parents=True)
        tables.mkdir()
        write_table2(params, figures)
        write_text(METRICS / "report" / "table4.md", table4(rows_of(WEIGHTS)))
        draw_label_counts(figures)
        draw_embedding(names, figures)
        tell_relations(names, figures, tables)


def write_table2(params: Params, figures: Path) -> None:
    """Table 2, each row beside what it must beat, for people."""
    results = {row["model"]: row for row in rows_of(RESULTS)}
    differences = {row["system"]: row for row in rows_of(DIFFERENCES)}
    table = table2(params.evaluate, read_json(MEMBERS), best=differences[UNTAUGHT]["control"])
    shown = ("test_map", "test_hit1", "test_perr")
    rows: list[tuple[object, ...]] = []
    for row in table:
        found, than = results[row.system], differences.get(row.system)
        gap = f"{float(found['test_gap']):.4f} ± {float(found['gap_error']):.4f}"
        against = ("", "", "")
        if than:
            changed = f"{float(than['difference']):+.4f} ± {float(than['error']):.4f}"
            against = (than["control"], changed, than["verdict"])
        paper = (row.paper,) if params.evaluate.paper else ()
        rows.append((row.label, row.system, gap, *against, *(float(found[name]) for name in shown), *paper))
    paper = ("paper's GAP",) if params.evaluate.paper else ()
    header = ("system", "name", "test_gap", "against", "difference", "verdict", *shown, *paper)
    write_text(METRICS / "report" / "table2.md", markdown(header, rows))
    bars = {row.label: float(results[row.system]["test_gap"]) for row in table}
    bar_figure(bars, "Test GAP@20 (Table 2)", figures / "table2.png")
    print(f"{METRICS / 'report' / 'table2.md'}, and figures in {OUT}")


def draw_label_counts(figures: Path) -> None:
    """Fig. 2."""
    before, after = np.loadtxt(LABEL_COUNTS, np.int64, delimiter=",", skiprows=1, usecols=(1, 2), ndmin=2).T
    label_count_figure(np.sort(before)[::-1], after[np.argsort(-before, kind="stable")], figures / "label_counts.png")


def draw_embedding(names: list[str], figures: Path) -> None:
    """Fig. 1 of the test videos."""
    with np.load(POINTS) as stored:
        features, classes = stored["features"], stored["classes"]
    enough = len(features) > 2  # or there are too few single-label videos to embed
    points = embed(features) if enough else np.zeros((0, 2))
    embedding_figure(points, [names[index] for index in classes] if enough else [], figures / "tsne.png")


def tell_relations(names: list[str], figures: Path, tables: Path) -> None:
    """What each fine-tuned model has learnt of classes that go together, beside the training videos' labels."""
    labels = Labels(Store(TEACHER).labels(), names)
    rows, learnt = [], {}
    for path in sorted((DATA / "finetune").glob("*/omega.npz")):
        name, related = path.parent.name, omega.normalized(omega.load(path))
        write_csv(tables / f"{name}.csv", HEADER, labels.table(related))
        rows.append((name, labels.rank_correlation(related)))
        learnt[name] = related
    panels = {"labels together": labels.together, **learnt}
    relations_figure(panels, labels.common[:SHOWN], names, figures / "relations.png")
    write_csv(METRICS / "report" / "relations.csv", ("model", "rank_correlation"), rows)
