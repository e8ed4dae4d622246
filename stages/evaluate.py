"""Score every model, ensemble and the student on test: `python -m stages evaluate`.

The only stage that looks at test labels. It leaves figures as numbers; `report` draws them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from stages._places import (
    BESIDE,
    DATA,
    DIFFERENCES,
    ENSEMBLE,
    MEMBERS,
    METRICS,
    MOES,
    PLAIN,
    POINTS,
    PREDICTIONS,
    RESULTS,
    SCORED,
    SPLIT,
)
from stages._tables import rows_of
from yt8m.core.files import read_json, whole, write_csv, write_json
from yt8m.ensembling import fitting
from yt8m.ensembling.ensemble import read_weights
from yt8m.records.cache import Cache
from yt8m.records.dataset import Dataset
from yt8m.scoring import bootstrap, metrics
from yt8m.scoring.curves import precision_recall
from yt8m.scoring.predictions import Aligned, Predictions, aligned, concatenate
from yt8m.scoring.single_label import single_label
from yt8m.scoring.table2 import TRAINED, WITHOUT, System, mean_of, sets_of, table2
from yt8m.settings.params import STUDENT, UNTAUGHT, Params

OUT = METRICS / "evaluate"
SEED = 0  # of the resamples


class Ensemble(NamedTuple):
    """Members, their weights (M, C), and the power that scores are raised to before the sum."""

    members: list[str]
    weights: np.ndarray
    power: float = 1.0

    @classmethod
    def mean(cls, members: list[str], classes: int) -> Self:
        """Equal weights."""
        return cls(members, np.full((len(members), classes), 1 / len(members)))


class Scored(NamedTuple):
    """What test says of a system: its metrics by name, its GAP on each resample, and, if drawn, precision by recall."""

    figures: dict[str, float]
    resampled: np.ndarray
    curve: list[tuple[float, float]]

    @classmethod
    def of(cls, found: Predictions, drawn: bool) -> Self:
        figures = metrics.all_metrics(found.indices, found.scores, found.labels)
        return cls(figures, bootstrap.gaps(found, SEED), precision_recall(found) if drawn else [])


def main(params: Params) -> None:
    members: dict[str, str] = read_json(MEMBERS)
    plain = f"{params.evaluate.plain}{TRAINED}"
    beside = {name: name for name in (*MOES, UNTAUGHT)} | {f"{name}{WITHOUT}": name for name in params.evaluate.related}
    beside[plain] = PLAIN
    paths = {name: PREDICTIONS / "test" / f"{name}.parquet" for name in members}
    paths |= {name: BESIDE / folder / "test.parquet" for name, folder in beside.items()}
    paths |= {STUDENT: DATA / "infer_student" / "test.parquet"}
    drawn = (plain, "mean_of_all", STUDENT)
    scored = score(paths, all_ensembles(plain, members), drawn)
    write_results(scored, table2(params.evaluate, members, best_member()))
    points = [(name, *point) for name in drawn for point in scored[name].curve]
    write_csv(OUT / "precision_recall.csv", ("model", "recall", "precision"), points)
    teacher = read_json(METRICS / "fit_ensemble" / "metrics.json")["teacher"]
    best = "mean_of_all" if teacher == "equal" else teacher
    compact = {name: scored[name].figures for name in paths if name != plain} | {"ensemble": scored[best].figures}
    write_json(
        OUT / "metrics.json",
        {f"test_{key}": {name: figures[key] for name, figures in compact.items()} for key in ("gap", "map")},
    )
    ensemble, student = (scored[name].figures["gap"] for name in (best, STUDENT))
    print(f"test GAP: ensemble ({teacher}) {ensemble:.4f}, student {student:.4f}")
    write_points(params)


def best_member() -> str:
    """The member that scores best on the holdout."""
    return max(rows_of(SCORED), key=lambda row: float(row["holdout_gap"]))["model"]


def all_ensembles(plain: str, members: Mapping[str, str]) -> dict[str, Ensemble]:
    """The ensembles that are scored, by name: means, and the schemes' weights."""
    weights = read_weights(ENSEMBLE)
    classes = weights["equal"].shape[1]
    pairs = {name.replace("moe", "plain_and"): Ensemble.mean([plain, name], classes) for name in MOES}
    sets = {mean_of(set): Ensemble.mean(names, classes) for set, names in sets_of(members).items()}
    all_of_them = Ensemble(list(members), weights.pop("equal"))
    learnt = {scheme: Ensemble(list(members), weights[scheme], fitting.power(scheme)) for scheme in weights}
    return {**pairs, **sets, "mean_of_all": all_of_them, **learnt}


def score(paths: Mapping[str, Path], ensembles: Mapping[str, Ensemble], drawn: tuple[str, ...]) -> dict[str, Scored]:
    """What test says of each system, the student last."""
    found, (*models, student) = {}, paths
    with aligned(paths) as stores:
        for name in [*models, *ensembles, student]:
            each = combined(stores, ensembles[name]) if name in ensembles else stores.read(name)
            found[name] = Scored.of(each, name in drawn)
    return found


def combined(stores: Aligned, ensemble: Ensemble) -> Predictions:
    """An ensemble's predictions, as many classes kept as of its members'."""
    members = stores.take(ensemble.members)
    return concatenate(list(fitting.combined(members, ensemble.weights, ensemble.power)))


def write_results(scored: Mapping[str, Scored], table: list[System]) -> None:
    """Write all figures, and by how much each row of Table 2 differs from its control."""
    names = next(iter(scored.values())).figures
    header = ("model", *(f"test_{name}" for name in names), "gap_error")
    found = ((name, *each.figures.values(), bootstrap.error(each.resampled)) for name, each in scored.items())
    write_csv(RESULTS, header, found)
    rows = []
    for row in table:
        if row.control:
            one, other = scored[row.system], scored[row.control]
            than = bootstrap.difference(one.figures["gap"] - other.figures["gap"], one.resampled, other.resampled)
            rows.append((row.system, row.control, than.value, than.error, than.verdict))
    write_csv(DIFFERENCES, ("system", "control", "difference", "error", "verdict"), rows)


def write_points(params: Params) -> None:
    """Write the test videos that Fig. 1 shows."""
    test = Dataset(SPLIT / "videos" / "test.tsv", params.data.source, cache=Cache.of(params.data))
    features, classes = single_label(test.videos(), test.schema.primary)
    with whole(POINTS) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, features=features, classes=classes)
