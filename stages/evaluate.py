"""Score every model, ensemble and the student on test, and draw Table 2 and Fig. 1: `python -m stages.evaluate`.

The only stage that looks at test labels.
"""

import json

import numpy as np

from stages._common import DATA, METRICS, PREDICTIONS, SPLIT, Params, run, summarize
from yt8m import ensembling, metrics
from yt8m.data.dataset import Dataset
from yt8m.files import write_text
from yt8m.predictions import Aligned, Predictions, aligned, concatenate
from yt8m.report.curves import precision_recall
from yt8m.report.embedding import embed, single_label_videos
from yt8m.report.figures import bar_figure, embedding_figure
from yt8m.report.tables import csv_text, markdown

OUT = METRICS / "evaluate"
NAMES = ("gap", "map", "hit1", "perr")


def main(params: Params) -> None:
    choice, classes = params.evaluate, params.data.layout.classes
    families: dict[str, str] = json.loads((DATA / "members.json").read_text(encoding="utf-8"))
    paths = {name: PREDICTIONS / "test" / f"{name}.parquet" for name in families}
    paths |= {f"moe_{kind}": DATA / "infer_moe" / kind / "test.parquet" for kind in ("original", "augmented")}
    firsts = ensembling.one_a_family(families)
    weights = np.load(DATA / "ensemble" / "weights.npz")
    ensembles = {
        "plain_and_moe": ([choice.plain, "moe_augmented"], equal(2, classes), 1.0),
        "mean_of_families": (firsts, equal(len(firsts), classes), 1.0),
        "mean_of_all": (list(families), weights["equal"], 1.0),
    }
    for scheme in weights.files:
        if scheme != "equal":
            ensembles[scheme] = list(families), weights[scheme], ensembling.power(scheme)
    curves, scored = {}, {}
    with aligned(paths | {"student": DATA / "infer_student" / "test.parquet"}) as stores:
        for name in [*paths, *ensembles, "student"]:
            each = combined(stores, *ensembles[name]) if name in ensembles else stores.read(name)
            scored[name] = metrics.all_metrics(each.indices, each.scores, each.labels)
            if name in (choice.plain, "mean_of_all", "student"):
                curves[name] = precision_recall(each)
    size = sum(path.stat().st_size for path in (DATA / "distill").iterdir())
    report(params, scored, len(families), len(firsts), size)
    rows = [(name, *point) for name, points in curves.items() for point in points]
    write_text(OUT / "precision_recall.csv", csv_text(("model", "recall", "precision"), rows))
    figure_1(params)


def equal(models: int, classes: int) -> np.ndarray:
    """Equal weights."""
    return np.full((models, classes), 1 / models)


def combined(stores: Aligned, members: list[str], weights: np.ndarray, power: float) -> Predictions:
    """An ensemble's predictions, as many classes kept as of its members'."""
    return concatenate(list(ensembling.combined(stores.take(members), weights, power)))


def report(params: Params, scored: dict[str, dict[str, float]], models: int, families: int, size: int) -> None:
    """Write the compact metrics file, the table of all metrics, and Table 2 as text and figure."""
    plain, related = params.evaluate.plain, params.evaluate.related
    gap = {name: values["gap"] for name, values in scored.items()}
    summarize({"gap": gap, "student": {**scored["student"], "bytes": size}}, "evaluate")
    rows = [(name, *(values[key] for key in NAMES)) for name, values in scored.items()]
    write_text(OUT / "results.csv", csv_text(("model", *NAMES), rows))
    table = (
        (f"one model ({plain})", plain, "85.75 (val)"),
        ("+ video-level MoE on augmented data, mean", "plain_and_moe", "85.98 (val)"),
        (f"with label relations ({related})", related, "87.88 (val)"),
        (f"mean of {families} models, one a family", "mean_of_families", "88.27"),
        (f"mean of all {models} models", "mean_of_all", "88.62"),
        ("learnt weights, per model", "per_model", "88.73"),
        ("learnt weights, per model and class", "per_class", "-"),
        ("weights chosen for GAP", "gap", "-"),
        ("distilled student", "student", "87.32"),
    )
    text = markdown(
        ("system", *NAMES, "paper's GAP"),
        [(label, *(scored[name][key] for key in NAMES), paper) for label, name, paper in table],
    )
    write_text(OUT / "table2.md", text)
    bar_figure({label: gap[name] for label, name, _ in table}, "Test GAP@20 (Table 2)", OUT / "table2.png")
    print(markdown(("model", *NAMES), rows) + "\nTable 2 on this data:\n" + text)


def figure_1(params: Params) -> None:
    """Draw Fig. 1 of the test videos."""
    test = Dataset(SPLIT / "test" / "videos.tsv", params.data.source, params.data.layout)
    names = (SPLIT / "classes.txt").read_text(encoding="utf-8").splitlines()
    x, classes = single_label_videos(test.videos(), params.data.layout.primary)
    if len(x) > 2:
        embedding_figure(embed(x), [names[index] for index in classes], OUT / "tsne.png")
    else:
        embedding_figure(np.zeros((0, 2)), [], OUT / "tsne.png")  # too few single-label videos to embed


if __name__ == "__main__":
    run(main)
