"""What fine-tuning with label relations brings: `python -m benchmarks.studies.relations`.

A model with one hidden layer is trained, and then goes on for as many steps as the section `finetune` says: as it was
trained ("continued": relations that weigh nothing), or with label relations of some weights. All begin with the same
weights and see the same videos in the same order.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.studies import _study
from benchmarks.studies._study import Trained
from yt8m.settings.params import Params

MLP = {
    "family": "mlp",
    "batch_size": 512,
    "learning_rate": 0.002,
    "epochs": 8,
    "args": {"hidden": [1024], "input_dropout": 0.0, "dropout": 0.5, "l2": 1e-4},
}
BEFORE = "mlp: before"
# Factors of the section's values.
VARIANTS: dict[str, dict[str, float]] = {
    "mlp: continued": {"lambda1": 0, "lambda2": 0},
    "mlp: relations": {},
    "mlp: lambda2 / 10": {"lambda2": 0.1},
    "mlp: lambda2 x 10": {"lambda2": 10},
    "mlp: lambda1 x 100": {"lambda1": 100},
    "mlp: period x 10": {"period": 10},
    # Omega hardly counts in the inverse, which is about as strong as before: plain weight decay of W.
    "mlp: all classes alike": {"lambda2": 40, "damping": 1000},
}


def of_seed(params: Params, seed: int) -> Params:
    """A project of the one model, which is trained by this seed and fine-tuned."""
    sets = {"plain": {"seed": seed, "finetune": False}, "related": {"seed": seed, "finetune": True}}
    evaluate = {"plain": "mlp-plain", "related": ["mlp-related"]}
    return _study.changed(params, {"models": {"mlp": MLP}, "sets": sets, "evaluate": evaluate})


def finetune(params: Params) -> Trained:
    """The trained model as the stage finetune leaves it."""
    _study.run_stage(params, "finetune", "mlp", "related")
    return _study.trained(params, "finetune/mlp-related")


def main(argv: Sequence[str] | None = None) -> None:
    args, table, variants = _study.begin("relations", VARIANTS, argv)
    with _study.at(args.project) as params:
        for seed in args.seeds:
            if not any(table.lacks(name, seed) for name in (BEFORE, *variants)):
                continue
            with _study.workplace("relations"):
                before = of_seed(params, seed)
                _study.run_stage(before, "train", "mlp", "related")
                table.add(BEFORE, seed, partial(_study.trained, before, "train/mlp-related"), _study.rare_map)
                section: dict[str, Any] = before.finetune.model_dump()
                for name, factors in variants.items():
                    changes = {f"finetune.{key}": section[key] * factor for key, factor in factors.items()}
                    table.add(name, seed, partial(finetune, _study.changed(before, changes)), _study.rare_map)
    print(table.summary())


if __name__ == "__main__":
    main()
