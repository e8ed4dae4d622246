"""Predict with a trained model: `python -m stages infer MODEL frames|videos FILE SPLIT …`.

Writes the top-k predictions of the model in folder MODEL for each SPLIT to FILE, in whose name `SPLIT` stands for it.
"""

import numpy as np

from stages._places import SPLIT
from yt8m.models import storage
from yt8m.records.dataset import Dataset
from yt8m.scoring.predictions import writer
from yt8m.settings.params import Params
from yt8m.training.devices import make_deterministic
from yt8m.training.scores import predict


def main(params: Params, folder: str, manifests: str, file: str, *splits: str) -> None:
    make_deterministic()
    model, description = storage.load(folder)
    videos = 0
    for split in splits:
        dataset = Dataset(SPLIT / manifests / f"{split}.tsv", params.data.source)
        with writer(file.replace("SPLIT", split), params.infer.top_k, description.layout.classes) as out:
            for batch, scores in predict(model, dataset, params.infer.batch_size):
                out.write(batch.ids, [np.flatnonzero(row) for row in batch.labels], scores)
        videos += dataset.size
    print(f"{folder}: {videos} videos of {', '.join(splits)}")
