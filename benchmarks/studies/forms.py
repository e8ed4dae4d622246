"""Forms of augmentation beside the paper's, for the video-level MoE: `python -m benchmarks.studies.forms`.

All make the same number of steps at the same rates, the last epochs (`train_moe.original_epochs`) on the original
videos; what comes before differs. The paper's set is larger than the original one, and its classes have other shares.
"Each once" moves every video once in each epoch, towards another of its neighbours or away from it: no set is larger,
and classes keep their shares.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from benchmarks.studies import _study
from benchmarks.studies._study import Trained
from stages._places import DATA, SPLIT
from yt8m.augmentation.recipes import Kind, Recipes, recipes
from yt8m.augmentation.synthesis import Chunk, read_chunk, records
from yt8m.core.schema import Level
from yt8m.records.classes import read_label_counts
from yt8m.records.dataset import Dataset
from yt8m.records.manifest import describe, write_manifest
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import encode_labels
from yt8m.settings.params import Params

NAME = "train_moe/form"


def by_stages(params: Params, kind: str) -> str:
    """As the stages have it: `original`, or `augmented` as the section `augment` says."""
    if kind == "augmented":
        _study.run_stage(params, "augment")
    _study.run_stage(params, "train_moe", kind)
    return f"train_moe/{kind}"


def each_once(params: Params, mixed: bool = False) -> str:
    """On sets that have every video once, one set for each epoch.

    Args:
        mixed: whether a video between two has labels between theirs.
    """
    from benchmarks.studies._mixed import Mixed
    from yt8m.training.run import run
    from yt8m.training.training import Objective, Phase, Training

    settings, manifest = params.train_moe, SPLIT / "videos" / "train.tsv"
    training = Training.of(params, settings, settings.seed, NAME, Level.VIDEO)
    videos = Dataset(manifest, params.data.source)
    sets = write_sets(params, videos, settings.epochs - settings.original_epochs)
    ends = [(epoch + 1) * videos.size // settings.batch_size for epoch in range(len(sets))]
    steps = np.diff([0, *ends], append=training.schedule.steps).tolist()
    phases = tuple(Phase(*each) for each in zip([*sets, manifest], steps, strict=True))
    objective = Mixed(manifest, params.data.source, params.augment.step) if mixed else Objective()
    run(replace(training, phases=phases, objective=objective))
    return NAME


def write_sets(params: Params, videos: Dataset, count: int) -> list[Path]:
    """Write so many sets of augmented videos; their manifests."""
    settings, schema = params.augment, videos.schema
    chunk = read_chunk(list(zip(videos.paths, videos.counts, strict=True)), schema)
    made = possible(chunk, schema.features[schema.primary], params)
    labels = [encode_labels(row, schema) for row in chunk.labels]
    manifests = []
    for epoch in range(count):
        random = np.random.default_rng((settings.seed, epoch))
        path = (DATA / f"form{epoch}.tfrecord").resolve()
        drawn = made.take(one_of_each(made, random))
        shard = describe(
            path, Level.VIDEO, write_records(path, records(chunk, drawn, labels, schema, settings, random))
        )
        manifests.append(path.with_suffix(".tsv"))
        write_manifest(manifests[-1], [shard], schema)
    return manifests


def possible(chunk: Chunk, size: int, params: Params) -> Recipes:
    """The recipes of all videos that neighbours allow, whatever the class."""
    counts, settings = read_label_counts(SPLIT / "label_counts" / "train.csv"), params.augment
    primary = np.ascontiguousarray(chunk.features[:, :size])
    given = chunk.ids, chunk.labels, primary, counts
    return recipes(*given, threshold=None, most=settings.neighbours, partners=settings.partners)


def one_of_each(made: Recipes, random: np.random.Generator) -> np.ndarray:
    """Rows of one recipe of each seed, in random order; the video itself where there is no other."""
    rows = random.permutation(len(made.kind))
    rows = rows[np.argsort(made.kind[rows] == Kind.ORIGINAL, kind="stable")]  # originals last
    _, first = np.unique(made.seed[rows], return_index=True)
    return random.permutation(rows[first])


class Form(NamedTuple):
    """How videos are augmented.

    Attributes:
        train: trains the MoE, and says where it is.
        changes: of parameters.
    """

    train: Callable[[Params], str]
    changes: MappingProxyType[str, Any] = MappingProxyType({})


original, augmented = partial(by_stages, kind="original"), partial(by_stages, kind="augmented")
SAME = MappingProxyType({"augment.partners": "labels"})
FORMS = {
    "original": Form(original),
    "the paper's": Form(augmented),
    "the paper's, neighbours with the same labels": Form(augmented, SAME),
    "each once": Form(each_once),
    "each once, neighbours with the same labels": Form(each_once, SAME),
    "each once, labels mixed": Form(partial(each_once, mixed=True)),
    "mixup 0.4, all epochs": Form(original, MappingProxyType({"train.mixup": 0.4})),
}


def train(params: Params, form: Form) -> Trained:
    """The MoE in a workplace."""
    return _study.trained(params, form.train(params))


def main(argv: Sequence[str] | None = None) -> None:
    args, table, forms = _study.begin("forms", FORMS, argv)
    with _study.at(args.project) as params:
        for seed in args.seeds:
            for name, form in forms.items():
                with _study.workplace("forms"):
                    other = _study.changed(params, {**form.changes, "train_moe.seed": seed})
                    table.add(name, seed, partial(train, other, form), _study.by_frequency)
    print(table.summary())


if __name__ == "__main__":
    main()
