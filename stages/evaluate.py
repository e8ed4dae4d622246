"""Score every model, ensemble and the student on test: `python -m stages evaluate`.

The only stage that looks at test labels. It leaves figures as numbers; `report` draws them.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from stages._looks import Looks
from stages._places import (
    BESIDE,
    DATA,
    DIFFERENCES,
    ENSEMBLE,
    MEMBERS,
    METRICS,
    MOES,
    PLAIN,
    PREDICTIONS,
    RESULTS,
    SCORED,
    SPLIT,
)
from stages._shown import MODELS, SUMMARY
from yt8m.core.files import read_csv, read_json, write_csv, write_json
from yt8m.ensembling import fitting
from yt8m.ensembling.blocks import BLOCK
from yt8m.ensembling.ensemble import read_weights
from yt8m.records.classes import read_label_counts
from yt8m.scoring import bootstrap, metrics
from yt8m.scoring.gaps import gap_of
from yt8m.scoring.predictions import Aligned, Predictions, Store, aligned, concatenate
from yt8m.scoring.sizes import size_of
from yt8m.scoring.table2 import TRAINED, WITHOUT, System, mean_of, sets_of, table2
from yt8m.settings.params import STUDENT, UNTAUGHT, Params

OUT = METRICS / "evaluate"
SEED = 0  # of the resamples


class Model(NamedTuple):
    """Where a model lies, and its predictions, in whose path `SPLIT` stands for the split."""

    folder: Path
    predictions: Path

    def store(self, split: str) -> Path:
        """The predictions of a split."""
        return Path(str(self.predictions).replace("SPLIT", split))


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
    """What test says of a system: its metrics by name, and its GAP on each resample."""

    figures: dict[str, float]
    resampled: np.ndarray

    @classmethod
    def of(cls, found: Predictions) -> Self:
        return cls(metrics.all_metrics(found.indices, found.scores, found.labels), bootstrap.gaps(found, SEED))


def main(params: Params) -> None:
    members: dict[str, str] = read_json(MEMBERS)
    plain, best = f"{params.evaluate.plain}{TRAINED}", best_member()
    teacher = read_json(METRICS / "fit_ensemble" / "metrics.json")["teacher"]
    ensemble = "mean_of_all" if teacher == "equal" else teacher
    models = all_models(params, members)
    looks = Looks(
        curves=(plain, "mean_of_all", ensemble, STUDENT),
        calibrated=(*members, ensemble, STUDENT),
        by_class=(best, ensemble, STUDENT),
        counts=read_label_counts(SPLIT / "label_counts" / "train.csv"),
    )
    scored = {}
    for name, found in systems(models, all_ensembles(plain, members)):
        scored[name] = Scored.of(found)
        looks.add(name, found)
    looks.write()
    write_results(scored, table2(params.evaluate, members, best))
    write_models(models)
    compact = {name: scored[name] for name in models if name != plain} | {"ensemble": scored[ensemble]}
    write_json(OUT / "metrics.json", figures_of(compact))
    few = {"single": best, "mean_of_all": "mean_of_all", "ensemble": ensemble, UNTAUGHT: UNTAUGHT, STUDENT: STUDENT}
    write_json(SUMMARY, figures_of({key: scored[name] for key, name in few.items()}) | {"teacher": teacher})
    gaps = (scored[name].figures["gap"] for name in (ensemble, STUDENT))
    print("test GAP: ensemble ({}) {:.4f}, student {:.4f}".format(teacher, *gaps))


def figures_of(scored: Mapping[str, Scored]) -> dict[str, object]:
    """GAP and mAP on test by name."""
    return {f"test_{key}": {name: each.figures[key] for name, each in scored.items()} for key in ("gap", "map")}


def all_models(params: Params, members: Iterable[str]) -> dict[str, Model]:
    """The single models that are scored, by name, the student last."""
    finetuned = DATA / "finetune"
    beside = {name: (DATA / "train_moe" / name.removeprefix("moe_"), name) for name in MOES}
    beside[UNTAUGHT] = DATA / UNTAUGHT, UNTAUGHT
    # These two have the weights' shapes of the member that they were, or would have been.
    beside |= {f"{name}{WITHOUT}": (finetuned / name, name) for name in params.evaluate.related}
    beside[f"{params.evaluate.plain}{TRAINED}"] = finetuned / params.evaluate.plain, PLAIN
    return {
        **{name: Model(finetuned / name, PREDICTIONS / "SPLIT" / f"{name}.parquet") for name in members},
        **{name: Model(folder, BESIDE / where / "SPLIT.parquet") for name, (folder, where) in beside.items()},
        STUDENT: Model(DATA / "distill", DATA / "infer_student" / "SPLIT.parquet"),
    }


def best_member() -> str:
    """The member that scores best on the holdout."""
    return max(read_csv(SCORED), key=lambda row: float(row["holdout_gap"]))["model"]


def all_ensembles(plain: str, members: Mapping[str, str]) -> dict[str, Ensemble]:
    """The ensembles that are scored, by name: means, and the schemes' weights."""
    weights = read_weights(ENSEMBLE)
    classes = weights["equal"].shape[1]
    pairs = {name.replace("moe", "plain_and"): Ensemble.mean([plain, name], classes) for name in MOES}
    sets = {mean_of(set): Ensemble.mean(names, classes) for set, names in sets_of(members).items()}
    all_of_them = Ensemble(list(members), weights.pop("equal"))
    learnt = {scheme: Ensemble(list(members), weights[scheme], fitting.power(scheme)) for scheme in weights}
    return {**pairs, **sets, "mean_of_all": all_of_them, **learnt}


def systems(models: Mapping[str, Model], ensembles: Mapping[str, Ensemble]) -> Iterator[tuple[str, Predictions]]:
    """Each system's name and predictions of test, the student last."""
    *others, student = models
    with aligned({name: model.store("test") for name, model in models.items()}) as stores:
        for name in [*others, *ensembles, student]:
            yield name, combined(stores, ensembles[name]) if name in ensembles else stores.read(name)


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


def write_models(models: Mapping[str, Model]) -> None:
    """Write how large each model is, and its GAP on train and holdout."""
    known = {row["model"]: (row["train_gap"], row["holdout_gap"]) for row in read_csv(SCORED)}
    header = ("model", "family", "parameters", "bytes", "train_gap", "holdout_gap")
    rows = []
    for name, model in models.items():
        gaps = known.get(name) or [gap_of(Store(model.store(split)).blocks(BLOCK)) for split in ("train", "holdout")]
        rows.append((name, *size_of(model.folder), *gaps))
    write_csv(MODELS, header, rows)
