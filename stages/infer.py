"""Predict with a trained model.

`python -m stages.infer MODEL frames|videos LOG SPLIT=FILE …` writes the top-k predictions of the model in folder MODEL
for each SPLIT to its FILE, and GAP of train and holdout (never of test) to `metrics/LOG/`.
"""

import numpy as np

from stages._common import SPLIT, Params, run, summarize
from yt8m import metrics, models
from yt8m.data.dataset import Dataset
from yt8m.predictions import writer
from yt8m.training.devices import make_deterministic
from yt8m.training.scores import predict


def main(params: Params, model_folder: str, manifest: str, log: str, *targets: str) -> None:
    make_deterministic()
    data, settings = params.data, params.infer
    model, _ = models.load(model_folder)
    gaps: dict[str, object] = {}
    for split, path in (target.split("=", 1) for target in targets):
        dataset = Dataset(SPLIT / split / f"{manifest}.tsv", data.source, data.layout)
        pooled = metrics.PooledGap()
        with writer(path, settings.top_k, data.layout.classes) as out:
            for batch, scores in predict(model, dataset, settings.batch_size):
                block = out.write(batch.ids, [np.flatnonzero(row) for row in batch.labels], scores)
                if split != "test":
                    pooled.add(block.indices, block.scores, block.labels)
        if split != "test":
            gaps[f"gap_{split}"] = pooled.value()
    summarize(gaps, *log.split("/"))
    print(f"{log}: {gaps}")


if __name__ == "__main__":
    run(main)
