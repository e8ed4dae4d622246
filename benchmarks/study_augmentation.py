"""What augmentation brings the video-level MoE: `python -m benchmarks.study_augmentation [--experts 16]`.

A variant changes the parameter file's section `augment`. All make the same number of steps with the same learning
rates, on whatever their augmented set holds, or the last `train_moe.settle` epochs on the original videos.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import keras

from benchmarks._study import Split, parser, start
from yt8m.augmentation.synthesis import augment_shards
from yt8m.core.files import whole
from yt8m.records.manifest import write_manifest
from yt8m.settings.params import Augment, VideoModel

SETTLED = "original after "
PAPERS: dict[str, float | None] = {
    "threshold": 46,
    "neighbours": 8,
    "step": 0.5,
    "noise": 0.03,
}  # 1e4 of 5 M videos, scaled to 23,130
ALIKE: dict[str, float | None] = {"threshold": None, "neighbours": 2}
VARIANTS: dict[str, dict[str, float | None]] = {
    "paper's": PAPERS,
    "threshold 300, 4 neighbours": PAPERS | {"threshold": 300, "neighbours": 4},
    "2 neighbours of every video": PAPERS | ALIKE,
    "2 neighbours, step 0.25": PAPERS | ALIKE | {"step": 0.25},
    "2 neighbours, step 0.1": PAPERS | ALIKE | {"step": 0.1},
}
CHOICES = ["original", *VARIANTS, *(SETTLED + variant for variant in VARIANTS)]


def augmented(split: Split, variant: str) -> Path:
    """The manifest of a variant's training set, made unless it is there."""
    number = list(VARIANTS).index(variant)
    folder = split.folder.with_name(f"{split.folder.name}_{number}")
    if not folder.exists():
        train = split.dataset("train")
        settings = Augment.model_validate(split.params.augment.model_dump() | VARIANTS[variant])
        with whole(folder) as out:
            shards = list(zip(train.paths, train.counts, strict=True))
            made = augment_shards(shards, split.counts, train.schema, out, **settings.model_dump())
            write_manifest(out / "videos.tsv", [shard.moved(folder) for shard in made.shards])
    return folder / "videos.tsv"


def trained(split: Split, variant: str, settings: VideoModel) -> tuple[keras.Model, float]:
    """A model trained as a variant says, and its best GAP on the holdout."""
    model, first = split.model(settings), None
    if variant != "original":
        last = settings.settle if variant.startswith(SETTLED) else 0
        first = split.read(augmented(split, variant.removeprefix(SETTLED))), settings.epochs - last
    return model, split.train(model, settings, first=first)


def main(argv: Sequence[str] | None = None) -> None:
    options = parser("study_augmentation", "Compare augmented training sets.")
    options.add_argument("--experts", type=int, default=16)
    options.add_argument("--variants", nargs="+", default=CHOICES, choices=CHOICES, metavar="VARIANT")
    args = options.parse_args(argv)
    split, table = start(args)
    moe = split.params.train_moe
    for variant in args.variants:
        for seed in args.seeds:
            settings = moe.model_copy(update={"seed": seed, "args": moe.args | {"mixtures": args.experts}})
            table.add(f"{args.experts} experts: {variant}", seed, split, partial(trained, split, variant, settings))
    print(table.summary())


if __name__ == "__main__":
    main()
