"""Fit ensemble weights on the holdout, choose the teacher, and score training and extra videos with it.

`python -m stages fit_ensemble`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from stages._places import ENSEMBLE, EXTRA, MEMBERS, METRICS, PREDICTIONS, SCORED, TEACHER, WEIGHTS
from yt8m.core.files import read_json, whole, write_csv, write_json
from yt8m.ensembling import fitting
from yt8m.ensembling.blocks import BLOCK
from yt8m.ensembling.ensemble import Ensemble
from yt8m.scoring.gaps import gap_of
from yt8m.scoring.predictions import Aligned, aligned, writer
from yt8m.scoring.table2 import sets_of
from yt8m.settings import registry
from yt8m.settings.params import BEST, Params

OUT = METRICS / "fit_ensemble"
FINETUNED = "finetune"  # the folder of the members, beside the ensemble's


def main(params: Params) -> None:
    members = list(read_json(MEMBERS))
    with aligned(paths(members, "holdout")) as holdout:
        weights, validated = fitted(params, holdout)
        holdout_gaps = gaps(holdout)
        write_weights(members, weights, params, holdout)
    best = max(validated, key=lambda scheme: validated[scheme])
    teacher = best if params.ensemble.teacher == BEST else params.ensemble.teacher
    with (
        whole(ENSEMBLE) as out,
        aligned(paths(members, "train")) as train,
        aligned(paths(members, "extra")) as extra,
    ):
        out.mkdir(parents=True)
        for path, split in ((TEACHER, train), (EXTRA, extra)):
            with writer(out / path.name, params.infer.top_k, params.data.layout.classes) as store:
                for block in fitting.combined(split, weights[teacher], fitting.power(teacher)):
                    store.append(replace(block, scores=np.clip(block.scores, 0, 1)))  # what a sigmoid can learn
        folders = {name: f"../{FINETUNED}/{name}" for name in members}
        Ensemble(members=folders, scheme=teacher, top_k=params.infer.top_k).write(out, weights)
        train_gaps = gaps(train)
    write_json(OUT / "metrics.json", {"teacher": teacher})
    rows = zip(members, train_gaps, holdout_gaps, weights[teacher].mean(axis=1).tolist(), strict=True)
    write_csv(SCORED, ("model", "train_gap", "holdout_gap", "weight"), rows)


def paths(members: list[str], split: str) -> dict[str, Path]:
    """The members' predictions of a split."""
    return {name: PREDICTIONS / split / f"{name}.parquet" for name in members}


def gaps(members: Aligned) -> list[float]:
    """GAP@20 of each member."""
    return [gap_of(block for (block,) in members.take([name]).blocks(BLOCK)) for name in members.names]


def write_weights(members: list[str], weights: dict[str, np.ndarray], params: Params, holdout: Aligned) -> None:
    """Write the weights of every scheme for all members, and for those of each set (Table 4)."""
    rows = list(summaries("", members, weights))
    for set, names in sets_of(members).items():
        one = np.zeros(len(holdout.ids), int)  # no folds
        everything, _ = fitting.gather(holdout.take(names), params.data.layout.classes, one, params.ensemble.seed)
        of_set = {scheme: fitting.fit(scheme, everything, params.ensemble.seed) for scheme in registry.schemes()}
        rows += summaries(set, names, of_set)
    write_csv(WEIGHTS, ("set", "scheme", "of", "model", "weight", "lowest", "highest"), rows)


def summaries(set: str, names: list[str], weights: dict[str, np.ndarray]) -> Iterator[tuple[object, ...]]:
    """Of each scheme and model the mean weight over the classes, the lowest and the highest."""
    for scheme, found in weights.items():
        kind = registry.schemes()[scheme].split(".")[-2]  # the folder: the paper's, or beyond it
        for name, row in zip(names, found, strict=True):
            yield set, scheme, kind, name, float(row.mean()), float(row.min()), float(row.max())


def fitted(params: Params, holdout: Aligned) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Every scheme's weights, and its GAP on videos that had no part in fitting; all figures go into a table."""
    settings, classes, schemes = params.ensemble, params.data.layout.classes, registry.schemes()
    fold_of = fitting.folds_of(holdout.ids, settings.folds, settings.seed)
    everything, without_fold = fitting.gather(holdout, classes, fold_of, settings.seed)
    weights = {scheme: fitting.fit(scheme, everything, settings.seed) for scheme in schemes}
    by_fold = {
        scheme: np.stack([fitting.fit(scheme, part, settings.seed) for part in without_fold]) for scheme in schemes
    }
    validated = fitting.gaps(holdout, classes, by_fold, fold_of)
    in_sample = fitting.gaps(holdout, classes, {name: w[None] for name, w in weights.items()}, 0 * fold_of)
    rows = []
    for scheme in schemes:
        print(f"{scheme}: holdout GAP {in_sample[scheme]:.4f}, cross-validated {validated[scheme]:.4f}")
        error = everything.moments.loss(weights[scheme]) if fitting.power(scheme) == 1 else ""
        rows.append((scheme, validated[scheme], in_sample[scheme], error))
    header = ("scheme", "cross_validated_holdout_gap", "holdout_gap", "squared_error")
    write_csv(OUT / "schemes.csv", header, rows)
    return weights, validated
