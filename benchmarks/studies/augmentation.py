"""What augmentation brings the video-level MoE: `python -m benchmarks.studies.augmentation`.

All variants make the same number of steps with the same learning rates: on the original videos, on an augmented set, or
("original after …") on an augmented set and then, for the last epochs, on the original videos.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.studies import _study
from benchmarks.studies._study import Trained
from yt8m.settings.params import Params

ORIGINAL = "original"
# The threshold is 1e4 of 5 M videos, scaled to the 23,130 of params/youtube8m_video.yaml.
PAPERS = {"augment.threshold": 46, "augment.neighbours": 8, "augment.step": 0.5, "augment.noise": 0.03}
ALIKE = PAPERS | {"augment.threshold": None, "augment.neighbours": 2}
SETS: dict[str, dict[str, Any]] = {
    "paper's": PAPERS,
    "threshold 300, 4 neighbours": PAPERS | {"augment.threshold": 300, "augment.neighbours": 4},
    "2 neighbours of every video": ALIKE,
    "2 neighbours, step 0.25": ALIKE | {"augment.step": 0.25},
    "2 neighbours, step 0.1": ALIKE | {"augment.step": 0.1},
}
VARIANTS: dict[str, dict[str, Any]] = {
    f"{experts} experts: {name}": {"train_moe.args.mixtures": experts, **changes}
    for experts in (2, 16)
    for name, changes in {
        ORIGINAL: {},
        **{name: changes | {"train_moe.original_epochs": 0} for name, changes in SETS.items()},
        **{f"{ORIGINAL} after {name}": changes | {"train_moe.original_epochs": 3} for name, changes in SETS.items()},
    }.items()
}


def train(params: Params, name: str) -> Trained:
    """The MoE as the stages augment and train_moe make it."""
    kind = ORIGINAL if name.endswith(f": {ORIGINAL}") else "augmented"
    if kind != ORIGINAL:
        _study.run_stage(params, "augment")
    _study.run_stage(params, "train_moe", kind)
    return _study.trained(params, f"train_moe/{kind}")


def main(argv: Sequence[str] | None = None) -> None:
    args, table, variants = _study.begin("augmentation", VARIANTS, argv)
    with _study.at(args.project) as params:
        for name, changes in variants.items():
            for seed in args.seeds:
                with _study.workplace("augmentation"):
                    other = _study.changed(params, {**changes, "train_moe.seed": seed})
                    table.add(name, seed, partial(train, other, name), _study.rare_map)
    print(table.summary())


if __name__ == "__main__":
    main()
