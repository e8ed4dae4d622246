"""Learn ensemble weights on the holdout, choose the teacher, and score the training videos with it.

`python -m stages.fit_ensemble`.
"""

import json

import numpy as np

from stages._common import DATA, METRICS, PREDICTIONS, Params, run, summarize
from yt8m import ensembling, metrics, registry
from yt8m.files import whole, write_text
from yt8m.params import BEST
from yt8m.predictions import Predictions, read_aligned, writer


def main(params: Params) -> None:
    settings, classes = params.ensemble, params.data.layout.classes
    members = list(json.loads((DATA / "members.json").read_text(encoding="utf-8")))
    holdout = read_aligned(PREDICTIONS / "holdout", members)
    everything = np.zeros(len(holdout[members[0]].ids), np.int64)
    moments = ensembling.fold_moments(holdout, classes, everything, 1)[0]
    weights, cross_validated, in_sample = {}, {}, {}
    for scheme in registry.names("ensembling"):
        weights[scheme] = ensembling.fit(scheme, moments, settings.seed)
        cross_validated[scheme] = ensembling.cross_validated_gap(
            scheme, holdout, classes, settings.folds, settings.seed
        )
        in_sample[scheme] = gap_of(holdout, weights[scheme])
        print(f"{scheme}: holdout GAP {in_sample[scheme]:.4f}, cross-validated {cross_validated[scheme]:.4f}")
    best = max(cross_validated, key=lambda scheme: cross_validated[scheme])
    teacher = best if settings.teacher == BEST else settings.teacher
    train = read_aligned(PREDICTIONS / "train", members)
    with whole(DATA / "ensemble") as out:
        out.mkdir(parents=True)
        with writer(out / "teacher.parquet", params.infer.top_k, classes) as store:
            ensembling.write_combined(train, weights[teacher], store)
        np.savez(out / "weights.npz", allow_pickle=False, **weights)
    summarize({"cross_validated": cross_validated, "holdout": in_sample, "teacher": teacher}, "fit_ensemble")
    lines = [f"{name},{values.mean():.6f}" for name, values in zip(members, weights["per_model"], strict=True)]
    write_text(METRICS / "fit_ensemble" / "weights.csv", "\n".join(["model,weight", *lines]) + "\n")


def gap_of(members: dict[str, Predictions], weights: np.ndarray) -> float:
    """GAP@20 of the ensemble on its members' videos."""
    tops = [
        metrics.top_k(ensembling.combine(scores, weights), 20)
        for _, scores in ensembling.blocks(members, weights.shape[1])
    ]
    indices, scores = (np.concatenate(parts) for parts in zip(*tops, strict=True))
    return metrics.gap(indices, scores, next(iter(members.values())).labels)


if __name__ == "__main__":
    run(main)
