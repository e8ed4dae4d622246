"""Write the page, its figures and the tables for people: `python -m stages report`.

Nothing is computed here that another stage reads.
"""

from itertools import islice

import numpy as np

from stages import _report as sections
from stages._places import CLASSES, DATA, DIFFERENCES, MEMBERS, METRICS, RESULTS, TEACHER, WEIGHTS
from yt8m.core.files import read_csv, read_json, whole, write_csv, write_text
from yt8m.records.cache import Cache
from yt8m.records.dataset import Dataset
from yt8m.relations import omega
from yt8m.relations.labels import COMPARED, HEADER, Labels
from yt8m.report.embedding import embed
from yt8m.report.maps import embedding_figure, relation_figure
from yt8m.report.page import Page, Table
from yt8m.report.single_label import SingleLabel
from yt8m.report.tables import markdown, table4
from yt8m.scoring.predictions import Store
from yt8m.scoring.table2 import System, table2
from yt8m.settings.params import BEST, UNTAUGHT, Params

OUT = METRICS / "report"
RELATIONS = DATA / "report" / "relations"
LOOKED_AT = 50_000  # augmented videos of which Fig. 1's are taken: they are in random order
BLOCK = 20  # most frequent classes in a figure of relations
STRONGEST = 15  # relations listed


def main(params: Params) -> None:
    names = CLASSES.read_text(encoding="utf-8").splitlines()
    members = list(read_json(MEMBERS))
    best = {row["system"]: row for row in read_csv(DIFFERENCES)}[UNTAUGHT]["control"]
    systems = table2(params.evaluate, members, best)
    known = sections.Known(members, systems, params.ensemble.teacher == BEST)
    with whole(OUT / "figures") as figures:
        page = Page(figures)
        sections.answer(page, known, params, names)
        sections.table2(page, systems, known, params)
        sections.models(page, known)
        sections.training(page, known)
        sections.augmentation(page, params)
        draw_embedding(page, params, names)
        sections.weights(page)
        sections.precision(page, known)
        sections.frequency(page, known)
        sections.calibration(page, known)
        tell_relations(page, params, names)
        sections.distillation(page, known)
        sections.classes(page, known, names)
    write_table2(params, systems)
    write_text(OUT / "table4.md", table4(read_csv(WEIGHTS)))
    page.write(OUT / "index.html")
    print(f"{OUT / 'index.html'}, and its figures beside it")


def write_table2(params: Params, systems: list[System]) -> None:
    """Table 2 with more columns, as text."""
    results = {row["model"]: row for row in read_csv(RESULTS)}
    differences = {row["system"]: row for row in read_csv(DIFFERENCES)}
    shown = ("test_map", "test_hit1", "test_perr")
    rows: list[tuple[object, ...]] = []
    for row in systems:
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
    write_text(OUT / "table2.md", markdown(header, rows))


def draw_embedding(page: Page, params: Params, names: list[str]) -> None:
    """Fig. 1 of the training videos; none where too few have one label."""
    videos = Dataset(DATA / "augment" / "videos.tsv", params.data.source, cache=Cache.of(params.data))
    shown = SingleLabel.of(islice(videos.videos(), LOOKED_AT), videos.schema.primary)
    if len(shown.features) > 2:
        classes = [names[index] for index in shown.classes]
        drawn = embedding_figure(embed(shown.features), classes, shown.synthetic)
        page.draw("embedding", "Training videos with one label, by class", drawn)


def tell_relations(page: Page, params: Params, names: list[str]) -> None:
    """What each fine-tuned model has learnt of classes that go together, beside the training videos' labels."""
    labels = Labels(Store(TEACHER).labels(), names)
    rows, learnt = [], {}
    with whole(RELATIONS) as tables:
        tables.mkdir(parents=True)
        for path in sorted((DATA / "finetune").glob("*/omega.npz")):
            name, related = path.parent.name, omega.normalized(omega.load(path))
            write_csv(tables / f"{name}.csv", HEADER, labels.table(related))
            rows.append((name, labels.rank_correlation(related)))
            learnt[name] = related
    write_csv(OUT / "relations.csv", ("model", "rank_correlation"), rows)
    for name in [*params.evaluate.related, *learnt][:1]:
        show_relations(page, labels, learnt[name], name)


def show_relations(page: Page, labels: Labels, related: np.ndarray, model: str) -> None:
    """The leading block of what a model has learnt beside that of the labels, and the strongest relations by name."""
    block = labels.common[:BLOCK]
    named = [labels.names[index] for index in block]
    about = "How the most frequent classes go together by"
    page.draw("together", f"{about} labels", relation_figure(labels.together[np.ix_(block, block)], named))
    page.draw("learnt", f"{about} Omega", relation_figure(related[np.ix_(block, block)], named))
    page.say(related=model, compared=min(COMPARED, len(labels.common)))
    page.list(
        "relations", Table.of(("class", "related to", "Omega", "in labels"), labels.strongest(related, STRONGEST))
    )
