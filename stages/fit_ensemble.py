"""Fit ensemble weights on the holdout, choose the teacher, and score the training videos with it.

`python -m stages.fit_ensemble`.
"""

import json

import numpy as np

from stages._common import DATA, METRICS, PREDICTIONS, Params, run, summarize
from yt8m import ensembling, registry
from yt8m.files import whole, write_text
from yt8m.params import BEST
from yt8m.predictions import aligned, writer


def main(params: Params) -> None:
    settings, classes = params.ensemble, params.data.layout.classes
    members = list(json.loads((DATA / "members.json").read_text(encoding="utf-8")))
    schemes = registry.names("ensembling")
    with aligned({name: PREDICTIONS / "holdout" / f"{name}.parquet" for name in members}) as holdout:
        fold_of = ensembling.folds_of(holdout.ids, settings.folds, settings.seed)
        everything, others = ensembling.gather(holdout, classes, fold_of, settings.seed)
        weights = {scheme: ensembling.fit(scheme, everything, settings.seed) for scheme in schemes}
        by_fold = {
            scheme: np.stack([ensembling.fit(scheme, part, settings.seed) for part in others]) for scheme in schemes
        }
        cross_validated = ensembling.gaps(holdout, classes, by_fold, fold_of)
        in_sample = ensembling.gaps(holdout, classes, {name: w[None] for name, w in weights.items()}, 0 * fold_of)
    for scheme in schemes:
        print(f"{scheme}: holdout GAP {in_sample[scheme]:.4f}, cross-validated {cross_validated[scheme]:.4f}")
    best = max(cross_validated, key=lambda scheme: cross_validated[scheme])
    teacher = best if settings.teacher == BEST else settings.teacher
    with whole(DATA / "ensemble") as out:
        out.mkdir(parents=True)
        with (
            aligned({name: PREDICTIONS / "train" / f"{name}.parquet" for name in members}) as train,
            writer(out / "teacher.parquet", params.infer.top_k, classes) as store,
        ):
            for block in ensembling.combined(train, weights[teacher], ensembling.power(teacher)):
                store.append(block)
        np.savez(out / "weights.npz", allow_pickle=False, **weights)
    errors = {scheme: everything.moments.loss(weights[scheme]) for scheme in schemes if ensembling.power(scheme) == 1}
    summarize(
        {"cross_validated": cross_validated, "holdout": in_sample, "squared_error": errors, "teacher": teacher},
        "fit_ensemble",
    )
    lines = [f"{name},{values.mean():.6f}" for name, values in zip(members, weights[teacher], strict=True)]
    write_text(METRICS / "fit_ensemble" / "weights.csv", "\n".join(["model,weight", *lines]) + "\n")


if __name__ == "__main__":
    run(main)
