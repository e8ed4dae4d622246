"""Predict with a trained model: `python -m stages infer MODEL frames|videos FILE SPLIT …`.

Writes the top-k predictions of the model in folder MODEL for each SPLIT to FILE, in whose name `SPLIT` stands for it.
"""

from pathlib import Path

from stages._places import SPLIT
from yt8m.core.backend import gpus
from yt8m.core.cluster import workers
from yt8m.records.cache import Cache
from yt8m.scoring.predictions import writer
from yt8m.settings.params import Params
from yt8m.training.inference import Inference


def main(params: Params, folder: str, manifests: str, file: str, *splits: str) -> None:
    settings, videos = params.infer, 0
    with workers(params.cluster, max(1, len(gpus()))) as spread:
        for split in splits:
            what = Inference(
                model=Path(folder),
                manifest=SPLIT / manifests / f"{split}.tsv",
                source=Path(params.data.source),
                batch_size=settings.batch_size,
                top_k=settings.top_k,
                backend=params.train.backend,
                threads=params.train.threads,
                cache=Cache.of(params.data),
            )
            with writer(file.replace("SPLIT", split), settings.top_k, params.data.layout.classes) as out:
                for block in what.predictions(spread):
                    out.append(block)
                    videos += len(block.ids)
    print(f"{folder}: {videos} videos of {', '.join(splits)}")
