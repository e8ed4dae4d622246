"""Train the video-level MoE: `python -m stages train_moe original|augmented`.

Both make the same number of steps. The last epochs of the augmented videos' model are of the original ones, in whose
proportions the classes are scored.
"""

from dataclasses import replace

from stages._places import DATA
from yt8m.core.schema import Level
from yt8m.records.manifest import read_manifest
from yt8m.settings.params import Params
from yt8m.training.run import run
from yt8m.training.training import Phase, Training


def main(params: Params, kind: str) -> None:
    settings = params.train_moe
    training = Training.of(params, settings, settings.seed, f"train_moe/{kind}", Level.VIDEO)
    if kind == "augmented":
        (original,) = training.phases
        epochs = settings.epochs - settings.original_epochs
        steps = epochs * read_manifest(original.manifest).videos // settings.batch_size
        augmented = Phase(DATA / "augment" / "videos.tsv", steps)
        training = replace(training, phases=(augmented, replace(original, steps=original.steps - steps)))
    run(training)
