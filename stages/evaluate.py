"""Score every model, ensemble and the student on test: `python -m stages evaluate`.

The only stage that looks at test labels. It leaves figures as numbers; `report` draws them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages._places import DATA, ENSEMBLE, MEMBERS, METRICS, POINTS, PREDICTIONS, RESULTS, SPLIT
from yt8m.core.files import read_json, whole, write_csv, write_json
from yt8m.ensembling import fitting
from yt8m.records.dataset import Dataset
from yt8m.scoring import metrics
from yt8m.scoring.curves import precision_recall
from yt8m.scoring.predictions import Aligned, Predictions, aligned, concatenate
from yt8m.scoring.single_label import single_label
from yt8m.settings.params import Params

OUT = METRICS / "evaluate"


class Ensemble(NamedTuple):
    """Members, their weights (M, C), and the power that scores are raised to before the sum."""

    members: list[str]
    weights: np.ndarray
    power: float = 1.0


def main(params: Params) -> None:
    families: dict[str, str] = read_json(MEMBERS)
    paths = {name: PREDICTIONS / "test" / f"{name}.parquet" for name in families}
    paths |= {f"moe_{kind}": DATA / "infer_moe" / kind / "test.parquet" for kind in ("original", "augmented")}
    paths |= {"student": DATA / "infer_student" / "test.parquet"}
    ensembles = all_ensembles(params.evaluate.plain, families)
    scored, curves = score(paths, ensembles, (params.evaluate.plain, "mean_of_all", "student"))
    columns = [f"test_{key}" for key in next(iter(scored.values()))]
    write_csv(RESULTS, ("model", *columns), [(name, *values.values()) for name, values in scored.items()])
    teacher = read_json(METRICS / "fit_ensemble" / "metrics.json")["teacher"]
    best = "mean_of_all" if teacher == "equal" else teacher
    compact = {name: scored[name] for name in paths} | {"ensemble": scored[best]}
    write_json(
        OUT / "metrics.json",
        {f"test_{key}": {name: values[key] for name, values in compact.items()} for key in ("gap", "map")},
    )
    print(f"test GAP: ensemble ({teacher}) {scored[best]['gap']:.4f}, student {scored['student']['gap']:.4f}")
    rows = [(name, *point) for name, points in curves.items() for point in points]
    write_csv(OUT / "precision_recall.csv", ("model", "recall", "precision"), rows)
    write_points(params)


def all_ensembles(plain: str, families: Mapping[str, str]) -> dict[str, Ensemble]:
    """The ensembles that are scored, by name: means, and the schemes' weights."""
    with np.load(ENSEMBLE / "weights.npz") as stored:
        weights = dict(stored)
    members, one_each = list(families), fitting.one_a_family(families)
    classes = weights["equal"].shape[1]
    found = {
        "plain_and_moe": Ensemble([plain, "moe_augmented"], equal(2, classes)),
        "mean_of_families": Ensemble(one_each, equal(len(one_each), classes)),
        "mean_of_all": Ensemble(members, weights.pop("equal")),
    }
    return found | {scheme: Ensemble(members, weights[scheme], fitting.power(scheme)) for scheme in weights}


def equal(models: int, classes: int) -> np.ndarray:
    """Equal weights."""
    return np.full((models, classes), 1 / models)


def score(
    paths: Mapping[str, Path], ensembles: Mapping[str, Ensemble], drawn: tuple[str, ...]
) -> tuple[dict[str, dict[str, float]], dict[str, list[tuple[float, float]]]]:
    """All metrics by system, the student last, and precision and recall of those that are drawn."""
    curves, scored = {}, {}
    *models, student = paths
    with aligned(paths) as stores:
        for name in [*models, *ensembles, student]:
            each = combined(stores, ensembles[name]) if name in ensembles else stores.read(name)
            scored[name] = metrics.all_metrics(each.indices, each.scores, each.labels)
            if name in drawn:
                curves[name] = precision_recall(each)
    return scored, curves


def combined(stores: Aligned, ensemble: Ensemble) -> Predictions:
    """An ensemble's predictions, as many classes kept as of its members'."""
    members = stores.take(ensemble.members)
    return concatenate(list(fitting.combined(members, ensemble.weights, ensemble.power)))


def write_points(params: Params) -> None:
    """Write the test videos that Fig. 1 shows."""
    test = Dataset(SPLIT / "videos" / "test.tsv", params.data.source)
    features, classes = single_label(test.videos(), test.schema.primary)
    with whole(POINTS) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, features=features, classes=classes)
